"""Conferences with their days."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from alliance.admin import HouseAdmin, HouseTabular, RelatedPage, as_json, in_all_languages
from events.admin import pages
from events.admin.addresses import NamedByTitle
from events.models import Conference, ConferenceDay


class ConferenceDayInline(HouseTabular[ConferenceDay, Conference]):
    """The days, numbered."""

    model = ConferenceDay
    fields = ["number", "date", "label_printed"]
    ordering = ["number"]


class ConferenceAdmin(HouseAdmin[Conference]):
    """Conferences of every kind, the newest first. Sessions, registrations and the rest are linked at the top."""

    prose = frozenset({"theme_subtitle", "goal", "description", "results_disclaimer"})
    related_pages: ClassVar[list[RelatedPage]] = []
    form = NamedByTitle
    is_known_by_label = True
    inlines = [ConferenceDayInline]
    empty_text = _("There is no conference yet. Add one; then its start page leads from step to step.")
    list_display = ["title", "kind", "edition", "starts_on", "ends_on", "state", "visibility"]
    list_filter = ["state", "kind", "series", "format"]
    ordering = [F("starts_on").desc(nulls_last=True), "-pk"]
    search_fields = ["slug", *in_all_languages("title"), *in_all_languages("theme")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["series", "venue", "organiser", "chairmanship"]
    readonly_fields = ["archive_as_printed", "report_as_printed"]
    fieldsets = [
        (None, {"fields": ["title", "slug", ("kind", "series", "edition"), ("state", "visibility")]}),
        (_("Theme"), {"fields": ["theme", "theme_subtitle", "level", "goal", "description"]}),
        (
            _("Time and place"),
            {
                "fields": [
                    ("starts_on", "ends_on", "date_precision"),
                    ("time_zone", "venue"),
                    "format",
                    "platform_label",
                    ("livestream_url", "is_livestreamed"),
                ]
            },
        ),
        (
            _("Organiser and languages"),
            {"fields": [("organiser", "chairmanship"), ("working_languages", "interpretation_languages")]},
        ),
        (
            _("Contact"),
            {
                "classes": ["collapse"],
                "fields": [
                    "contact_email",
                    "contact_phone",
                    "contact_fax",
                    "contact_address",
                    "contact_web",
                    "event_page_url",
                    ("hashtag", "social_account"),
                ],
            },
        ),
        (
            _("For the record"),
            {
                "classes": ["collapse"],
                "fields": [
                    "results_disclaimer",
                    "neutral_title",
                    "internal_note",
                    "title_aliases",
                    "anniversaries",
                    "archive_as_printed",
                    "report_as_printed",
                ],
            },
        ),
    ]

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of a conference, and those of one that a file will make."""
        from events import admin_programme_file  # which registers a page itself
        from events.admin import long_work  # so does this

        own = [*admin_programme_file.urls(self.admin_site), *long_work.urls(self.admin_site)]
        return [*own, *pages.urls(self.admin_site), *super().get_urls()]

    def response_post_save_add(self, request: HttpRequest, obj: Conference) -> HttpResponseRedirect:
        """To the start page, whose checklist says what comes next."""
        return HttpResponseRedirect(pages.url("start", obj))

    @admin.display(description=_("as printed"))
    def archive_as_printed(self, conference: Conference) -> SafeString:
        """The wording of the source."""
        return as_json(conference.archive_text)

    @admin.display(description=_("report"))
    def report_as_printed(self, conference: Conference) -> SafeString:
        """What the import read from the report."""
        return as_json(conference.report)

    @staticmethod
    def label_of(conference: Conference) -> str:
        """Title and year."""
        return f"{conference.title} ({conference.starts_on:%Y})" if conference.starts_on else str(conference)
