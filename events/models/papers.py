"""Texts and papers of a conference and its sessions: sections, recommendations, references, materials."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.translated import TranslatedField
from events.models.conference import Conference
from events.models.session import SegmentVisibility, Session


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


class Recommendation(models.Model):
    """A numbered result of a session. Drafted by the organiser, attributed to no person."""

    public_id = PublicIdField()
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="recommendations", verbose_name=_("session")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=TakeawayKind, default=TakeawayKind.RECOMMENDATION)
    number = models.PositiveSmallIntegerField(_("number"))
    text = TranslatedField(_("text"), blank=False)
    addressee = TranslatedField(_("addressee"))

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        constraints = [
            models.UniqueConstraint(name="recommendation_number_is_unique", fields=["session", "kind", "number"]),
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
    published_on = models.DateField(_("published on"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=1)

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
