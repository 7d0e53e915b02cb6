"""Sessions and side events, as organisers look after them."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from alliance.admin import (
    HouseAdmin,
    HouseStacked,
    HouseTabular,
    RelatedPage,
    as_json,
    choices_of,
    clock_time,
    in_all_languages,
    of_parent_only,
)
from events.admin import bulk, removals
from events.admin.addresses import NamedByTitle
from events.admin.shared import chosen_id, conference_clock, conference_slug
from events.models import (
    ConferenceDay,
    Convenorship,
    Material,
    Recommendation,
    Segment,
    Session,
    SessionKind,
    TextSection,
)


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


class OfSessionFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """Papers of a session belong to its conference."""

    def save_new(self, form: Any, commit: bool = True) -> Any:
        """Fill in the conference of the session."""
        form.instance.conference_id = self.instance.conference_id
        return super().save_new(form, commit=commit)

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        """The session may have gone to another conference."""
        form.instance.conference_id = self.instance.conference_id
        return super().save_existing(form, obj, commit=commit)


class MaterialInline(HouseTabular[Material, Session]):
    """Papers, recordings and links. Publication details are on a paper's own page."""

    model = Material
    formset = OfSessionFormSet
    fields = ["position", "kind", "title", "url", "language", "visibility"]
    ordering = ["position", "pk"]
    show_change_link = True
    classes = ["collapse"]


class RecommendationInline(HouseStacked[Recommendation, Session]):
    """Results of the first level. Items below them, addressee and topics are on their own pages."""

    model = Recommendation
    prose = frozenset({"text"})
    fields = [("kind", "number"), "text"]
    ordering = ["kind", "number", "pk"]
    show_change_link = True
    classes = ["collapse"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recommendation]:
        """Without items below items."""
        found: QuerySet[Recommendation] = super().get_queryset(request).filter(parent__isnull=True)
        return found


class SessionForm(NamedByTitle):
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

    empty_text = _(
        "There is no session yet. Add one, best from the programme page of its conference, which fills in the day."
    )
    form = SessionForm
    prose = frozenset({"summary", "call_to_action", "audience", "join_link_rule"})
    extra_inlines: ClassVar[list[type[admin.options.InlineModelAdmin[Any, Any]]]] = []
    related_pages: ClassVar[list[RelatedPage]] = []
    list_display = ["title", conference_slug, "in_programme", "kind", "when", "room", "state"]
    list_filter = ["state", "kind", Missing, "conference"]
    ordering = ["-conference__starts_on", "conference", F("day__number").asc(nulls_last=True), "position", "pk"]
    search_fields = ["key", "slug", *in_all_languages("title")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["conference", "room"]
    readonly_fields = ["archive_as_printed"]
    actions = bulk.ACTIONS
    inlines = [SegmentInline, TextSectionInline, ConvenorshipInline]
    last_inlines = [MaterialInline, RecommendationInline]  # behind what other apps bring: they come after the session

    class Media:
        js = ("js/admin-inlines.js",)

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
        return [*self.inlines, *self.extra_inlines, *self.last_inlines]

    @staticmethod
    def label_of(session: Session) -> str:
        """Title and time: an opening session is in every programme. Needs the conference loaded."""
        if session.starts_at is None:
            return str(session)
        return f"{session.title} · {clock_time(session.starts_at, session.conference.zone)}"

    @classmethod
    def title_of(cls, session: Session) -> str:
        """The title alone."""
        return str(session.title)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """With what lists show, and the conference, whose clock is in every label."""
        return super().get_queryset(request).select_related("conference", "day", "room")

    def related_links(self, request: HttpRequest, row: Session) -> list[dict[str, str]]:
        """Back to the programme, and the lists."""
        url = reverse("admin:events_conference_programme", args=[row.conference_id])
        own = [{"label": str(_("Programme")), "url": url}] if request.user.has_perm("events.view_session", row) else []
        own += removals.links(request, "session", row.public_id, [row.conference])
        return [*own, *super().related_links(request, row)]

    def clock(self, request: HttpRequest, object_id: str | None) -> tzinfo:
        """The venue's clock."""
        return conference_clock(request, object_id, Session, "conference")

    def get_form(self, request: HttpRequest, obj: Session | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Days of the conference only, once it is known."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "day" in form.base_fields:
            conference_id = obj.conference_id if obj else chosen_id(request, "conference")
            days = self.visible(request, ConferenceDay.objects.select_related("conference"))
            days = days.order_by("conference__slug", "number")
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
