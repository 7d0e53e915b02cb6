"""Figures from reports and imports: a number means nothing without measure, qualifier and source."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alliance.db import PublicIdField
from alliance.translated import TranslatedField
from events.models import Conference, Country, Session


class Measure(models.TextChoices):
    """What is counted; registered, confirmed, attended and completed are four measures (docs/design.md section 4.8)."""

    REGISTERED = "registered", _("Registered participants")
    CONFIRMED = "confirmed", _("Confirmed participants")
    ATTENDED = "attended", _("Participants who attended")
    COMPLETED = "completed", _("Participants who completed")
    COUNTRIES = "countries", _("Countries")
    SPEAKER_COUNTRIES = "speaker_countries", _("Countries of speakers")
    POSTS = "posts", _("Posts")
    IMPRESSIONS = "impressions", _("Impressions")
    REACH = "reach", _("Reach")
    ENGAGEMENTS = "engagements", _("Engagements")
    VIDEO_VIEWS = "video_views", _("Video views")
    QUOTED_POSTS = "quoted_posts", _("Quoted posts")


class Qualifier(models.TextChoices):
    """How exact a figure is; independent of how precise it looks."""

    EXACT = "exact", _("exactly")
    ABOUT = "about", pgettext_lazy("before a number", "about")
    MORE_THAN = "more_than", _("more than")
    OVER = "over", _("over")
    AT_LEAST = "at_least", _("at least")
    NEARLY = "nearly", _("nearly")


class ImportKind(models.TextChoices):
    """The list of another platform that figures were counted from; of the list itself nothing is kept."""

    ZOOM_REGISTRATION = "zoom_registration", _("Zoom registration report")
    ZOOM_ATTENDEES = "zoom_attendees", _("Zoom attendee report")
    GOOGLE_FORM = "google_form", _("Google form")
    OTHER = "other", _("Other list")


class Figure(models.Model):
    """A number with its measure, group, qualifier and source."""

    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="figures", verbose_name=_("conference")
    )
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="figures", null=True, blank=True, verbose_name=_("session")
    )
    measure = models.CharField(_("measure"), max_length=20, choices=Measure)
    group = models.CharField(_("group"), max_length=120, blank=True, help_text=_("Empty: all."))
    value = models.BigIntegerField(_("value"))
    qualifier = models.CharField(_("qualifier"), max_length=12, choices=Qualifier, default=Qualifier.EXACT)
    printed_as = TranslatedField(_("as printed"))
    source = models.CharField(_("source"), max_length=120, blank=True)
    is_record_for_series = models.BooleanField(
        _("record of the series"), default=False, help_text=_("The highest so far, as the source says.")
    )
    is_derived = models.BooleanField(_("our own arithmetic"), default=False)
    internal_note = models.CharField(
        _("internal note"), max_length=250, blank=True, help_text=_("Never shown outside the admin.")
    )
    imported_as = models.CharField(
        _("counted from"), max_length=20, choices=ImportKind, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        constraints = [
            models.UniqueConstraint(
                name="figure_stands_once",
                fields=["conference", "session", "measure", "group", "source"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="figure_measure_is_known", condition=Q(measure__in=Measure.values)),
            models.CheckConstraint(name="figure_qualifier_is_known", condition=Q(qualifier__in=Qualifier.values)),
            models.CheckConstraint(name="figure_is_not_negative", condition=Q(value__gte=0)),
            models.CheckConstraint(
                name="figure_import_is_known", condition=Q(imported_as__in=["", *ImportKind.values])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.qualifier} {self.value} (#{self.pk})"


class LiveMeasure(models.TextChoices):
    """What is counted from registrations and check-ins (registration.figures.counting); never added to one another."""

    REGISTERED = "registered", _("Registered")
    CONFIRMED = "confirmed", _("Confirmed")
    WAITING = "waiting", _("Waiting")
    ATTENDED = "attended", _("Attended")


class Breakdown(models.TextChoices):
    """By what people are counted."""

    TOTAL = "total", _("All")
    REPORT_CATEGORY = "report_category", _("Report category")
    CATEGORY = "category", _("Category")
    STANDING = "standing", _("Standing of the State")
    COUNTRIES = "countries", _("Number of countries")
    COUNTRY = "country", _("Country")
    LANGUAGE = "language", _("Language")
    MODE = "mode", _("Way of attending")
    DAY = "day", _("Day")
    SESSION = "session", _("Session")


# Nothing about fewer people than these is published: in a small group everybody knows who they are.
LEAST_PEOPLE = 5


class PublicFigure(models.Model):
    """A number that an organiser released: as it stood at that instant, after small groups were taken out.

    There are no rows until figures are released, and none again when they are withdrawn. Only what everybody may know
    is here (registration.figures.release); the database refuses numbers of people below five.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="public_figures", verbose_name=_("conference")
    )
    measure = models.CharField(_("measure"), max_length=12, choices=LiveMeasure)
    breakdown = models.CharField(_("broken down by"), max_length=16, choices=Breakdown)
    group = models.CharField(_("group"), max_length=40, blank=True, help_text=_("Empty: all."))
    country = models.ForeignKey(
        Country, on_delete=models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("country")
    )
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("session")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    value = models.PositiveIntegerField(_("value"))
    counted_at = models.DateTimeField(_("counted at"))

    class Meta:
        verbose_name = _("released figure")
        verbose_name_plural = _("released figures")
        constraints = [
            models.UniqueConstraint(name="public_figure_stands_once", fields=["conference", "position"]),
            models.CheckConstraint(name="public_figure_measure_is_known", condition=Q(measure__in=LiveMeasure.values)),
            models.CheckConstraint(
                name="public_figure_breakdown_is_known", condition=Q(breakdown__in=Breakdown.values)
            ),
            models.CheckConstraint(
                name="public_figure_is_of_five_or_more",
                condition=Q(value__gte=LEAST_PEOPLE) | Q(breakdown=Breakdown.COUNTRIES),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.breakdown} {self.value} (#{self.pk})"
