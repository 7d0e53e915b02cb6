"""Delegations and their focal points."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from alliance.admin import HouseAdmin, HouseTabular, RelatedPage, explain, in_all_languages
from events.admin import conference_slug
from registration.models import Delegation, FocalPoint

explain(
    "delegation_of_state_or_organisation",
    gettext_lazy("A delegation is of a State or of an organisation: choose one of them."),
    field="country",
)
explain("delegation_stands_once", gettext_lazy("This delegation is there already."), field="country")
explain("focal_point_stands_once", gettext_lazy("The same focal point is named twice."))


class FocalPointInline(HouseTabular[FocalPoint, Delegation]):
    """Who nominates the members."""

    model = FocalPoint
    fields = ["user"]
    autocomplete_fields = ["user"]
    load = ("user",)
    ordering = ["pk"]


class DelegationAdmin(HouseAdmin[Delegation]):
    """Delegations of States and organisations, in protocol order."""

    empty_text = gettext_lazy(
        "There is no delegation yet. Add one for each state or body that sends people, with its focal points."
    )
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


admin.site.register(Delegation, DelegationAdmin)
