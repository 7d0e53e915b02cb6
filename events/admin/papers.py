"""Papers, recommendations and references."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from alliance.admin import HouseAdmin, in_all_languages
from events.admin.shared import OfConferenceForm, conference_slug
from events.models import Material, Recommendation, Reference


class MaterialAdmin(HouseAdmin[Material]):
    """Papers, videos and links."""

    form = OfConferenceForm
    list_display = ["shown_title", "kind", conference_slug, "session", "language", "visibility", "position"]
    list_filter = ["kind", "visibility", "conference"]
    list_select_related = ["conference", "session"]
    ordering = ["-conference__starts_on", "position", "pk"]
    search_fields = ["url", "publisher", *in_all_languages("title")]
    autocomplete_fields = ["conference", "session"]
    fieldsets = [
        (None, {"fields": ["conference", "session", ("kind", "position", "visibility"), "title", "url", "language"]}),
        (_("Publication"), {"classes": ["collapse"], "fields": [("publisher", "place", "year"), "published_on"]}),
    ]

    @admin.display(description=_("title"))
    def shown_title(self, material: Material) -> str:
        """The title, else the address."""
        return str(material.title) or material.url


class RecommendationAdmin(HouseAdmin[Recommendation]):
    """Numbered results of sessions."""

    prose = frozenset({"text"})
    list_display = ["number", "kind", "text", "session"]
    list_display_links = ["number", "text"]
    list_filter = ["kind", "session__conference", ("session", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["session"]
    ordering = ["session", "kind", "number"]
    search_fields = [*in_all_languages("text")]
    autocomplete_fields = ["session"]
    fields = ["session", ("kind", "number"), "text", "addressee"]


class ReferenceAdmin(HouseAdmin[Reference]):
    """Sources cited in documents."""

    form = OfConferenceForm
    list_display = ["number_printed", "document", "citation", conference_slug]
    list_display_links = ["number_printed", "citation"]
    list_filter = ["document", "conference"]
    list_select_related = ["conference"]
    ordering = ["-conference__starts_on", "document", "pk"]
    search_fields = ["citation", "url"]
    autocomplete_fields = ["conference", "session"]
    fields = [
        "conference",
        "session",
        ("document", "number_printed"),
        "citation",
        ("url", "accessed_on"),
        "second_url",
        "internal_note",
    ]
