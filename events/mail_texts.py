"""The organisers' own wording of letters: read when a letter leaves, written on the page "Mails" of a conference."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import actors
from accounts.actors import Actor
from alliance.exceptions import DomainError
from events import cloning
from events.cloning import Copying, Part
from events.models import Conference, MailSettings, MailText
from outbox import catalogue
from outbox import wording as rules


class ChangedMeanwhile(DomainError):
    """Somebody else saved the same text since it was opened."""

    code = "mail_text_changed_meanwhile"
    message: str | Promise = _("Somebody else has changed this text since you opened it. Nothing was saved.")


class TextRefused(DomainError):
    """The wording breaks a rule. problems: all of them, with their lines."""

    code = "mail_text_refused"
    message: str | Promise = _("The text was not saved.")

    def __init__(self, problems: list[rules.Problem]) -> None:
        self.problems = problems
        super().__init__()


def wording(conference_id: int, letter: str, language: str) -> tuple[str, str] | None:
    """Subject and body as organisers wrote them; None when the default stands. One query."""
    return (
        MailText.objects.filter(conference_id=conference_id, letter=letter, language=language)
        .values_list("subject", "body")
        .first()
    )


def settings_of(conference: Conference) -> MailSettings:
    """Which letters leave by the clock; as saved, else the usual ones."""
    return MailSettings.objects.filter(conference=conference).first() or MailSettings(conference=conference)


@transaction.atomic
def save(
    *,
    conference_id: int,
    letter: str,
    language: str,
    subject: str,
    body: str,
    version: int,
    by: Actor,
    now: datetime,
) -> MailText:
    """Word a letter of a conference in a language. Letters on their way leave in the new wording.

    version: of the text that was opened; 0 when it was the default. Raises TextRefused and ChangedMeanwhile, and
    KeyError for an unknown letter. The audit row names letter and language, never the words.
    """
    kind = catalogue.get(letter)
    subject, body = " ".join(subject.split(" ")).strip(), body.replace("\r\n", "\n").strip()
    if found := rules.problems(kind, subject, body):
        raise TextRefused(found)
    if language not in dict(settings.LANGUAGES):
        raise KeyError(language)
    texts = MailText.objects.select_for_update(no_key=True).filter(
        conference_id=conference_id, letter=letter, language=language
    )
    text = texts.first()
    if (text.version if text else 0) != version:
        raise ChangedMeanwhile
    if text is None:
        text = MailText(conference_id=conference_id, letter=letter, language=language, version=0)
    text.subject, text.body, text.changed_at = subject, body, now
    text.version += 1
    try:
        with transaction.atomic():
            text.save()
    except IntegrityError as error:  # two at once, from the default
        raise ChangedMeanwhile from error
    _record("mail_text.changed", conference_id, letter, language, by=by, now=now)
    return text


@transaction.atomic
def reset(*, conference_id: int, letter: str, language: str, version: int, by: Actor, now: datetime) -> None:
    """Go back to the default text. Raises ChangedMeanwhile."""
    deleted, _by_model = MailText.objects.filter(
        conference_id=conference_id, letter=letter, language=language, version=version
    ).delete()
    if not deleted:
        raise ChangedMeanwhile
    _record("mail_text.reset", conference_id, letter, language, by=by, now=now)


@transaction.atomic
def change_settings(
    *, conference: Conference, day_before: bool, hour_before: bool, digests: bool, by: Actor, now: datetime
) -> None:
    """Say which letters leave by the clock."""
    MailSettings.objects.update_or_create(
        conference=conference,
        defaults={
            "reminds_a_day_before": day_before, "reminds_an_hour_before": hour_before, "sends_digests": digests,
        },
    )  # fmt: skip
    actors.audit_entry(
        at=now,
        by=by,
        action="mail_settings.changed",
        about_kind="conference",
        about_id=conference.public_id,
        details={"day_before": day_before, "hour_before": hour_before, "digests": digests},
    ).save()


def count(conference: Conference) -> int:
    """How many letters of the conference have words of their own."""
    return MailText.objects.filter(conference=conference).count()


def copy(copying: Copying) -> None:
    """The next edition begins with the same words, and with the same letters by the clock."""
    MailText.objects.bulk_create(
        cloning.copy_of(text, conference=copying.target, version=1)
        for text in MailText.objects.filter(conference=copying.source).order_by("pk")
    )
    for found in MailSettings.objects.filter(conference=copying.source):
        found.conference = copying.target
        found.save(force_insert=True)


def register_part() -> None:
    """Make known what comes along when an edition is copied. Called in AppConfig.ready()."""
    cloning.register("mails", Part(_("Letters in your own words"), 62, count, copy))


def _record(action: str, conference_id: int, letter: str, language: str, *, by: Actor, now: datetime) -> None:
    public_id = Conference.objects.values_list("public_id", flat=True).get(pk=conference_id)
    actors.audit_entry(
        at=now,
        by=by,
        action=action,
        about_kind="conference",
        about_id=public_id,
        details={"letter": letter, "language": language},
    ).save()
