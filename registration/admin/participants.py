"""People at conferences, by display name. Somebody with an alias is that alias on every page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from alliance.admin import HouseAdmin, RelatedPage, clock_time, explain
from events.admin import conference_slug
from registration.models import Participant, Registration
from registration.models.participant import email_index
from registration.services import identities

explain(
    "participant_delegation_and_capacity_are_a_pair",
    gettext_lazy("Say as what the person belongs to the delegation."),
    field="delegation_capacity",
)


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


admin.site.register(Participant, ParticipantAdmin)
