"""How organisers word letters of a conference, and which ones leave by the clock."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from events.models.conference import Conference


class MailText(models.Model):
    """The wording of one letter in one language at one conference. Without a row the default text is sent.

    letter: a name of the outbox's catalogue. body: Markdown with placeholders, checked when it was saved.
    """

    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="mail_texts", verbose_name=_("conference")
    )
    letter = models.CharField(_("letter"), max_length=40)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=120)
    body = models.TextField(_("text"))
    version = models.PositiveIntegerField(_("version"), default=1)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("mail text")
        verbose_name_plural = _("mail texts")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="mail_text_stands_once", fields=["conference", "letter", "language"]),
            models.CheckConstraint(
                name="mail_text_language_is_known",
                condition=Q(language__in=[code for code, _name in settings.LANGUAGES]),
            ),
            models.CheckConstraint(name="mail_text_has_words", condition=~Q(subject="") & ~Q(body="")),
        ]

    def __str__(self) -> str:
        return f"{self.letter} ({self.language}, #{self.pk})"


class MailSettings(models.Model):
    """Which letters of a conference leave by the clock. Without a row all of them do."""

    conference = models.OneToOneField(
        Conference, on_delete=models.CASCADE, primary_key=True, related_name="mail_settings",
        verbose_name=_("conference"),
    )  # fmt: skip
    reminds_a_day_before = models.BooleanField(_("remind a day before"), default=True)
    reminds_an_hour_before = models.BooleanField(_("remind an hour before"), default=True)
    sends_digests = models.BooleanField(_("daily summary to focal points"), default=True)

    class Meta:
        verbose_name = _("mail settings")
        verbose_name_plural = _("mail settings")

    def __str__(self) -> str:
        return f"mail settings (#{self.pk})"
