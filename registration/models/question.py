"""What organisers ask on the form of their conference, and what people answered.

An answer is sealed with the key of the person (registration.models.participant): without that row it is unreadable, in
every backup that lacks the row too. docs/questions.md says who reads what and for how long.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.translated import TranslatedField
from events.models import Conference, Session
from registration.models.participant import Participant

MOST_DAYS = 3650
YES, NO = "yes", "no"


class QuestionKind(models.TextChoices):
    """The shape of an answer."""

    TEXT = "text", _("One line of text")
    LINES = "lines", _("Several lines of text")
    CHOICE = "choice", _("One of several options")
    CHOICES = "choices", _("Any of several options")
    YES_NO = "yes_no", _("Yes or no")
    FILE = "file", _("A file")


WITH_OPTIONS = frozenset({QuestionKind.CHOICE, QuestionKind.CHOICES})
CONDITIONAL_ON = WITH_OPTIONS | {QuestionKind.YES_NO}  # the kinds that a condition may look at


class Readers(models.TextChoices):
    """Who may read the answers to a question."""

    ORGANISERS = "organisers", _("Everybody who sees participants")
    CONFIDENTIAL = "confidential", _("Readers of confidential answers alone")


class QuestionQuerySet(models.QuerySet["Question"]):
    """Questions."""

    def in_form_order(self) -> Self:
        """As the form asks them."""
        return self.order_by("position", "pk")


class Question(models.Model):
    """One question on the form of a conference, asked of everybody or of those who choose one session.

    show_if: another question, further up, one of whose answers makes this one be asked; show_if_answers are keys of its
    options, or "yes" and "no". retention_days counts from the end of the conference's last day.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="questions", verbose_name=_("conference")
    )
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="questions", null=True, blank=True, verbose_name=_("session"),
        help_text=_("Asked only of those who choose it. Empty: of everybody."),
    )  # fmt: skip
    kind = models.CharField(_("kind of answer"), max_length=12, choices=QuestionKind)
    label = TranslatedField(_("question"), blank=False)
    help = TranslatedField(
        _("why we ask"), blank=False, help_text=_("Shown below the question. Say what the answer is needed for.")
    )
    is_required = models.BooleanField(_("must be answered"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=10, help_text=_("Small numbers come first."))
    show_if = models.ForeignKey(
        "self", on_delete=models.RESTRICT, related_name="leads_to", null=True, blank=True,
        verbose_name=_("asked depending on"),
    )  # fmt: skip
    show_if_answers = ArrayField(
        models.CharField(max_length=12), verbose_name=_("asked for these answers"), default=list, blank=True
    )
    retention_days = models.PositiveSmallIntegerField(
        _("days the answers are kept"),
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text=_("Counted from the end of the conference; then they are deleted."),
    )
    readers = models.CharField(_("who reads the answers"), max_length=12, choices=Readers, default=Readers.ORGANISERS)
    is_asked = models.BooleanField(
        _("asked"), default=True, help_text=_("Untick to stop asking; answers given so far stay.")
    )
    answers_deleted_at = models.DateTimeField(_("answers deleted at"), null=True, blank=True, editable=False)

    objects: ClassVar[QuestionQuerySet] = QuestionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        indexes = [models.Index(name="question_form_order", fields=["conference", "position", "id"])]
        constraints = [
            models.CheckConstraint(name="question_kind_is_known", condition=Q(kind__in=QuestionKind.values)),
            models.CheckConstraint(name="question_readers_are_known", condition=Q(readers__in=Readers.values)),
            models.CheckConstraint(
                name="question_is_kept_for_a_time", condition=Q(retention_days__gte=1, retention_days__lte=MOST_DAYS)
            ),
            models.CheckConstraint(
                name="question_condition_names_answers",
                condition=Q(show_if__isnull=True, show_if_answers=[])
                | (Q(show_if__isnull=False) & ~Q(show_if_answers=[])),
            ),
            models.CheckConstraint(name="question_depends_on_another", condition=~Q(show_if=F("id"))),
        ]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"

    @property
    def name(self) -> str:
        """The name of its form field."""
        return f"question-{self.public_id.hex}"

    @property
    def is_confidential(self) -> bool:
        """Whether only the readers of confidential answers see what is answered."""
        return self.readers == Readers.CONFIDENTIAL

    def deleted_from(self, conference: Conference) -> datetime | None:
        """The instant from which answers are deleted; None while the conference has no last day.

        conference: the question's own, so that no query is needed.
        """
        return None if conference.ends_at is None else conference.ends_at + timedelta(days=self.retention_days)

    def last_day(self, conference: Conference) -> date | None:
        """The last day on which its answers are kept, by the clock of the venue."""
        until = self.deleted_from(conference)
        return None if until is None else until.astimezone(conference.zone).date() - timedelta(days=1)

    def option_labels(self) -> dict[str, str]:
        """Key and label of every option in the active language, retired ones too. Needs options loaded."""
        if self.kind == QuestionKind.YES_NO:
            return {YES: str(_("Yes")), NO: str(_("No"))}
        return {option.key: str(option.label) for option in self.options.all()}


def _new_key() -> str:
    return secrets.token_hex(4)


class QuestionOption(models.Model):
    """One option to choose. It is retired, not deleted, once somebody has answered the question."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="options", verbose_name=_("question"))
    key = models.CharField(max_length=12, default=_new_key, editable=False)
    label = TranslatedField(_("option"), blank=False)
    position = models.PositiveSmallIntegerField(_("position"), default=10)
    is_retired = models.BooleanField(
        _("retired"), default=False, help_text=_("No longer offered; answers that name it stay.")
    )

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints = [models.UniqueConstraint(name="option_key_unique_in_question", fields=["question", "key"])]

    def __str__(self) -> str:
        return f"option {self.key} (#{self.pk})"


class QuestionAnswer(models.Model):
    """What one participant answered to one question, sealed with their key. sealed_file: of kind "file" alone.

    Its view permission is the right to read confidential answers, accessibility needs among them
    (accounts.permissions.Area.CONFIDENTIAL); ordinary answers are read by whoever sees participants.
    """

    public_id = PublicIdField()
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="answers", verbose_name=_("participant")
    )
    question = models.ForeignKey(
        Question, on_delete=models.RESTRICT, related_name="answers", verbose_name=_("question")
    )
    sealed = models.BinaryField(editable=False)
    sealed_file = models.BinaryField(editable=False, default=b"")
    answered_at = models.DateTimeField(_("answered at"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(name="question_answered_once", fields=["participant", "question"]),
            models.CheckConstraint(name="answer_is_sealed", condition=~Q(sealed=b"")),
        ]

    def __str__(self) -> str:
        return f"answer (#{self.pk})"


class KeptUpload(models.Model):
    """A file that came with a form we could not take yet, so that it need not be chosen again.

    Sealed with a key made from the form's token, of which only the hash is stored: without the page that the person has
    before them nobody opens it. Deleted after an hour.
    """

    token_hash = models.BinaryField(max_length=32, editable=False)
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="+")
    sealed = models.BinaryField(editable=False)
    size = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        verbose_name = _("kept upload")
        verbose_name_plural = _("kept uploads")
        constraints = [models.UniqueConstraint(name="upload_kept_once_per_form", fields=["token_hash", "question"])]

    def __str__(self) -> str:
        return f"kept upload (#{self.pk})"
