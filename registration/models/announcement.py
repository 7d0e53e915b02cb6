"""Messages that organisers write to a selection of people; they leave through the outbox, one to each person."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.translated import TranslatedField
from events.models import Conference, Release, Session
from registration.models.participant import Participant
from registration.models.registration import Registration


class AnnouncementState(models.TextChoices):
    """Where an announcement stands."""

    DRAFT = "draft", _("Draft")
    WAITING = "waiting", _("Waiting for a second organiser")
    RELEASED = "released", _("On its way or sent")
    RECALLED = "recalled", _("Recalled")


class AnnouncementKind(models.TextChoices):
    """What is sent."""

    WRITTEN = "written", _("Written by an organiser")
    PROGRAMME = "programme", _("What a release changed")
    THANKS = "thanks", _("Thanks, with recordings and papers")


class Announcement(models.Model):
    """A message to the people behind chosen registrations; or a letter of the house to more than one may send alone.

    What is sent is rendered when it leaves, for each person in their language, or in English where that is missing.
    The words are no personal data, but they are shown only to those who write messages: they may say what not
    everybody should know yet. Large ones need a second organiser (setting ANNOUNCEMENT_RELEASE_ABOVE).

    release, session: what a letter of the house is about. Such a row exists only where a second organiser is needed;
    who gets it is found when it is released.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="announcements", verbose_name=_("conference")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=AnnouncementKind, default=AnnouncementKind.WRITTEN)
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    registrations = models.ManyToManyField(
        Registration, related_name="announcements", verbose_name=_("chosen registrations")
    )
    subject = TranslatedField(_("subject"))
    text = TranslatedField(_("text"))
    to_ended = models.BooleanField(_("also to people who have cancelled or were not admitted"), default=False)
    state = models.CharField(_("state"), max_length=12, choices=AnnouncementState, default=AnnouncementState.DRAFT)
    needs_second = models.BooleanField(_("needs a second organiser"), default=False)
    recipients = models.PositiveIntegerField(_("recipients"), default=0)
    created_at = models.DateTimeField(_("written at"))
    asked_at = models.DateTimeField(_("sent off at"), null=True, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("sent off by"),
    )  # fmt: skip
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("released by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(name="announcement_state_is_known", condition=Q(state__in=AnnouncementState.values)),
            models.CheckConstraint(
                name="announcement_released_by_a_second",
                condition=Q(needs_second=False) | Q(released_by__isnull=True) | ~Q(released_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="announcement_leaves_with_text",
                condition=Q(state="draft") | ~Q(kind="written") | ~Q(subject={}) & ~Q(text={}),
            ),
            models.CheckConstraint(
                name="announcement_is_about_what_its_kind_says",
                condition=Q(kind="written", release__isnull=True, session__isnull=True)
                | Q(kind="programme", release__isnull=False, session__isnull=True)
                | Q(kind="thanks", release__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} (#{self.pk})"


class DifferentPeople(models.Model):
    """Two participants that look alike and are not the same person, as an organiser said. first has the lower key."""

    first = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("not the same person")
        verbose_name_plural = _("not the same person")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(name="different_people_said_once", fields=["first", "second"]),
            models.CheckConstraint(name="different_people_in_order", condition=Q(first__lt=F("second"))),
        ]

    def __str__(self) -> str:
        return f"#{self.first_id} is not #{self.second_id}"
