"""Sessions and side events, their segments, and the bodies that convene them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alliance.db import NextMidnight, PublicIdField, TsTzRange
from alliance.translated import TranslatedField
from events.models.bodies import Organisation, Room
from events.models.conference import (
    FIRST_INSTANT,
    LAST_INSTANT,
    Conference,
    ConferenceDay,
    ConferenceState,
    Format,
    Visibility,
)

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class SessionKind(models.TextChoices):
    """Kinds of programme items."""

    OPENING = "opening", _("Opening")
    PANEL = "panel", _("Panel")
    CLOSING = "closing", _("Closing")
    SIDE_EVENT = "side_event", _("Side event")
    KEYNOTE = "keynote", _("Keynote")
    WORKSHOP = "workshop", _("Workshop")
    TRAINING = "training", _("Training")
    ROUNDTABLE = "roundtable", _("Round table")
    DISCUSSION = "discussion", _("Discussion")
    LAUNCH = "launch", _("Launch")
    SCREENING = "screening", _("Screening")
    EXHIBITION = "exhibition", _("Exhibition")
    DEMONSTRATION = "demonstration", _("Demonstration")
    GROUP_WORK = "group_work", _("Group work")
    VISIT = "visit", _("Visit")
    RECEPTION = "reception", _("Reception")
    BREAK = "break", _("Break")
    OTHER = "other", _("Other")


class SessionState(models.TextChoices):
    """Draft sessions are seen by organisers only; cancelled ones stay in the programme and say so."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    CANCELLED = "cancelled", _("Cancelled")


class RegistrationMode(models.TextChoices):
    """Where people sign up."""

    WITH_CONFERENCE = "with_conference", _("With the conference")
    OWN_FORM = "own_form", _("Our own form")
    EXTERNAL_ZOOM_WEBINAR = "external_zoom_webinar", _("Zoom webinar of another body")
    EXTERNAL_ZOOM_MEETING = "external_zoom_meeting", _("Zoom meeting of another body")
    EXTERNAL_GOOGLE_FORM = "external_google_form", _("Google form of another body")
    EXTERNAL_OTHER = "external_other", _("Other form of another body")
    INVITATION = "invitation", _("By invitation")
    NONE = "none", _("No registration")


class SessionQuerySet(models.QuerySet["Session"]):
    """Programme items."""

    def public(self) -> Self:
        """What strangers may see: scheduled or cancelled items of public conferences; nothing that was taken down."""
        return self.exclude(state=SessionState.DRAFT).filter(
            Q(visibility__in=[Visibility.PUBLIC, Visibility.REGISTERED]),
            Q(taken_down_at=None),
            ~Q(conference__state=ConferenceState.DRAFT),
            conference__visibility=Visibility.PUBLIC,
        )

    def in_programme_order(self) -> Self:
        """By day and position, as printed; items without a day come last. Times do not order: some are unknown."""
        return self.order_by(F("day__number").asc(nulls_last=True), "position", "pk")

    def side_events(self) -> Self:
        """Only side events."""
        return self.filter(kind=SessionKind.SIDE_EVENT)


class Session(models.Model):
    """An item of the programme: an opening, panel, side event, closing or break."""

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="sessions", verbose_name=_("conference")
    )
    day = models.ForeignKey(
        ConferenceDay, on_delete=models.PROTECT, related_name="sessions", null=True, blank=True, verbose_name=_("day")
    )
    room = models.ForeignKey(
        Room, on_delete=models.PROTECT, related_name="sessions", null=True, blank=True, verbose_name=_("room")
    )
    key = models.SlugField(_("key"), max_length=80, help_text=_("Stable name in programme files."))
    slug = models.SlugField(_("address"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16, choices=SessionKind, default=SessionKind.PANEL)
    number = models.PositiveSmallIntegerField(_("number"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position in the day"), default=1)
    title = TranslatedField(_("title"), blank=False)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    format = models.CharField(_("format"), max_length=12, choices=Format, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=SessionState, default=SessionState.DRAFT)
    visibility = models.CharField(_("visible to"), max_length=12, choices=Visibility, default=Visibility.PUBLIC)
    working_languages = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("working languages")
    )
    interpretation_languages = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("interpretation languages")
    )
    summary = TranslatedField(_("summary"))
    call_to_action = TranslatedField(_("call to action"))
    takeaway_kind = models.CharField(_("kind of takeaways"), max_length=40, blank=True)
    takeaway_count = models.PositiveSmallIntegerField(_("number of takeaways"), null=True, blank=True)
    takeaway_note = models.CharField(_("note on takeaways"), max_length=250, blank=True)

    # What side events add: who may come, where to sign up, on which platform.
    audience = TranslatedField(_("audience as announced"), help_text=_("One line per group."))
    registration_mode = models.CharField(
        _("registration"), max_length=24, choices=RegistrationMode, default=RegistrationMode.WITH_CONFERENCE
    )
    registration_system = models.CharField(_("registration system"), max_length=120, blank=True)
    registration_url = models.URLField(_("registration address"), max_length=500, blank=True)
    registration_url_is_broken = models.BooleanField(_("address is broken as printed"), default=False)
    join_link_rule = TranslatedField(_("how people get the link"))
    platform_label = models.CharField(_("platform as announced"), max_length=80, blank=True)
    platform_aliases = ArrayField(
        models.CharField(max_length=120), default=list, blank=True, verbose_name=_("other platform spellings")
    )
    is_in_agenda = models.BooleanField(_("in the agenda"), default=True)
    archive_text = models.JSONField(
        _("as printed"), default=dict, blank=True, help_text=_("Wording of the source, kept for the record only.")
    )
    internal_note = models.TextField(_("internal note"), blank=True, help_text=_("Never shown outside the admin."))
    # Set and emptied by events.removals alone. Who reads the published programme finds nothing of the session's wording
    # meanwhile (events.releases.programme).
    taken_down_at = models.DateTimeField(_("taken down at"), null=True, editable=False)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)
    # Kept by a trigger (migration events.0004), whatever is assigned here: what calendars know a change by.
    calendar_sequence = models.PositiveIntegerField(editable=False, db_default=0)
    calendar_changed_at = models.DateTimeField(editable=False, db_default=Now())

    objects: ClassVar[SessionQuerySet] = SessionQuerySet.as_manager()  # type: ignore[assignment]

    if TYPE_CHECKING:
        segments: RelatedManager[Segment]
        convenorships: RelatedManager[Convenorship]

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        constraints = [
            models.UniqueConstraint(name="session_key_unique_in_conference", fields=["conference", "key"]),
            models.UniqueConstraint(name="session_slug_unique_in_conference", fields=["conference", "slug"]),
            # Deferrable, as the room below: an import may swap two panels; only the end result has to be right.
            models.UniqueConstraint(
                name="session_number_unique_in_kind",
                fields=["conference", "kind", "number"],
                deferrable=models.Deferrable.IMMEDIATE,
            ),
            models.CheckConstraint(name="session_kind_is_known", condition=Q(kind__in=SessionKind.values)),
            models.CheckConstraint(name="session_state_is_known", condition=Q(state__in=SessionState.values)),
            models.CheckConstraint(name="session_format_is_known", condition=Q(format__in=["", *Format.values])),
            models.CheckConstraint(name="session_visibility_is_known", condition=Q(visibility__in=Visibility.values)),
            models.CheckConstraint(
                name="session_registration_mode_is_known",
                condition=Q(registration_mode__in=RegistrationMode.values),
            ),
            models.CheckConstraint(
                name="session_times_are_a_pair",
                condition=Q(starts_at__isnull=True, ends_at__isnull=True)
                | Q(starts_at__isnull=False, ends_at__isnull=False),
            ),
            models.CheckConstraint(name="session_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="session_times_are_near", condition=Q(starts_at__gte=FIRST_INSTANT, ends_at__lte=LAST_INSTANT)
            ),
            ExclusionConstraint(
                name="session_room_is_free",
                deferrable=models.Deferrable.IMMEDIATE,
                condition=Q(state=SessionState.SCHEDULED, room__isnull=False, starts_at__isnull=False),
                expressions=[
                    ("room", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [
            models.Index(name="session_programme_order", fields=["conference", "day", "position"]),
            # Every query of the published programme asks for these; there are hardly ever any.
            models.Index(name="session_taken_down", fields=["id"], condition=Q(taken_down_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.title} (#{self.pk})"

    def get_absolute_url(self) -> str:
        """The public page in the active language. Needs the conference loaded."""
        name = "events:side-event" if self.is_side_event else "events:session"
        return reverse(name, args=[self.conference.slug, self.slug])

    @property
    def is_side_event(self) -> bool:
        """Whether another body convenes it on the margins of the conference."""
        return self.kind == SessionKind.SIDE_EVENT

    @property
    def kind_and_number(self) -> str:
        """Kind and number as printed: "Panel 2"; the kind alone where there is no number."""
        kind = str(self.get_kind_display())
        # Translators: kind and number of a session, such as "Panel 2"
        return gettext("%(kind)s %(number)d") % {"kind": kind, "number": self.number} if self.number else kind

    @property
    def has_external_registration(self) -> bool:
        """Whether people sign up outside our house."""
        return self.registration_mode.startswith("external_")

    @property
    def registration_host(self) -> str:
        """The site that registration elsewhere leads to, as its address names it; empty where it names none."""
        try:
            return urlsplit(self.registration_url).hostname or ""
        except ValueError:
            return ""

    def is_over(self, now: datetime) -> bool:
        """Whether the session has ended; one without a time has not."""
        return self.ends_at is not None and self.ends_at <= now


class SideEventManager(models.Manager["SideEvent"]):
    """Sessions that are side events."""

    def get_queryset(self) -> models.QuerySet[SideEvent]:
        """Only side events."""
        return super().get_queryset().filter(kind=SessionKind.SIDE_EVENT)


class SideEvent(Session):
    """A session that other bodies convene on the margins of a conference. It stands in the same day list."""

    objects: ClassVar[SideEventManager] = SideEventManager()  # type: ignore[assignment]

    class Meta:
        proxy = True
        verbose_name = _("side event")
        verbose_name_plural = _("side events")


class SegmentKind(models.TextChoices):
    """Kinds of printed blocks inside a session."""

    WELCOMING_REMARKS = "welcoming_remarks", _("Welcoming remarks")
    OPENING_REMARKS = "opening_remarks", _("Opening remarks")
    KEYNOTE_ADDRESSES = "keynote_addresses", _("Keynote addresses")
    PRESENTATION = "presentation", _("Presentation")
    PANEL = "panel", _("Panel")
    TESTIMONY = "testimony", _("Testimony")
    VIDEO_MESSAGE = "video_message", _("Video message")
    DISCUSSION = "discussion", _("Discussion")
    QUESTIONS = "questions", _("Questions and answers")
    CLOSING_REMARKS = "closing_remarks", _("Closing remarks")
    BREAK = "break", _("Break")
    OTHER = "other", _("Other")


class SegmentVisibility(models.TextChoices):
    """When a segment or contribution may be shown: some testimonies are never announced."""

    BEFORE = "before", _("Before and after")
    AFTER = "after", _("Only after the session")
    NEVER = "never", _("Never")


def session_end(path: str = "") -> Case:
    """When a session is over, for queries: at its end; without a time when its day ends; without a day, the conference.

    path: the way to the session, such as "session__". NULL when none of the three is known, and for a cancelled
    session: it never took place, so what was kept for after it stays where it is.
    """
    zone = F(f"{path}conference__time_zone")
    end = Coalesce(
        F(f"{path}ends_at"),
        NextMidnight(F(f"{path}day__date"), zone),
        NextMidnight(F(f"{path}conference__ends_on"), zone),
    )
    return Case(When(~Q(**{f"{path}state": SessionState.CANCELLED}), then=end))


class SegmentQuerySet(models.QuerySet["Segment"]):
    """Blocks of sessions."""

    def visible_at(self, now: datetime) -> Self:
        """What may be shown at the instant: never those marked "never", the "after" ones once the session is over."""
        return self.alias(session_is_over_at=session_end("session__")).filter(
            Q(visibility=SegmentVisibility.BEFORE) | Q(visibility=SegmentVisibility.AFTER, session_is_over_at__lte=now)
        )


class Segment(models.Model):
    """An ordered block of a session with a printed heading. It may have no speakers."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="segments", verbose_name=_("session"))
    key = models.SlugField(_("key"), max_length=60)
    kind = models.CharField(_("kind"), max_length=20, choices=SegmentKind, default=SegmentKind.OTHER)
    heading = TranslatedField(_("printed heading"))
    position = models.PositiveSmallIntegerField(_("position"))
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    visibility = models.CharField(
        _("visible"), max_length=8, choices=SegmentVisibility, default=SegmentVisibility.BEFORE
    )

    objects: ClassVar[SegmentQuerySet] = SegmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints = [
            models.UniqueConstraint(name="segment_key_unique_in_session", fields=["session", "key"]),
            models.UniqueConstraint(
                name="segment_position_unique_in_session",
                fields=["session", "position"],
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(name="segment_kind_is_known", condition=Q(kind__in=SegmentKind.values)),
            models.CheckConstraint(
                name="segment_visibility_is_known", condition=Q(visibility__in=SegmentVisibility.values)
            ),
            models.CheckConstraint(
                name="segment_times_are_a_pair",
                condition=Q(starts_at__isnull=True, ends_at__isnull=True)
                | Q(starts_at__isnull=False, ends_at__isnull=False),
            ),
            models.CheckConstraint(name="segment_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="segment_times_are_near", condition=Q(starts_at__gte=FIRST_INSTANT, ends_at__lte=LAST_INSTANT)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.heading or self.key} (#{self.pk})"


class ConvenorRelation(models.TextChoices):
    """How a body stands to a session."""

    CONVENOR = "convenor", _("Convenor")
    CO_ORGANISER = "co_organiser", _("Co-organiser")
    COLLABORATOR = "collaborator", _("In collaboration with")
    IN_COORDINATION = "in_coordination", _("In co-ordination with")
    SPONSOR = "sponsor", _("Sponsor")
    HOST = "host", _("Host")
    SUPPORTER = "supporter", _("Supporter")


class Convenorship(models.Model):
    """An organisation's relation to a session, in printed order."""

    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="convenorships", verbose_name=_("session")
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="convenorships", verbose_name=_("organisation")
    )
    with_unit = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("with its unit"),
    )
    relation = models.CharField(
        _("relation"), max_length=20, choices=ConvenorRelation, default=ConvenorRelation.CONVENOR
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    source = models.CharField(_("source"), max_length=120, blank=True)
    internal_note = models.CharField(_("internal note"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("convenor")
        verbose_name_plural = _("convenors")
        constraints = [
            models.UniqueConstraint(name="convenorship_stands_once", fields=["session", "organisation", "relation"]),
            models.CheckConstraint(
                name="convenorship_relation_is_known", condition=Q(relation__in=ConvenorRelation.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.relation} (#{self.pk})"
