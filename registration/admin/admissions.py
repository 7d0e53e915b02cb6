"""Admissions: who may attend what, and the capacity."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import actor
from alliance.admin import HouseAdmin, HouseForm, RelatedPage, explain, in_all_languages, of_parent_only, row_url
from events.admin import conference_clock, conference_slug
from registration import services
from registration.admin import seen
from registration.admin import start as admin_start
from registration.models import Admission, Places, Registration
from registration.seating import capacities

explain(
    "admission_unique_per_thing_and_mode",
    gettext_lazy("There is an admission to this in this way already."),
    field="mode",
)
explain(
    "admission_claim_hours_are_between_1_and_336",
    gettext_lazy("A place is offered for 1 to 336 hours."),
    field="claim_hours",
)
explain("admission_closes_after_it_opens", gettext_lazy("Registration closes before it opens."), field="closes_at")


def admission_label(admission: Admission) -> str:
    """What is attended and how. Needs conference and session loaded."""
    thing = admission.session.title if admission.session is not None else admission.conference.title
    return f"{thing} · {admission.get_mode_display()}"


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

    empty_text = gettext_lazy(
        "There is no admission yet. Add one for the conference or a session: who may attend it, in which way, and how"
        " many."
    )
    form = AdmissionForm
    related_pages = [RelatedPage(gettext_lazy("Registrations"), Registration, "admission__id")]
    list_display = ["label", conference_slug, "capacity", "taken", "waiting_now", "left", "open_now"]
    list_filter = ["conference", "mode", "approval", "is_closed", admin_start.NeedsFilter]
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
                "fields": [("opens_at", "closes_at"), "is_closed", ("approval", "waiting", "claim_hours")],
                "description": gettext_lazy(
                    "Times are on the venue's clock. Without an opening time it is open at once."
                ),
            },
        ),
        (
            gettext_lazy("Audience"),
            {
                "fields": ["audience_categories", "audience_country_statuses", "audience_organisations", "note"],
                "description": gettext_lazy(
                    "Only for the approval that admits the audience: "
                    "these are admitted, all others wait for an organiser."
                ),
            },
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
        stands = seen.stamp(admission.places.capacity)
        if request.method == "POST" and form.is_valid() and request.POST.get("was", stands) != stands:
            form.add_error(None, str(seen.CHANGED_BELOW))
        asked: int | None = form.cleaned_data["capacity"] if request.method == "POST" and form.is_valid() else None
        too_many = 0 if asked is None else capacities.surplus(Places(capacity=asked, taken=admission.places.taken))
        if too_many and request.POST.get("seen") == str(asked):
            too_many = 0  # the page has said what it means
        if request.method == "POST" and form.is_valid() and not too_many:
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
            if surplus := capacities.surplus(Places.objects.get(pk=admission.pk)):
                self.message_user(request, capacities.words(surplus), messages.WARNING)
            return HttpResponseRedirect(row_url(admission))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Change the capacity"),
            "subtitle": admission_label(admission),
            "admission": admission,
            "before": capacities.words(too_many) if too_many else "",
            "seen": asked if too_many else "",
            "was": stands,
            "capacity_now": self.capacity(admission),
            "now": capacities.words(surplus) if (surplus := capacities.surplus(admission.places)) else "",
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
    def left(self, admission: Admission) -> SafeString | int | None:
        """How many are free for somebody who comes now, or how many too many have a place."""
        if surplus := capacities.surplus(admission.places):
            return format_html('<strong class="errors">{}</strong>', capacities.mark(surplus))
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
        surplus = capacities.surplus(places)
        return format_html(
            '<dl class="figures">{}</dl>{}<a class="button" href="{}">{}</a>',
            cells,
            format_html('<p class="errors">{}</p>', capacities.words(surplus)) if surplus else "",
            reverse("admin:registration_admission_capacity", args=[admission.pk]),
            _("Change the capacity"),
        )


admin.site.register(Admission, AdmissionAdmin)
