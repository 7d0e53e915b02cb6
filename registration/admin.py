"""Who comes, as organisers look after it: places, approvals, the waiting list, people.

States move through registration.services alone; here they are read-only, and actions call the services. Somebody with
an alias is that alias on every page; the name behind it is opened nowhere in the admin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import actor
from alliance.admin import (
    HouseAdmin,
    HouseForm,
    HouseTabular,
    ReadOnlyAdmin,
    RelatedPage,
    clock_time,
    explain,
    in_all_languages,
    list_url,
    of_parent_only,
    own_rows,
    row_url,
)
from alliance.exceptions import DomainError
from events.admin import ConferenceAdmin, OfConferenceForm, SessionAdmin, conference_clock, conference_slug
from registration import admin_figures, door_admin, services
from registration import delegation_admin as delegation_admin  # it registers pages of a conference
from registration.models import (
    Admission,
    Delegation,
    Figure,
    FocalPoint,
    Participant,
    Registration,
    RegistrationStatus,
)
from registration.models.participant import email_index
from registration.services import identities

explain(
    "admission_unique_per_thing_and_mode",
    gettext_lazy("There is an admission to this in this way already."),
    field="mode",
)
explain("admission_closes_after_it_opens", gettext_lazy("Registration closes before it opens."), field="closes_at")
explain(
    "delegation_of_state_or_organisation",
    gettext_lazy("A delegation is of a State or of an organisation: choose one of them."),
    field="country",
)
explain("delegation_stands_once", gettext_lazy("This delegation is there already."), field="country")
explain("focal_point_stands_once", gettext_lazy("The same focal point is named twice."))
explain(
    "participant_delegation_and_capacity_are_a_pair",
    gettext_lazy("Say as what the person belongs to the delegation."),
    field="delegation_capacity",
)
explain("figure_stands_once", gettext_lazy("This figure is there already."), field="measure")
explain("figure_is_not_negative", gettext_lazy("Figures are not negative."), field="value")

MOST_AT_ONCE = 200  # registrations that one action moves; each has a transaction of its own


def admission_label(admission: Admission) -> str:
    """What is attended and how. Needs conference and session loaded."""
    thing = admission.session.title if admission.session is not None else admission.conference.title
    return f"{thing} · {admission.get_mode_display()}"


# --- admissions -----------------------------------------------------------------------------------------------------


class AdmissionForm(HouseForm[Admission]):
    """An admission's session must belong to its conference."""

    def clean(self) -> dict[str, Any] | None:
        """Check it."""
        cleaned = super().clean()
        of_parent_only(self, "session")
        return cleaned


class CapacityForm(forms.Form):
    """How many places there are."""

    capacity = forms.IntegerField(
        label=gettext_lazy("Capacity"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        help_text=gettext_lazy("Empty: no limit."),
    )


class AdmissionAdmin(HouseAdmin[Admission]):
    """Who may attend what, in which way, and how many places are left at this moment."""

    form = AdmissionForm
    related_pages = [RelatedPage(gettext_lazy("Registrations"), Registration, "admission__id")]
    list_display = ["label", conference_slug, "capacity", "taken", "waiting_now", "left", "open_now"]
    list_filter = ["conference", "mode", "approval", "is_closed"]
    list_select_related = ["conference", "session", "places"]
    ordering = [
        "-conference__starts_on",
        "conference",
        F("session__day__number").asc(nulls_first=True),
        F("session__position").asc(nulls_first=True),
        "mode",
        "pk",
    ]
    search_fields = [*in_all_languages("session__title"), *in_all_languages("conference__title")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["conference", "session", "audience_organisations"]
    fieldsets = [
        (None, {"fields": ["conference", "session", "mode"]}),
        (gettext_lazy("Places at this moment"), {"fields": ["places_now"]}),
        (
            gettext_lazy("Registration"),
            {
                "fields": [("opens_at", "closes_at"), "is_closed", ("approval", "waiting")],
                "description": gettext_lazy("Times are on the venue's clock."),
            },
        ),
        (
            gettext_lazy("Audience"),
            {"fields": ["audience_categories", "audience_country_statuses", "audience_organisations", "note"]},
        ),
    ]

    @staticmethod
    def label_of(admission: Admission) -> str:
        """What is attended and how."""
        return admission_label(admission)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Admission]:
        """With what every page shows."""
        return super().get_queryset(request).select_related("conference", "session", "places")

    def get_readonly_fields(self, request: HttpRequest, obj: Admission | None = None) -> Any:
        """What is attended stays as it is: people have registered for it."""
        return ["places_now", *(["conference", "session", "mode"] if obj is not None else [])]

    def clock(self, request: HttpRequest, object_id: str | None) -> tzinfo:
        """The venue's clock."""
        return conference_clock(request, object_id, Admission, "conference")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that changes the capacity."""
        change = self.admin_site.admin_view(self.capacity_view)
        return [
            path("<int:admission_id>/capacity/", change, name="registration_admission_capacity"),
            *super().get_urls(),
        ]

    def response_add(self, request: HttpRequest, obj: Admission, post_url_continue: str | None = None) -> HttpResponse:
        """A new admission has no limit yet: ask for it next."""
        if "_save" in request.POST:
            return HttpResponseRedirect(reverse("admin:registration_admission_capacity", args=[obj.pk]))
        return super().response_add(request, obj, post_url_continue)

    def capacity_view(self, request: HttpRequest, admission_id: int) -> HttpResponse:
        """Ask for the capacity and set it through the service, which promotes into new places."""
        admission = self.get_object(request, str(admission_id))
        if admission is None:
            raise Http404
        if not self.has_change_permission(request, admission):
            raise PermissionDenied
        form = CapacityForm(request.POST or None, initial={"capacity": admission.places.capacity})
        if request.method == "POST" and form.is_valid():
            promoted = services.change_capacity(
                admission_id=admission.pk,
                capacity=form.cleaned_data["capacity"],
                by=actor(request),
                now=timezone.now(),
            )
            self.message_user(request, _("The capacity is changed."), messages.SUCCESS)
            if promoted:
                moved = ngettext(
                    "%(count)s person moved up from the waiting list and gets a mail.",
                    "%(count)s people moved up from the waiting list and get a mail.",
                    promoted,
                )
                self.message_user(request, moved % {"count": promoted}, messages.SUCCESS)
            return HttpResponseRedirect(row_url(admission))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Change the capacity"),
            "subtitle": admission_label(admission),
            "admission": admission,
            "form": form,
            "back": row_url(admission),
        }
        return TemplateResponse(request, "admin/registration/admission/capacity.html", context)

    @admin.display(description=gettext_lazy("admission"))
    def label(self, admission: Admission) -> str:
        """What is attended and how."""
        return admission_label(admission)

    @admin.display(description=gettext_lazy("capacity"), ordering="places__capacity")
    def capacity(self, admission: Admission) -> str | int:
        """How many places there are."""
        return _("no limit") if admission.places.capacity is None else admission.places.capacity

    @admin.display(description=gettext_lazy("taken"), ordering="places__taken")
    def taken(self, admission: Admission) -> int:
        """How many are gone."""
        return admission.places.taken

    @admin.display(description=gettext_lazy("waiting"), ordering="places__waiting")
    def waiting_now(self, admission: Admission) -> int:
        """How many people wait."""
        return admission.places.waiting

    @admin.display(description=gettext_lazy("left"))
    def left(self, admission: Admission) -> int | None:
        """How many are free for somebody who comes now."""
        return admission.places.left

    @admin.display(description=gettext_lazy("open"), boolean=True)
    def open_now(self, admission: Admission) -> bool:
        """Whether somebody may register now."""
        return admission.is_open(timezone.now())

    @admin.display(description=gettext_lazy("places"))
    def places_now(self, admission: Admission) -> SafeString | str:
        """The figures, and where to change the capacity."""
        if admission._state.adding:
            return _("You can set the capacity after saving.")
        places = admission.places
        numbers = [
            (_("Capacity"), _("no limit") if places.capacity is None else places.capacity),
            (_("Taken"), places.taken),
            (_("Left"), "∞" if places.left is None else places.left),
            (_("Waiting"), places.waiting),
        ]
        cells = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", numbers)
        return format_html(
            '<dl class="figures">{}</dl><a class="button" href="{}">{}</a>',
            cells,
            reverse("admin:registration_admission_capacity", args=[admission.pk]),
            _("Change the capacity"),
        )


# --- registrations --------------------------------------------------------------------------------------------------


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


class RegistrationAdmin(ReadOnlyAdmin[Registration]):
    """Registrations: approve, reject and cancel as actions; nothing else moves them."""

    list_display = ["who", "what", "status", "in_line", "category", "country", "registered"]
    list_filter = [
        "status",
        "admission__conference",
        AdmissionFilter,
        "participant__category",
        ("participant__country", admin.RelatedOnlyFieldListFilter),
        admin_figures.FigureFilter,
    ]
    ordering = ["-created_at", "-pk"]
    search_fields = ["participant__display_name"]
    search_by_id = ("public_id", "participant__public_id")
    search_help_text = gettext_lazy("A display name, a whole e-mail address, or a whole public id.")
    actions = ["approve_selected", "reject_selected", "cancel_selected", door_admin.badges_of_selected]
    fieldsets = [
        (None, {"fields": ["who", "what", ("status", "in_line"), "why"]}),
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
            ]
            context["moves"] = [{"action": name, "label": label} for name, label, possible in moves if possible]
            context["moves_url"] = list_url(Registration)
        return super().render_change_form(request, context, *args, **kwargs)

    @staticmethod
    def label_of(registration: Registration) -> str:
        """Who and what."""
        return f"{registration.participant.display_name} · {admission_label(registration.admission)}"

    @admin.display(description=gettext_lazy("participant"), ordering="participant__display_name")
    def who(self, registration: Registration) -> str:
        """The display name: an alias where the person chose one."""
        return registration.participant.display_name

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
        form = ReasonForm(request.POST if "confirmed" in request.POST else None, required=True)
        if not form.is_valid():
            return self._ask(request, queryset, form, action="reject_selected", title=_("Reject registrations"))
        by, reason = actor(request), form.cleaned_data["reason"]
        self._carry_out(
            request,
            queryset.order_by("pk"),
            lambda pk: services.reject(registration_id=pk, by=by, now=timezone.now(), reason=reason),
            done=lambda count: ngettext("%(count)s registration rejected", "%(count)s registrations rejected", count),
        )
        return None

    @admin.action(description=gettext_lazy("Cancel…"), permissions=["change"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        """Cancel; freed places go to the first in line."""
        form = ReasonForm(request.POST if "confirmed" in request.POST else None, required=False)
        if not form.is_valid():
            return self._ask(request, queryset, form, action="cancel_selected", title=_("Cancel registrations"))
        by, reason = actor(request), form.cleaned_data["reason"]
        self._carry_out(
            request,
            queryset.order_by("pk"),
            lambda pk: services.cancel(registration_id=pk, by=by, now=timezone.now(), reason=reason),
            done=lambda count: ngettext("%(count)s registration cancelled", "%(count)s registrations cancelled", count),
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
    ) -> None:
        """Move one after the other, each in its own transaction, and say how it went."""
        ids = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        moved: Counter[str] = Counter()
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
                    moved[registration.get_status_display()] += 1
        if moved:
            count = sum(moved.values())
            states = ", ".join(f"{status}: {number}" for status, number in moved.most_common())
            self.message_user(request, f"{done(count) % {'count': count}} ({states}).", messages.SUCCESS)
        for why, number in refused.most_common():
            left_alone = ngettext(
                "%(count)s registration left as it is: %(why)s",
                "%(count)s registrations left as they are: %(why)s",
                number,
            )
            self.message_user(request, left_alone % {"count": number, "why": why}, messages.WARNING)
        if len(ids) > MOST_AT_ONCE:
            too_many = _("Only the first %(count)s were looked at. Choose the action again for the rest.")
            self.message_user(request, too_many % {"count": MOST_AT_ONCE}, messages.WARNING)


# --- people ---------------------------------------------------------------------------------------------------------


def by_address(address: str, prefix: str = "") -> Q:
    """Finds the person with that whole address.

    People under an alias are left out: who knows an address must not learn from us which alias belongs to it.
    """
    return Q(**{f"{prefix}email_index": email_index(address), f"{prefix}has_alias": False})


class ParticipantAdmin(HouseAdmin[Participant]):
    """People at conferences, by display name. Names and addresses are read one by one, and on the record."""

    related_pages = [RelatedPage(gettext_lazy("Registrations"), Registration, "participant__id")]
    list_display = [
        "display_name",
        conference_slug,
        "category",
        "country",
        "organisation_text",
        "language",
        "registered",
    ]
    # No filter by alias: one click must not list everybody who protects their name.
    list_filter = ["conference", "category", ("country", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["conference", "country"]
    ordering = ["-created_at", "-pk"]
    search_fields = ["display_name"]
    search_by_id = ("public_id",)
    search_help_text = gettext_lazy("A display name, a whole e-mail address, or a whole public id.")
    autocomplete_fields = ["country", "organisation", "delegation"]
    readonly_fields = [
        "display_name",
        "has_alias",
        "conference",
        "full_name",
        "email",
        "accessibility",
        "registered",
        "public_id",
    ]
    fieldsets = [
        (None, {"fields": [("display_name", "has_alias"), "conference", ("registered", "public_id")]}),
        (
            gettext_lazy("Name and address"),
            {
                "fields": ["full_name", "email", "accessibility"],
                "description": gettext_lazy("Each time this page is opened, the audit trail says who read it."),
            },
        ),
        (
            gettext_lazy("Comes as"),
            {
                "fields": [
                    ("category", "country"),
                    ("organisation_text", "organisation"),
                    "function",
                    ("delegation", "delegation_capacity"),
                    ("language", "interpretation_language"),
                ]
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People register; there is no raw form."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Participant | None = None) -> bool:
        """People are erased by a service, not by deleting rows."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No address of the list finds them either."""
        return "has_alias" not in lookup and super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        """Without what lists have no use for."""
        return super().get_queryset(request).defer("sealed_identity", "accessibility_needs")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Participant], search_term: str
    ) -> tuple[QuerySet[Participant], bool]:
        """A whole address finds by its blind index; never somebody who appears under an alias."""
        if "@" in search_term:
            return queryset.filter(by_address(search_term)), False
        return super().get_search_results(request, queryset, search_term)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Participant | None = None,
    ) -> HttpResponse:
        """Open what may be read, on the record."""
        if obj is not None:
            obj.opened = identities.open_for_organiser(  # type: ignore[attr-defined]
                participant_id=obj.pk, by=actor(request), now=timezone.now()
            )
        return super().render_change_form(request, context, add, change, form_url, obj)

    @staticmethod
    def label_of(participant: Participant) -> str:
        """The display name."""
        return participant.display_name

    @admin.display(description=gettext_lazy("full name"))
    def full_name(self, participant: Participant) -> str:
        """The name as registered, unless an alias stands for it."""
        return self._identity(participant, "full_name")

    @admin.display(description=gettext_lazy("e-mail address"))
    def email(self, participant: Participant) -> str:
        """The address, unless an alias protects it."""
        return self._identity(participant, "email")

    def _identity(self, participant: Participant, what: str) -> str:
        if participant.has_alias:
            return _("Protected by the alias.")
        opened: identities.Opened = participant.opened  # type: ignore[attr-defined]
        return _("Erased.") if opened.identity is None else str(getattr(opened.identity, what))

    @admin.display(description=gettext_lazy("accessibility needs"))
    def accessibility(self, participant: Participant) -> str:
        """What the person asked for."""
        opened: identities.Opened = participant.opened  # type: ignore[attr-defined]
        return opened.accessibility_needs or "-"

    @admin.display(description=gettext_lazy("registered at"), ordering="created_at")
    def registered(self, participant: Participant) -> str:
        """On the venue's clock."""
        return clock_time(participant.created_at, participant.conference.zone)


class FocalPointInline(HouseTabular[FocalPoint, Delegation]):
    """Who nominates the members."""

    model = FocalPoint
    fields = ["user"]
    autocomplete_fields = ["user"]
    load = ("user",)
    ordering = ["pk"]


class DelegationAdmin(HouseAdmin[Delegation]):
    """Delegations of States and organisations, in protocol order."""

    inlines = [FocalPointInline]
    related_pages: ClassVar[list[RelatedPage]] = []
    list_display = ["of", conference_slug, "quota", "members_now"]
    list_filter = ["conference", "country__status"]
    list_select_related = ["conference", "country", "organisation"]
    ordering = ["-conference__starts_on", F("country__protocol_order").asc(nulls_last=True), "pk"]
    search_fields = [*in_all_languages("country__name"), *in_all_languages("organisation__name")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["conference", "country", "organisation"]
    fields = ["conference", ("country", "organisation"), ("quota", "quota_in_person", "quota_online"), "note"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delegation]:
        """With the number of members."""
        queryset = super().get_queryset(request).select_related("conference", "country", "organisation")
        return queryset.annotate(member_count=Count("members"))

    @staticmethod
    def label_of(delegation: Delegation) -> str:
        """Whose it is."""
        return f"{(delegation.country or delegation.organisation)} · {delegation.conference.title}"

    @admin.display(description=gettext_lazy("delegation"))
    def of(self, delegation: Delegation) -> str:
        """Whose it is."""
        whose = delegation.country or delegation.organisation
        return str(whose.name) if whose is not None else ""

    @admin.display(description=gettext_lazy("members"), ordering="member_count")
    def members_now(self, delegation: Delegation) -> int:
        """How many people belong to it."""
        count: int = delegation.member_count  # type: ignore[attr-defined]
        return count


class FigureAdmin(HouseAdmin[Figure]):
    """Numbers with measure, qualifier and source."""

    form = OfConferenceForm
    list_display = ["measure", "qualifier", "value", "group", conference_slug, "session", "source", "is_derived"]
    list_filter = ["measure", "qualifier", "is_derived", "conference"]
    list_select_related = ["conference", "session"]
    ordering = ["-conference__starts_on", "conference", "measure", "pk"]
    search_fields = ["group", "source"]
    autocomplete_fields = ["conference", "session"]
    fields = [
        "conference",
        "session",
        ("measure", "group"),
        ("qualifier", "value"),
        "printed_as",
        ("source", "is_derived"),
    ]


admin.site.register(Registration, RegistrationAdmin)
admin.site.register(Admission, AdmissionAdmin)
admin.site.register(Participant, ParticipantAdmin)
admin.site.register(Delegation, DelegationAdmin)
admin.site.register(Figure, FigureAdmin)

ConferenceAdmin.related_pages += [
    RelatedPage(gettext_lazy("Admissions"), Admission, "conference__id"),
    RelatedPage(gettext_lazy("Registrations"), Registration, "admission__conference__id"),
    RelatedPage(gettext_lazy("Participants"), Participant, "conference__id"),
    RelatedPage(gettext_lazy("Delegations"), Delegation, "conference__id"),
    RelatedPage(gettext_lazy("Figures"), Figure, "conference__id"),
]
SessionAdmin.related_pages.append(RelatedPage(gettext_lazy("Admissions"), Admission, "session__id"))
