"""Conferences of every kind, their series and their days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.languages import Translations
from alliance.time import validate_zone
from alliance.translated import TranslatedField
from events.models.bodies import Organisation, Venue


class ConferenceKind(models.TextChoices):
    """Kinds of meetings."""

    CONFERENCE = "conference", _("Conference")
    WORKSHOP = "workshop", _("Workshop")
    TRAINING = "training", _("Training")
    SEMINAR = "seminar", _("Seminar")
    ROUNDTABLE = "roundtable", _("Round table")
    EXPERT_MEETING = "expert_meeting", _("Expert meeting")
    CONSULTATION = "consultation", _("Consultation")
    COORDINATION = "coordination", _("Co-ordination meeting")
    LAUNCH = "launch", _("Launch")
    BRIEFING = "briefing", _("Briefing")
    ONLINE_COURSE = "online_course", _("On-line course")
    SUMMER_SCHOOL = "summer_school", _("Summer school")
    VISIT = "visit", _("Visit")
    CAMPAIGN = "campaign", _("Campaign")
    EXHIBITION = "exhibition", _("Exhibition or screening")
    OTHER = "other", _("Other")


class Format(models.TextChoices):
    """How people take part."""

    IN_PERSON = "in_person", _("In person")
    ONLINE = "online", _("On-line")
    HYBRID = "hybrid", _("In person and on-line")


class ConferenceState(models.TextChoices):
    """Where a conference stands in its life."""

    DRAFT = "draft", _("Draft")
    ANNOUNCED = "announced", _("Announced")
    PROVISIONAL = "provisional", _("Provisional programme")
    PUBLISHED = "published", _("Programme published")
    RUNNING = "running", _("Running")
    CLOSED = "closed", _("Closed")
    ARCHIVED = "archived", _("Archived")
    CANCELLED = "cancelled", _("Cancelled")


class Visibility(models.TextChoices):
    """Who may know of it."""

    PUBLIC = "public", _("Everybody")
    REGISTERED = "registered", _("Registered people")
    INVITATION = "invitation", _("Invited people")
    INTERNAL = "internal", _("Organisers only")


class DatePrecision(models.TextChoices):
    """How exactly a date is known; the archive invents no days."""

    DAY = "day", _("To the day")
    MONTH = "month", _("To the month")
    SEASON = "season", _("To the season")
    YEAR = "year", _("To the year")


# The years that meetings are in. Outside of them a year was mistyped ("0203"); near the ends of the calendar a clock of
# another zone, or the day after, is none that Python or PostgreSQL know, and whoever reads the row gets an error.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
FIRST_INSTANT, LAST_INSTANT = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def is_near(day: date) -> bool:
    """Whether a meeting can be on the day."""
    return FIRST_DAY <= day <= LAST_DAY


class Series(models.Model):
    """A row of numbered meetings, such as the Alliance against Trafficking in Persons."""

    name = TranslatedField(_("name"), blank=False)
    key = models.SlugField(_("key"), max_length=100, unique=True)

    class Meta:
        verbose_name = _("series")
        verbose_name_plural = _("series")

    def __str__(self) -> str:
        return f"{self.name} (#{self.pk})"


class ConferenceQuerySet(models.QuerySet["Conference"]):
    """Conferences."""

    def public(self) -> Self:
        """What strangers may see: announced or later, and not by invitation or internal."""
        return self.exclude(state=ConferenceState.DRAFT).filter(visibility=Visibility.PUBLIC)

    def newest_first(self) -> Self:
        """Latest start first, unknown dates last."""
        return self.order_by(F("starts_on").desc(nulls_last=True), "-pk")


class Conference(models.Model):
    """A meeting with dates of its own: an edition of a series, a workshop, a training, a launch."""

    public_id = PublicIdField()
    series = models.ForeignKey(
        Series, on_delete=models.PROTECT, related_name="conferences", null=True, blank=True, verbose_name=_("series")
    )
    edition = models.PositiveSmallIntegerField(_("edition"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=16, choices=ConferenceKind, default=ConferenceKind.CONFERENCE)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    title = TranslatedField(_("title"), blank=False)
    title_aliases = ArrayField(
        models.CharField(max_length=250), default=list, blank=True, verbose_name=_("other titles")
    )
    level = TranslatedField(_("level"), help_text=_("Such as “High-Level”."))
    theme = TranslatedField(_("theme"))
    theme_subtitle = TranslatedField(_("subtitle of the theme"))
    goal = TranslatedField(_("goal"))
    description = TranslatedField(_("description"))
    anniversaries = models.JSONField(_("anniversaries"), default=list, blank=True)

    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    date_precision = models.CharField(
        _("date precision"), max_length=8, choices=DatePrecision, default=DatePrecision.DAY
    )
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Vienna", validators=[validate_zone])
    venue = models.ForeignKey(
        Venue, on_delete=models.PROTECT, related_name="conferences", null=True, blank=True, verbose_name=_("venue")
    )
    format = models.CharField(_("format"), max_length=12, choices=Format, default=Format.HYBRID)
    platform_label = models.CharField(_("platform as announced"), max_length=80, blank=True)
    livestream_url = models.URLField(_("livestream"), blank=True, help_text=_("Public; never a join link."))
    is_livestreamed = models.BooleanField(_("livestreamed"), default=False)

    organiser = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="organised_conferences",
        null=True,
        blank=True,
        verbose_name=_("organiser"),
    )
    chairmanship = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="chaired_conferences",
        null=True,
        blank=True,
        verbose_name=_("Chairmanship"),
    )
    working_languages = ArrayField(
        models.CharField(max_length=40), null=True, blank=True, verbose_name=_("working languages")
    )
    interpretation_languages = ArrayField(
        models.CharField(max_length=40), null=True, blank=True, verbose_name=_("interpretation languages")
    )
    hashtag = models.CharField(_("hashtag"), max_length=60, blank=True)
    social_account = models.CharField(_("social media account"), max_length=60, blank=True)
    event_page_url = models.URLField(_("event page elsewhere"), blank=True)
    contact_address = models.CharField(_("contact address"), max_length=250, blank=True)
    contact_phone = models.CharField(_("contact phone"), max_length=60, blank=True)
    contact_fax = models.CharField(_("contact fax"), max_length=60, blank=True)
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    contact_web = models.CharField(_("contact web site"), max_length=120, blank=True)

    state = models.CharField(_("state"), max_length=12, choices=ConferenceState, default=ConferenceState.DRAFT)
    visibility = models.CharField(_("visible to"), max_length=12, choices=Visibility, default=Visibility.PUBLIC)
    archive_text = models.JSONField(
        _("as printed"), default=dict, blank=True, help_text=_("Wording of the source, kept for the record only.")
    )
    results_disclaimer = TranslatedField(
        _("note below results"),
        help_text=_("Printed wherever results of this conference are. Empty: the usual sentence."),
    )
    neutral_title = TranslatedField(
        _("neutral title"),
        help_text=_("What browser tabs and histories say instead of the title. Empty: the title."),
    )
    report = models.JSONField(_("report"), default=dict, blank=True)
    internal_note = models.TextField(_("internal note"), blank=True, help_text=_("Never shown outside the admin."))
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)
    # Kept by a trigger (migration events.0004), whatever is assigned here: what calendars know a change by.
    calendar_sequence = models.PositiveIntegerField(editable=False, db_default=0)
    calendar_changed_at = models.DateTimeField(editable=False, db_default=Now())

    objects: ClassVar[ConferenceQuerySet] = ConferenceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("conference")
        verbose_name_plural = _("conferences")
        constraints = [
            models.UniqueConstraint(name="conference_edition_unique_in_series", fields=["series", "edition"]),
            models.CheckConstraint(
                name="conference_edition_needs_series", condition=Q(edition__isnull=True) | Q(series__isnull=False)
            ),
            models.CheckConstraint(name="conference_edition_is_positive", condition=Q(edition__gte=1)),
            models.CheckConstraint(name="conference_kind_is_known", condition=Q(kind__in=ConferenceKind.values)),
            models.CheckConstraint(name="conference_format_is_known", condition=Q(format__in=Format.values)),
            models.CheckConstraint(name="conference_state_is_known", condition=Q(state__in=ConferenceState.values)),
            models.CheckConstraint(
                name="conference_visibility_is_known", condition=Q(visibility__in=Visibility.values)
            ),
            models.CheckConstraint(
                name="conference_date_precision_is_known", condition=Q(date_precision__in=DatePrecision.values)
            ),
            models.CheckConstraint(
                name="conference_dates_are_a_pair",
                condition=Q(starts_on__isnull=True, ends_on__isnull=True)
                | Q(starts_on__isnull=False, ends_on__isnull=False),
            ),
            models.CheckConstraint(
                name="conference_ends_on_or_after_it_starts", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="conference_dates_are_near", condition=Q(starts_on__gte=FIRST_DAY, ends_on__lte=LAST_DAY)
            ),
            models.CheckConstraint(name="conference_zone_is_a_place", condition=~Q(time_zone__startswith="Etc/")),
        ]

    def __str__(self) -> str:
        return f"{self.title} (#{self.pk})"

    def get_absolute_url(self) -> str:
        """The conference page in the active language."""
        return reverse("events:conference", args=[self.slug])

    @property
    def tab_title(self) -> Translations:
        """What the title of a page calls the conference: browsers show it to whoever looks over a shoulder."""
        title: Translations = self.neutral_title or self.title
        return title

    @property
    def ends_at(self) -> datetime | None:
        """The instant after the last day, by the clock of the venue; None while the dates are not known."""
        if self.ends_on is None:
            return None
        return datetime.combine(self.ends_on + timedelta(days=1), time(), self.zone)

    @property
    def zone(self) -> ZoneInfo:
        """The clock of the venue."""
        return ZoneInfo(self.time_zone)


class ConferenceDay(models.Model):
    """A numbered calendar day of a conference."""

    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="days", verbose_name=_("conference")
    )
    number = models.PositiveSmallIntegerField(_("number"))
    date = models.DateField(_("date"))
    label_printed = models.CharField(_("label as printed"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("day")
        verbose_name_plural = _("days")
        constraints = [
            # Deferrable: an import may move all days by one; only the end result has to be right.
            models.UniqueConstraint(
                name="conference_day_number_is_unique",
                fields=["conference", "number"],
                deferrable=models.Deferrable.IMMEDIATE,
            ),
            models.UniqueConstraint(
                name="conference_day_date_is_unique",
                fields=["conference", "date"],
                deferrable=models.Deferrable.IMMEDIATE,
            ),
            models.CheckConstraint(name="conference_day_is_near", condition=Q(date__gte=FIRST_DAY, date__lte=LAST_DAY)),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.date:%Y-%m-%d}"
