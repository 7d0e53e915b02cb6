"""Texts and papers of a conference and its sessions: sections, recommendations, references, materials."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from alliance.db import NextMidnight, PublicIdField
from alliance.translated import TranslatedField
from events.models.conference import Conference, ConferenceState
from events.models.session import SegmentVisibility, Session, SessionState, session_end

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class SectionKind(models.TextChoices):
    """Kinds of text blocks in the description of a side event."""

    DESCRIPTION = "description", _("Description")
    BACKGROUND = "background", _("Background")
    OBJECTIVES = "objectives", _("Objectives")
    OUTCOMES = "outcomes", _("Expected outcomes")
    QUESTIONS = "questions", _("Guiding questions")
    FORMAT = "format", _("Format and audience")
    PARTICIPATION = "participation", _("Registration and participation")
    OTHER = "other", _("Other")


class TextSection(models.Model):
    """A titled text of a session, in order."""

    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="text_sections", verbose_name=_("session")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=SectionKind, default=SectionKind.DESCRIPTION)
    heading = TranslatedField(_("heading"))
    text = TranslatedField(_("text"))
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.CheckConstraint(name="text_section_kind_is_known", condition=Q(kind__in=SectionKind.values)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"


class TakeawayKind(models.TextChoices):
    """What a numbered item of a session's result is."""

    CHALLENGE = "challenge", _("Challenge")
    PRACTICE = "practice", _("Practice")
    OBSERVATION = "observation", _("Observation")
    RECOMMENDATION = "recommendation", _("Recommendation")


class Topic(models.Model):
    """A subject that results are tagged with, over all conferences. The key stands in files, addresses and the API."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    name = TranslatedField(_("name"), blank=False)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")

    def __str__(self) -> str:
        return f"{self.name} (#{self.pk})"


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    """Results of sessions."""

    def public(self, now: datetime) -> Self:
        """What strangers may see: results of public sessions that took place and are over at the instant.

        A session whose end nobody knows is over once its conference is closed or in the archive.
        """
        closed = [ConferenceState.CLOSED, ConferenceState.ARCHIVED]
        return (
            self.filter(session__in=Session.objects.public().exclude(state=SessionState.CANCELLED))
            .exclude(session__conference__state=ConferenceState.CANCELLED)
            .alias(session_is_over_at=session_end("session__"))
            .filter(
                Q(session_is_over_at__lte=now)
                | Q(session_is_over_at__isnull=True, session__conference__state__in=closed)
            )
        )

    def with_places(self) -> Self:
        """Where each stands in its session, as numbers that sort: place_kind, place_first, place_second, place_third.

        Challenges, practices, observations, recommendations, each by number; items below items by number alone.
        """
        top = {name: Coalesce(f"parent__parent__{name}", f"parent__{name}", name) for name in ("kind", "number")}
        rank = Case(
            *[When(top_kind=kind, then=Value(place)) for place, kind in enumerate(TakeawayKind.values)],
            output_field=models.SmallIntegerField(),
        )
        below = Q(parent__isnull=False)
        lowest = Q(parent__parent__isnull=False)
        return self.alias(top_kind=top["kind"]).annotate(
            place_kind=rank,
            place_first=top["number"],
            place_second=Case(When(lowest, then=F("parent__number")), When(below, then=F("number")), default=Value(0)),
            place_third=Case(When(lowest, then=F("number")), default=Value(0)),
        )

    def in_printed_order(self) -> Self:
        """Session by session, each item before those below it."""
        return self.with_places().order_by("session", *PLACES, "pk")


PLACES = ("place_kind", "place_first", "place_second", "place_third")


class Recommendation(models.Model):
    """A numbered result of a session, or an item below one. Drafted by the organiser, attributed to no person.

    The database keeps an item in the session of the one above it, and lets none stand below itself or deeper than
    three levels (migration events.0005).
    """

    public_id = PublicIdField()
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="recommendations", verbose_name=_("session")
    )
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, related_name="items", null=True, blank=True, verbose_name=_("below")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=TakeawayKind, default=TakeawayKind.RECOMMENDATION)
    number = models.PositiveSmallIntegerField(
        _("number"), help_text=_("As printed; below another item, its place there.")
    )
    text = TranslatedField(_("text"), blank=False)
    addressee = TranslatedField(_("addressee"), help_text=_("Whom it is for, such as “participating States”."))
    topics = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("topics"),
        help_text=_("Keys of topics."),
    )  # fmt: skip

    objects: ClassVar[RecommendationQuerySet] = RecommendationQuerySet.as_manager()  # type: ignore[assignment]

    if TYPE_CHECKING:
        items: RelatedManager[Recommendation]

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        constraints = [
            # Exclusion, because a unique index with a condition cannot be deferred: an import or a restored release may
            # swap two numbers; only the end result has to be right.
            ExclusionConstraint(
                name="recommendation_number_is_unique",
                deferrable=models.Deferrable.IMMEDIATE,
                condition=Q(parent__isnull=True),
                expressions=[(name, RangeOperators.EQUAL) for name in ("session", "kind", "number")],
            ),
            ExclusionConstraint(
                name="recommendation_number_is_unique_below",
                deferrable=models.Deferrable.IMMEDIATE,
                condition=Q(parent__isnull=False),
                expressions=[(name, RangeOperators.EQUAL) for name in ("parent", "number")],
            ),
            models.CheckConstraint(name="recommendation_kind_is_known", condition=Q(kind__in=TakeawayKind.values)),
        ]

    def __str__(self) -> str:
        return f"{self.number} (#{self.pk})"


class Reference(models.Model):
    """A source cited in a document about the conference. The printed number is kept; output numbers are generated."""

    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="references", verbose_name=_("conference")
    )
    session = models.ForeignKey(
        Session, on_delete=models.SET_NULL, related_name="references", null=True, blank=True, verbose_name=_("session")
    )
    number_printed = models.CharField(_("number as printed"), max_length=12)
    document = models.CharField(_("document"), max_length=40)
    citation = models.TextField(_("citation"), blank=True)
    url = models.URLField(_("address"), max_length=500, blank=True)
    second_url = models.URLField(_("second address"), max_length=500, blank=True)
    accessed_on = models.DateField(_("accessed on"), null=True, blank=True)
    internal_note = models.TextField(_("internal note"), blank=True, help_text=_("Never shown outside the admin."))

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        constraints = [
            models.UniqueConstraint(
                name="reference_number_unique_in_document", fields=["conference", "document", "number_printed"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number_printed} (#{self.pk})"


class MaterialKind(models.TextChoices):
    """Kinds of papers and links."""

    VIDEO = "video", _("Video")
    PRESENTATION = "presentation", _("Presentation")
    STATEMENT = "statement", _("Statement")
    RECORDING = "recording", _("Recording")
    PUBLICATION = "publication", _("Publication")
    EVENT_PAGE = "event_page", _("Event page")
    DOCUMENT = "document", _("Document")


class MaterialQuerySet(models.QuerySet["Material"]):
    """Papers, videos and links."""

    def visible_at(self, now: datetime) -> Self:
        """What may be shown at the instant, "after" once its session, else its conference, is over.

        Never those marked "never", and none before the day it is published on, by the clock of the venue. Whether the
        session or conference may be seen at all is for the caller to say.
        """
        conference_end = NextMidnight(F("conference__ends_on"), F("conference__time_zone"))
        over_at = Case(
            When(session__isnull=False, then=session_end("session__")),
            When(~Q(conference__state=ConferenceState.CANCELLED), then=conference_end),
        )
        today = Func(
            Value(now, output_field=models.DateTimeField()),
            F("conference__time_zone"),
            template="((%(expressions)s)::date)",
            arg_joiner=" AT TIME ZONE ",
            output_field=models.DateField(),
        )
        return self.alias(over_at=over_at, venue_today=today).filter(
            Q(visibility=SegmentVisibility.BEFORE) | Q(visibility=SegmentVisibility.AFTER, over_at__lte=now),
            Q(published_on__isnull=True) | Q(published_on__lte=F("venue_today")),
        )


class Material(models.Model):
    """A paper, video or link that belongs to a conference or to one of its sessions."""

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="materials", verbose_name=_("conference")
    )
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="materials", null=True, blank=True, verbose_name=_("session")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=MaterialKind)
    title = TranslatedField(_("title"))
    url = models.URLField(_("address"), max_length=500)
    language = models.CharField(_("language"), max_length=8, blank=True)
    publisher = models.CharField(_("publisher"), max_length=120, blank=True)
    place = models.CharField(_("place"), max_length=80, blank=True)
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    visibility = models.CharField(
        _("visible"), max_length=8, choices=SegmentVisibility, default=SegmentVisibility.AFTER
    )
    published_on = models.DateField(_("published on"), null=True, blank=True, help_text=_("Not shown before this day."))
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    objects: ClassVar[MaterialQuerySet] = MaterialQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        constraints = [
            models.UniqueConstraint(
                name="material_address_stands_once", fields=["conference", "session", "url"], nulls_distinct=False
            ),
            models.CheckConstraint(name="material_kind_is_known", condition=Q(kind__in=MaterialKind.values)),
            models.CheckConstraint(
                name="material_visibility_is_known", condition=Q(visibility__in=SegmentVisibility.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"
