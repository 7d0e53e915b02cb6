"""Conferences and programme, as organisers look after them."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from alliance.admin import (
    HouseAdmin,
    HouseForm,
    HouseStacked,
    HouseTabular,
    RelatedPage,
    as_json,
    choices_of,
    clock_time,
    explain,
    in_all_languages,
    of_parent_only,
    zone_named,
)
from events.models import (
    Conference,
    ConferenceDay,
    Convenorship,
    Country,
    Material,
    Organisation,
    Recommendation,
    Reference,
    Room,
    Segment,
    Series,
    Session,
    SessionKind,
    SideEvent,
    TextSection,
    Venue,
)

# --- what the database refuses --------------------------------------------------------------------------------------

_END_AFTER_START = _("The end must come after the start.")
_TIMES_ARE_A_PAIR = _("Give both times or none.")

explain("country_iso2_is_two_capitals", _("Give the ISO code as two capital letters."), field="iso2")
explain("organisation_is_not_part_of_itself", _("A body is not part of itself."), field="part_of")
explain("conference_edition_unique_in_series", _("The series has this edition already."), field="edition")
explain("conference_edition_needs_series", _("An edition number needs a series."), field="series")
explain("conference_edition_is_positive", _("Editions count from 1."), field="edition")
explain("conference_dates_are_a_pair", _("Give both days or none."), field="ends_on")
explain("conference_ends_on_or_after_it_starts", _("The last day is before the first."), field="ends_on")
explain("conference_zone_is_a_place", _("Write the time zone like Europe/Vienna."), field="time_zone")
explain("conference_day_number_is_unique", _("Two days have the same number."))
explain("conference_day_date_is_unique", _("Two days have the same date."))
explain("session_key_unique_in_conference", _("Another session of the conference has this key."), field="key")
explain("session_slug_unique_in_conference", _("Another session of the conference has this address."), field="slug")
explain("session_number_unique_in_kind", _("Another session of this kind has this number."), field="number")
explain("session_times_are_a_pair", _TIMES_ARE_A_PAIR, field="ends_at")
explain("session_ends_after_it_starts", _END_AFTER_START, field="ends_at")
explain("session_room_is_free", _("Another session is in this room at that time."), field="room")
explain("segment_key_unique_in_session", _("Two segments have the same key."))
explain("segment_position_unique_in_session", _("Two segments have the same position."))
explain("segment_times_are_a_pair", _TIMES_ARE_A_PAIR)
explain("segment_ends_after_it_starts", _END_AFTER_START)
explain("convenorship_stands_once", _("The same organisation is named twice in the same relation."))
explain("recommendation_number_is_unique", _("The session has this number already."), field="number")
explain("reference_number_unique_in_document", _("The document has this number already."), field="number_printed")
explain("material_address_stands_once", _("This address is listed already."), field="url")


@admin.display(description=_("conference"), ordering="conference__starts_on")
def conference_slug(row: Any) -> str:
    """The conference in lists, by its short name. Needs it loaded."""
    slug: str = row.conference.slug
    return slug


# --- conferences ----------------------------------------------------------------------------------------------------


class ConferenceDayInline(HouseTabular[ConferenceDay, Conference]):
    """The days, numbered."""

    model = ConferenceDay
    fields = ["number", "date", "label_printed"]
    ordering = ["number"]


class ConferenceAdmin(HouseAdmin[Conference]):
    """Conferences of every kind, the newest first. Sessions, registrations and the rest are linked at the top."""

    prose = frozenset({"theme_subtitle", "goal", "description"})
    related_pages: ClassVar[list[RelatedPage]] = []
    inlines = [ConferenceDayInline]
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
                    "internal_note",
                    "title_aliases",
                    "anniversaries",
                    "archive_as_printed",
                    "report_as_printed",
                ],
            },
        ),
    ]

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


# --- sessions -------------------------------------------------------------------------------------------------------


class SegmentInline(HouseStacked[Segment, Session]):
    """The printed blocks in order."""

    model = Segment
    fields = [("position", "kind", "key", "visibility"), "heading", ("starts_at", "ends_at")]
    ordering = ["position"]


class ConvenorshipInline(HouseTabular[Convenorship, Session]):
    """The bodies in printed order."""

    model = Convenorship
    fk_name = "session"
    fields = ["position", "organisation", "with_unit", "relation"]
    autocomplete_fields = ["organisation", "with_unit"]
    load = ("organisation", "with_unit")
    ordering = ["position", "pk"]


class TextSectionInline(HouseStacked[TextSection, Session]):
    """The texts in order."""

    model = TextSection
    prose = frozenset({"text"})
    fields = [("position", "kind"), "heading", "text"]
    ordering = ["position", "pk"]


class SessionForm(HouseForm[Session]):
    """A session's day and conference must fit together."""

    def clean(self) -> dict[str, Any] | None:
        """Check that the day belongs to the conference."""
        cleaned = super().clean()
        of_parent_only(self, "day")
        return cleaned


class Missing(admin.SimpleListFilter):
    """Sessions that cannot be published as they are."""

    title = _("what is missing")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What can be missing."""
        return [("time", _("time")), ("language", _("working language"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        """Only those that miss it."""
        if self.value() == "time":
            return queryset.filter(starts_at__isnull=True)
        return queryset.filter(working_languages=[]) if self.value() == "language" else queryset


class SessionAdmin(HouseAdmin[Session]):
    """The programme in its printed order. Apps that know more about sessions add their inlines to extra_inlines."""

    form = SessionForm
    prose = frozenset({"summary", "call_to_action", "audience", "join_link_rule"})
    extra_inlines: ClassVar[list[type[admin.options.InlineModelAdmin[Any, Any]]]] = []
    related_pages: ClassVar[list[RelatedPage]] = []
    list_display = ["title", conference_slug, "in_programme", "kind", "when", "room", "state"]
    list_filter = ["state", "kind", Missing, "conference"]
    list_select_related = ["conference", "day", "room"]
    ordering = ["-conference__starts_on", "conference", F("day__number").asc(nulls_last=True), "position", "pk"]
    search_fields = ["key", "slug", *in_all_languages("title")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["conference", "room"]
    readonly_fields = ["archive_as_printed"]
    inlines = [SegmentInline, TextSectionInline, ConvenorshipInline]

    def get_fieldsets(self, request: HttpRequest, obj: Session | None = None) -> Any:
        """Side events show who convenes and how people sign up; other sessions have that folded away."""
        is_side_event = self.opts.proxy or (obj is not None and obj.is_side_event)
        return [
            (
                None,
                {"fields": ["title", "conference", ("slug", "key"), self._kind_and_number(), ("state", "visibility")]},
            ),
            (
                _("Time and place"),
                {
                    "fields": [("day", "position"), ("starts_at", "ends_at"), ("room", "format"), "platform_label"],
                    "description": _("Times are on the venue's clock."),
                },
            ),
            (_("Languages"), {"fields": [("working_languages", "interpretation_languages")]}),
            (
                _("Audience and registration"),
                {
                    "classes": [] if is_side_event else ["collapse"],
                    "fields": [
                        "audience",
                        ("registration_mode", "registration_system"),
                        ("registration_url", "registration_url_is_broken"),
                        "join_link_rule",
                        "is_in_agenda",
                    ],
                },
            ),
            (
                _("Summary and results"),
                {
                    "classes": ["collapse"],
                    "fields": [
                        "summary",
                        "call_to_action",
                        ("takeaway_kind", "takeaway_count"),
                        "takeaway_note",
                    ],
                },
            ),
            (
                _("For the record"),
                {"classes": ["collapse"], "fields": ["internal_note", "platform_aliases", "archive_as_printed"]},
            ),
        ]

    def _kind_and_number(self) -> Any:
        return ("kind", "number")

    def get_inlines(self, request: HttpRequest, obj: Session | None) -> Any:
        """Our own and those that other apps brought."""
        return [*self.inlines, *self.extra_inlines]

    def clock(self, request: HttpRequest, object_id: str | None) -> tzinfo:
        """The venue's clock."""
        return conference_clock(request, object_id, Session, "conference")

    def get_form(self, request: HttpRequest, obj: Session | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Days of the conference only, once it is known."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "day" in form.base_fields:
            conference_id = obj.conference_id if obj else chosen_id(request, "conference")
            days = ConferenceDay.objects.select_related("conference").order_by("conference__slug", "number")
            if conference_id:
                days = days.filter(conference_id=conference_id)
            form.base_fields["day"].choices = choices_of(
                days, (lambda day: str(day)) if conference_id else (lambda day: f"{day.conference.slug} {day}")
            )
        return form

    @admin.display(description=_("day"), ordering="day__number")
    def in_programme(self, session: Session) -> str:
        """The day and the position in it, as "2 · 3"."""
        return f"{session.day.number} · {session.position}" if session.day else "-"

    @admin.display(description=_("starts at"), ordering="starts_at")
    def when(self, session: Session) -> str:
        """The start on the venue's clock."""
        return clock_time(session.starts_at, session.conference.zone)

    @admin.display(description=_("as printed"))
    def archive_as_printed(self, session: Session) -> SafeString:
        """The wording of the source."""
        return as_json(session.archive_text)


class SideEventAdmin(SessionAdmin):
    """The same rows, only those that other bodies convene."""

    inlines = [ConvenorshipInline, TextSectionInline, SegmentInline]
    list_display = ["title", conference_slug, "in_programme", "when", "registration_mode", "state"]
    list_filter = ["state", "registration_mode", Missing, "conference"]

    def _kind_and_number(self) -> Any:
        return "number"

    def save_model(self, request: HttpRequest, obj: Session, form: Any, change: bool) -> None:
        """A side event is one by its kind."""
        if not change:
            obj.kind = SessionKind.SIDE_EVENT
        super().save_model(request, obj, form, change)


def chosen_id(request: HttpRequest, field: str) -> int | None:
    """The key chosen for a relation on the form that was sent, or given in the address of a new one."""
    value = request.POST.get(field) or request.GET.get(field) or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def conference_clock(request: HttpRequest, object_id: str | None, model: Any, path: str) -> tzinfo:
    """The clock of the venue that a form's times belong to; UTC while the conference is not known.

    path: the relation from the model to its conference, such as session__conference.
    """
    zone = None
    if object_id and object_id.isascii() and object_id.isdigit() and len(object_id) < 19:
        zone = model.objects.filter(pk=int(object_id)).values_list(f"{path}__time_zone", flat=True).first()
    elif conference_id := chosen_id(request, "conference"):
        zone = Conference.objects.filter(pk=conference_id).values_list("time_zone", flat=True).first()
    elif session_id := chosen_id(request, "session"):
        zone = Session.objects.filter(pk=session_id).values_list("conference__time_zone", flat=True).first()
    return zone_named(zone) if zone else UTC


# --- texts and papers -----------------------------------------------------------------------------------------------


class OfConferenceForm(HouseForm[Any]):
    """A paper's session must belong to its conference."""

    def clean(self) -> dict[str, Any] | None:
        """Check it."""
        cleaned = super().clean()
        of_parent_only(self, "session")
        return cleaned


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


# --- bodies and places ----------------------------------------------------------------------------------------------


class OrganisationAdmin(HouseAdmin[Organisation]):
    """Bodies of all kinds."""

    list_display = ["name", "abbreviation", "kind", "country", "is_alliance_partner"]
    list_filter = ["kind", "is_alliance_partner", "is_name_derived"]
    list_select_related = ["country"]
    ordering = ["key"]
    search_fields = ["key", "abbreviation", "aliases", *in_all_languages("name")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["part_of", "country"]
    fieldsets = [
        (None, {"fields": ["name", ("abbreviation", "key"), "kind", "part_of", "country", "is_alliance_partner"]}),
        (
            _("Contact and notes"),
            {"classes": ["collapse"], "fields": ["web", "contact", "aliases", "is_name_derived", "internal_note"]},
        ),
    ]


class CountryAdmin(HouseAdmin[Country]):
    """Countries in protocol order."""

    list_display = ["name", "iso2", "status", "protocol_order"]
    list_filter = ["status"]
    ordering = ["protocol_order", "pk"]
    search_fields = ["iso2", "aliases", *in_all_languages("name")]
    fields = ["name", "iso2", ("status", "protocol_order"), "footnote", "aliases"]


class RoomInline(HouseTabular[Room, Venue]):
    """The rooms of a venue."""

    model = Room
    fields = ["name", "capacity"]
    ordering = ["pk"]


class VenueAdmin(HouseAdmin[Venue]):
    """Places with their rooms."""

    inlines = [RoomInline]
    list_display = ["__str__", "city", "country"]
    list_select_related = ["country"]
    ordering = ["pk"]
    search_fields = ["address", *in_all_languages("name"), *in_all_languages("city")]
    autocomplete_fields = ["country"]
    fields = ["name", "address", "city", "country", "footnote"]


class RoomAdmin(HouseAdmin[Room]):
    """Rooms of all venues."""

    list_display = ["name", "venue", "capacity"]
    list_select_related = ["venue"]
    ordering = ["venue", "pk"]
    search_fields = [*in_all_languages("name"), *in_all_languages("venue__name")]
    autocomplete_fields = ["venue"]
    fields = ["venue", "name", "capacity"]


class SeriesAdmin(HouseAdmin[Series]):
    """Rows of numbered meetings."""

    list_display = ["name", "key"]
    ordering = ["key"]
    search_fields = ["key", *in_all_languages("name")]
    fields = ["name", "key"]


# The order of this list is the order of the admin's front page.
admin.site.register(Conference, ConferenceAdmin)
admin.site.register(Session, SessionAdmin)
admin.site.register(SideEvent, SideEventAdmin)
admin.site.register(Material, MaterialAdmin)
admin.site.register(Recommendation, RecommendationAdmin)
admin.site.register(Reference, ReferenceAdmin)
admin.site.register(Organisation, OrganisationAdmin)
admin.site.register(Country, CountryAdmin)
admin.site.register(Venue, VenueAdmin)
admin.site.register(Room, RoomAdmin)
admin.site.register(Series, SeriesAdmin)

ConferenceAdmin.related_pages += [
    RelatedPage(_("Sessions"), Session, "conference__id"),
    RelatedPage(_("Side events"), SideEvent, "conference__id"),
    RelatedPage(_("Materials"), Material, "conference__id"),
    RelatedPage(_("References"), Reference, "conference__id"),
]
SessionAdmin.related_pages += [RelatedPage(_("Recommendations"), Recommendation, "session__id")]
