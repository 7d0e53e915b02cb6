"""People at conferences, by display name. Somebody with an alias is that alias on every page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from accounts.permissions import READ_CONFIDENTIAL
from alliance.admin import HouseAdmin, RelatedPage, clock_time, explain
from events.admin import conference_slug, pages, removals
from registration.admin import questions as admin_questions
from registration.admin import trail as admin_trail
from registration.models import Delegation, Participant, Registration
from registration.models.delegation_member import member_index
from registration.models.participant import email_index
from registration.services import identities

explain(
    "participant_delegation_and_capacity_are_a_pair",
    gettext_lazy("Say as what the person belongs to the delegation."),
    field="delegation_capacity",
)


_FOUND_BY = frozenset({"id", "pk", "public_id", "conference", "category", "country", "delegation", "organisation"})


def by_address(address: str, prefix: str = "") -> Q:
    """Finds the person with that whole address, members of delegations among them, whose address is hashed for each.

    People under an alias are left out: who knows an address must not learn from us which alias belongs to it.
    """
    delegations = Delegation.objects.filter(memberships__isnull=False).distinct().values_list("pk", flat=True)
    indexes = [email_index(address), *(member_index(pk, address) for pk in delegations)]
    return Q(**{f"{prefix}email_index__in": indexes, f"{prefix}has_alias": False})


class ParticipantAdmin(HouseAdmin[Participant]):
    """People at conferences, by display name. Names and addresses are read one by one, and on the record."""

    empty_text = gettext_lazy("Nobody is here yet. People appear by themselves when they register.")
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
    autocomplete_fields = ["country", "organisation"]
    readonly_fields = [
        "display_name",
        "has_alias",
        "conference",
        "full_name",
        "email",
        "accessibility",
        "answers",
        "registered",
        "public_id",
        "member_of",
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
        (gettext_lazy("Questions"), {"fields": ["answers"]}),
        (
            gettext_lazy("Comes as"),
            {
                "fields": [
                    ("category", "country"),
                    ("organisation_text", "organisation"),
                    "function",
                    "member_of",
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
        """By what the list shows and nothing else: Django takes any field of the row.

        No address of the list may find who has an alias, is protected, or needs something to take part.
        """
        return lookup.partition("__")[0] in _FOUND_BY and super().lookup_allowed(lookup, value, request)

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
                participant_id=obj.pk,
                with_needs=request.user.has_perm(READ_CONFIDENTIAL, obj),
                by=actor(request),
                now=timezone.now(),
            )
            obj.answers_shown = admin_questions.answers_of(request, obj)  # type: ignore[attr-defined]
            if self.has_change_permission(request, obj):
                context["trail_url"] = admin_trail.url_of_participant(obj)
                context["consents_url"] = pages.url("consents-person", obj.conference, participant=obj.public_id)
                context["door_code_url"] = pages.url("door-code", obj.conference, participant=obj.public_id)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def related_links(self, request: HttpRequest, row: Participant) -> list[dict[str, str]]:
        """The panic switch first."""
        own = removals.links(request, "participant", row.public_id, [row.conference])
        return [*own, *super().related_links(request, row)]

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

    @admin.display(description=gettext_lazy("delegation"))
    def member_of(self, participant: Participant) -> SafeString | str:
        """The delegation, with the way to its page: members are named there, by rules that this form would pass by."""
        if participant.delegation is None:
            return "-"
        return format_html(
            '<a href="{}">{}</a> · {}',
            pages.url("delegations", participant.conference),
            participant.delegation.name,
            participant.get_delegation_capacity_display(),
        )

    @admin.display(description=gettext_lazy("accessibility needs"))
    def accessibility(self, participant: Participant) -> str:
        """What the person asked for, for those who may read it."""
        opened: identities.Opened = participant.opened  # type: ignore[attr-defined]
        if opened.accessibility_needs is None:
            return _("Only readers of confidential answers see this.")
        return opened.accessibility_needs or "-"

    @admin.display(description=gettext_lazy("answers"))
    def answers(self, participant: Participant) -> str:
        """What the person answered to the questions of the conference."""
        return participant.answers_shown  # type: ignore[attr-defined,no-any-return]

    @admin.display(description=gettext_lazy("registered at"), ordering="created_at")
    def registered(self, participant: Participant) -> str:
        """On the venue's clock."""
        return clock_time(participant.created_at, participant.conference.zone)


admin.site.register(Participant, ParticipantAdmin)
