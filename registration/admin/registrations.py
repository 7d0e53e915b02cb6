"""Registrations: lists, pages, and the actions that move them, each through registration.services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Case, Count, F, IntegerField, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import actor
from alliance.admin import ReadOnlyAdmin, clock_time, list_url, own_rows
from alliance.exceptions import DomainError
from registration import services
from registration.admin import announcements as admin_announcements
from registration.admin import bounces as admin_bounces
from registration.admin import door as door_admin
from registration.admin import figure_pages as admin_figures
from registration.admin import saved_filters as admin_saved_filters
from registration.admin import trail as admin_trail
from registration.admin import undoing as admin_undoing
from registration.admin.admissions import admission_label
from registration.admin.participants import by_address
from registration.models import Admission, Registration, RegistrationStatus
from registration.services import taking_back

_MOVE = "registration.move_registration"
MOST_AT_ONCE = 200  # registrations that one action moves; each has a transaction of its own


class AdmissionFilter(admin.SimpleListFilter):
    """By admission, in words; those of the chosen conference, else the newest."""

    title = gettext_lazy("admission")
    parameter_name = "admission__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The admissions to choose from."""
        all_own = own_rows(request, Admission.objects.all(), "registration.view_admission")
        admissions = all_own.select_related("conference", "session").order_by("-pk")
        conference_id = request.GET.get("admission__conference__id__exact", "")
        if conference_id.isascii() and conference_id.isdigit() and len(conference_id) < 19:
            admissions = admissions.filter(conference_id=int(conference_id))
        chosen = request.GET.get(self.parameter_name, "")
        found = list(admissions[:30])
        if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 and int(chosen) not in {a.pk for a in found}:
            found += list(all_own.select_related("conference", "session").filter(pk=int(chosen)))
        return [(str(admission.pk), admission_label(admission)) for admission in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Those of the admission."""
        value = self.value() or ""
        if not value:
            return queryset
        known = value.isascii() and value.isdigit() and len(value) < 19
        return queryset.filter(admission_id=int(value)) if known else queryset.none()


class ReasonForm(forms.Form):
    """Why somebody is not admitted, or why a registration is cancelled."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=250,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text=gettext_lazy("One sentence. The people are told; name nobody in it."),
    )

    def __init__(self, *args: Any, required: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = required

    def clean_reason(self) -> str:
        """Leave "@" to the reasons that the system gives itself."""
        reason = str(self.cleaned_data["reason"])
        if reason.startswith("@"):
            raise forms.ValidationError(_("A reason does not begin with “@”."))
        return reason


class RecordedReasonForm(ReasonForm):
    """Why somebody passes others by: for the audit trail, not for the people."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, required=True, **kwargs)
        self.fields["reason"].help_text = _("One sentence for the audit trail; name nobody in it.")


class RegistrationAdmin(ReadOnlyAdmin[Registration]):
    """Registrations: approve, reject and cancel as actions; nothing else moves them."""

    empty_text = gettext_lazy(
        "Nobody has registered yet. People register on the public page as soon as registration is open; the start page"
        " of the conference says what is missing."
    )
    list_display = ["who", "status", "what", "in_line", "category", "country", "registered"]
    list_filter = [
        "status",
        "admission__conference",
        AdmissionFilter,
        "participant__category",
        ("participant__country", admin.RelatedOnlyFieldListFilter),
        admin_figures.FigureFilter,
        admin_bounces.BounceFilter,
    ]
    ordering = ["-created_at", "-pk"]
    search_fields = ["participant__display_name"]
    search_by_id = ("public_id", "participant__public_id")
    search_help_text = gettext_lazy("A display name, a whole e-mail address, or a whole public id.")
    actions = [
        "approve_selected",
        "reject_selected",
        "cancel_selected",
        "take_back_selected",
        "move_selected_to_top",
        "write_to_selected",
        door_admin.badges_of_selected,
        door_admin.workbook_of_selected,
        door_admin.csv_of_selected,
    ]
    fieldsets = [
        (None, {"fields": ["who", "what", ("status", "in_line"), "why", "mails"]}),
        (
            gettext_lazy("How it came about"),
            {
                "fields": [
                    "registered",
                    ("decided", "decided_by_kind", "decided_by"),
                    ("promoted", "cancelled", "joined"),
                    ("version", "public_id"),
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        """With what every page shows, and the place in line counted now: positions have gaps where people left."""
        ahead = (
            Registration.objects.filter(
                admission=OuterRef("admission"),
                status=RegistrationStatus.WAITLISTED,
                position__lt=OuterRef("position"),
            )
            .order_by()
            .values("admission")
            .annotate(count=Count("pk"))
            .values("count")
        )
        return (
            super()
            .get_queryset(request)
            .select_related("participant__country", "admission__conference", "admission__session", "decided_by")
            .defer("participant__sealed_identity", "participant__accessibility_needs")
            .annotate(
                place_in_line=Case(
                    When(
                        status=RegistrationStatus.WAITLISTED,
                        then=Coalesce(Subquery(ahead, output_field=IntegerField()), 0) + 1,
                    ),
                    output_field=IntegerField(),
                )
            )
        )

    def get_urls(self) -> list[URLPattern]:
        """Add where the named filters are kept."""
        change = self.admin_site.admin_view(admin_saved_filters.change)
        name = "registration_registration_saved_filters"
        return [path("saved-filters/", change, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add the user's named filters."""
        return super().changelist_view(request, (extra_context or {}) | admin_saved_filters.context(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Registration], search_term: str
    ) -> tuple[QuerySet[Registration], bool]:
        """A whole address finds by its blind index; never somebody who appears under an alias."""
        if "@" in search_term:
            return queryset.filter(by_address(search_term, "participant__")), False
        return super().get_search_results(request, queryset, search_term)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Buttons for what can be done from here."""
        registration: Registration | None = kwargs.get("obj") or context.get("original")
        context["moves"] = []
        if registration is not None and self.has_change_permission(request, registration):
            moves = [
                ("approve_selected", _("Approve"), registration.status == RegistrationStatus.PENDING),
                ("reject_selected", _("Reject…"), registration.may_become(RegistrationStatus.REJECTED)),
                ("cancel_selected", _("Cancel…"), registration.may_become(RegistrationStatus.CANCELLED)),
                ("take_back_selected", _("Undo"), taking_back.may_be_taken_back(registration, now=timezone.now())),
            ]
            if self.has_move_permission(request, registration):
                is_waiting = registration.status == RegistrationStatus.WAITLISTED
                may_rise = is_waiting and registration.place_in_line != 1  # type: ignore[attr-defined]
                moves.append(("move_selected_to_top", _("Move to the top…"), may_rise))
            context["moves"] = [{"action": name, "label": label} for name, label, possible in moves if possible]
            context["moves_url"] = list_url(Registration)
            context["trail_url"] = admin_trail.url_of_registration(registration)
        return super().render_change_form(request, context, *args, **kwargs)

    @staticmethod
    def label_of(registration: Registration) -> str:
        """Who and what."""
        return f"{registration.participant.display_name} · {admission_label(registration.admission)}"

    @admin.display(description=gettext_lazy("participant"), ordering="participant__display_name")
    def who(self, registration: Registration) -> str:
        """The display name: an alias where the person chose one."""
        return registration.participant.display_name

    mails = staticmethod(admin_bounces.mails)

    @admin.display(description=gettext_lazy("admission"))
    def what(self, registration: Registration) -> str:
        """What is attended and how."""
        return admission_label(registration.admission)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, registration: Registration) -> str:
        """What an organiser wrote, or what the system says of its own reasons."""
        return registration.reason_shown or "-"

    @admin.display(description=gettext_lazy("place in line"), ordering="position")
    def in_line(self, registration: Registration) -> int | str:
        """The place on the waiting list at this moment, from 1; a dash for people who are not on it."""
        place: int | None = registration.place_in_line  # type: ignore[attr-defined]
        return place or "-"

    @admin.display(description=gettext_lazy("category"), ordering="participant__category")
    def category(self, registration: Registration) -> str:
        """Who somebody comes as."""
        return registration.participant.get_category_display()

    @admin.display(description=gettext_lazy("country"), ordering="participant__country__protocol_order")
    def country(self, registration: Registration) -> str:
        """Where somebody comes from."""
        country = registration.participant.country
        return str(country.name) if country else ""

    def _at(self, registration: Registration, field: str) -> str:
        return clock_time(getattr(registration, field), registration.admission.conference.zone)

    @admin.display(description=gettext_lazy("registered at"), ordering="created_at")
    def registered(self, registration: Registration) -> str:
        """On the venue's clock."""
        return self._at(registration, "created_at")

    @admin.display(description=gettext_lazy("decided at"))
    def decided(self, registration: Registration) -> str:
        """On the venue's clock."""
        return self._at(registration, "decided_at")

    @admin.display(description=gettext_lazy("promoted at"))
    def promoted(self, registration: Registration) -> str:
        """On the venue's clock."""
        return self._at(registration, "promoted_at")

    @admin.display(description=gettext_lazy("cancelled at"))
    def cancelled(self, registration: Registration) -> str:
        """On the venue's clock."""
        return self._at(registration, "cancelled_at")

    @admin.display(description=gettext_lazy("first joined at"))
    def joined(self, registration: Registration) -> str:
        """On the venue's clock."""
        return self._at(registration, "joined_at")

    # --- actions

    @admin.action(description=gettext_lazy("Approve"), permissions=["change"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> None:
        """Admit those who await approval, in the order in which they registered."""
        by = actor(request)
        self._carry_out(
            request,
            queryset.order_by("created_at", "pk"),
            lambda pk: services.approve(registration_id=pk, by=by, now=timezone.now()),
            done=lambda count: ngettext("%(count)s registration approved", "%(count)s registrations approved", count),
        )

    @admin.action(description=gettext_lazy("Reject…"), permissions=["change"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        """Decline, with a reason that the people are told."""
        return self._with_reason(
            request,
            queryset,
            ReasonForm(request.POST if "confirmed" in request.POST else None, required=True),
            services.reject,
            action="reject_selected",
            title=_("Reject registrations"),
            can_undo=True,
            done=lambda count: ngettext("%(count)s registration rejected", "%(count)s registrations rejected", count),
        )

    @admin.action(description=gettext_lazy("Cancel…"), permissions=["change"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        """Cancel; freed places go to the first in line."""
        return self._with_reason(
            request,
            queryset,
            ReasonForm(request.POST if "confirmed" in request.POST else None, required=False),
            services.cancel,
            action="cancel_selected",
            title=_("Cancel registrations"),
            can_undo=True,
            done=lambda count: ngettext("%(count)s registration cancelled", "%(count)s registrations cancelled", count),
        )

    @admin.action(description=gettext_lazy("Undo cancelling or rejecting"), permissions=["change"])
    def take_back_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> None:
        """Let those stand again whom an organiser cancelled or rejected within the last quarter of an hour."""
        ids = list(queryset.order_by("created_at", "pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        try:
            said = admin_undoing.carry_out(request, [(pk, None) for pk in ids[:MOST_AT_ONCE]])
        except DomainError as error:
            self.message_user(request, str(error.message), messages.ERROR)
        else:
            self.message_user(request, said, messages.SUCCESS)
        self._say_what_is_left(request, ids)

    def has_move_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        """Whether the user may change the order of the waiting list: a right of its own."""
        return request.user.has_perm(_MOVE, obj)

    @admin.action(description=gettext_lazy("Move to the top of the waiting list…"), permissions=["move"])
    def move_selected_to_top(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        """Put people before all others in line, with a reason on the record. Among themselves they keep their order."""
        return self._with_reason(
            request,
            own_rows(request, queryset, _MOVE),
            RecordedReasonForm(request.POST if "confirmed" in request.POST else None),
            services.move_to_top,
            action="move_selected_to_top",
            title=_("Move to the top of the waiting list"),
            order=(F("position").desc(nulls_first=True), "pk"),
            done=lambda count: ngettext(
                "%(count)s registration moved to the top", "%(count)s registrations moved to the top", count
            ),
        )

    def has_write_permission(self, request: HttpRequest) -> bool:
        """Whether the user may write to people at one conference at least."""
        return request.user.has_perm(admin_announcements.PERMISSION)

    @admin.action(description=gettext_lazy("Write a message…"), permissions=["write"])
    def write_to_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        """Begin a message to the people behind the chosen registrations, of one conference."""
        return admin_announcements.begin(request, queryset)

    def _with_reason(
        self,
        request: HttpRequest,
        queryset: QuerySet[Registration],
        form: forms.Form,
        move: Callable[..., Registration | None],
        *,
        action: str,
        title: str,
        done: Callable[[int], str],
        can_undo: bool = False,
        order: Sequence[Any] = ("pk",),
    ) -> HttpResponse | None:
        """Ask for the reason; with it, move one after the other."""
        if not form.is_valid():
            return self._ask(request, queryset, form, action=action, title=title)
        by, reason = actor(request), form.cleaned_data["reason"]
        self._carry_out(
            request,
            queryset.order_by(*order),
            lambda pk: move(registration_id=pk, by=by, now=timezone.now(), reason=reason),
            done=done,
            can_undo=can_undo,
        )
        return None

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[Registration], form: forms.Form, *, action: str, title: str
    ) -> HttpResponse:
        """The page between choosing and doing."""
        chosen = list(queryset[:MOST_AT_ONCE])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "action": action,
            "form": form,
            "registrations": [
                {"pk": one.pk, "who": self.who(one), "what": self.what(one), "status": one.get_status_display()}
                for one in chosen
            ],
            "back": list_url(Registration),
        }
        return TemplateResponse(request, "admin/registration/registration/decide.html", context)

    def _carry_out(
        self,
        request: HttpRequest,
        queryset: QuerySet[Registration],
        move: Callable[[int], Registration | None],
        *,
        done: Callable[[int], str],
        can_undo: bool = False,
    ) -> None:
        """Move one after the other, each in its own transaction, and say how it went."""
        ids = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        moved: list[Registration] = []
        refused: Counter[str] = Counter()
        for pk in ids[:MOST_AT_ONCE]:
            try:
                registration = move(pk)
            except DomainError as error:
                refused[str(error.message)] += 1
            else:
                if registration is None:
                    refused[_("This registration has ended already.")] += 1
                else:
                    moved.append(registration)
        if moved:
            found = Counter(registration.get_status_display() for registration in moved).most_common()
            states = ", ".join(f"{status}: {number}" for status, number in found)
            said = f"{done(len(moved)) % {'count': len(moved)}} ({states})."
            if can_undo:
                admin_undoing.offer(request, moved, said)
            else:
                self.message_user(request, said, messages.SUCCESS)
        for why, number in refused.most_common():
            left_alone = ngettext(
                "%(count)s registration left as it is: %(why)s",
                "%(count)s registrations left as they are: %(why)s",
                number,
            )
            self.message_user(request, left_alone % {"count": number, "why": why}, messages.WARNING)
        self._say_what_is_left(request, ids)

    def _say_what_is_left(self, request: HttpRequest, ids: Sequence[int]) -> None:
        """ids: of the chosen ones, one more than are looked at where there are more."""
        if len(ids) > MOST_AT_ONCE:
            too_many = _("Only the first %(count)s were looked at. Choose the action again for the rest.")
            self.message_user(request, too_many % {"count": MOST_AT_ONCE}, messages.WARNING)


admin.site.register(Registration, RegistrationAdmin)
