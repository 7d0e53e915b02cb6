"""The letters to people who are invited to speak, for the catalogue and the outbox. Subjects name no topic."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

import outbox.services
from alliance import dates
from events import mail_texts
from outbox import catalogue, topics
from outbox.catalogue import Kind, LetterKind, Placeholder
from outbox.letters import Link, Part
from outbox.models import Message
from outbox.results import Mail, Superseded
from speakers.models import Contribution, ContributionStatus, SpeakerInvitation

SENT = "speaker.invitation"
REMINDER = "speaker.reminder"

_PLACEHOLDERS = (
    Placeholder("name", _("The name as it is printed: a pseudonym where somebody has one."), "Maria Rossi"),
    Placeholder("conference", _("The title of the conference."), _("Annual conference")),
    Placeholder(
        "contribution",
        _("What the person is asked for: role, session, time."),
        _("Panel presentation: Opening session, Tuesday, 10:00"),
        kind=Kind.PART,
        is_required=True,
    ),
    Placeholder(
        "page",
        _("The address of the page where the person answers."),
        "https://example.org/the-personal-link/",
        kind=Kind.LINK,
        is_required=True,
    ),
    Placeholder(
        "questions", _("Where to ask, if the conference has an address for it."), "office@example.org", kind=Kind.PART
    ),
)
LETTERS = (
    LetterKind(
        "speaker_invitation",
        _("Invitation to speak"),
        _("When an organiser sends it to somebody whose contribution is “invited”."),
        "speakers/mail/invitation.md",
        _PLACEHOLDERS,
    ),
    LetterKind(
        "speaker_reminder",
        _("Invitation to speak, again"),
        _("Once, a week later, to those who have not answered."),
        "speakers/mail/reminder.md",
        _PLACEHOLDERS,
    ),
)


def _message(topic: str, invitation: SpeakerInvitation, *, now: datetime) -> Message:
    about = invitation.contribution.public_id
    return outbox.services.message(
        topic=topic,
        about_kind="contribution",
        about_id=about,
        version=invitation.link_version,
        key=f"{topic}:{invitation.public_id}:{invitation.link_version}",
        order_key=f"speaker:{invitation.public_id}",
        now=now,
    )


def invitation(invitation: SpeakerInvitation, *, now: datetime) -> Message:
    """The mail with the personal link."""
    return _message(SENT, invitation, now=now)


def reminder(invitation: SpeakerInvitation, *, now: datetime) -> Message:
    """The one mail that asks again."""
    return _message(REMINDER, invitation, now=now)


def _when(contribution: Contribution) -> str:
    session = contribution.session
    if session.starts_at is None or session.ends_at is None:
        return ""
    zone = session.conference.zone
    start, end = timezone.localtime(session.starts_at, zone), timezone.localtime(session.ends_at, zone)
    return f"{dates.day(start.date())}, {start:%H:%M}–{end:%H:%M}"


def _letter(message: Message, letter: str) -> Mail | Superseded:
    """Read anew: the answer, the address or the person may have changed since."""
    found = (
        SpeakerInvitation.objects.current()
        .select_related("contribution__session__conference", "contribution__person")
        .filter(contribution__public_id=message.about_id, link_version=message.about_version)
        .exclude(token_hash=None)
        .first()
    )
    if found is None or not found.address or found.person.is_hidden:
        return Superseded("gone")
    contribution = found.contribution
    if contribution.session.taken_down_at is not None:
        return Superseded("taken down")  # nothing is sent that speaks of it (docs/take-down.md)
    if contribution.status != ContributionStatus.INVITED or found.answered_at is not None:
        return Superseded("answered since")
    conference = contribution.session.conference
    with translation.override(found.language):
        what = {
            "role": str(contribution.get_role_display()),
            "session": str(contribution.session.title),
            "when": _when(contribution),
        }
        values: dict[str, str | Part] = {
            "name": contribution.name,
            "conference": str(conference.title),
            "contribution": Part("speakers/mail/_contribution.md", what),
            "page": Link(settings.SITE_URL + reverse("speaking:invitation", args=[found.token])),
            "questions": Part("speakers/mail/_questions.md", {"contact": conference.contact_email}),
        }
        composed = catalogue.get(letter).compose(
            values, language=found.language, wording=mail_texts.wording(conference.pk, letter, found.language)
        )
    return Mail(
        to=found.address, subject=composed.subject, text=composed.text, html=composed.html, language=found.language
    )


def tell_invited(message: Message, *, now: datetime) -> Mail | Superseded:
    """The invitation, while an answer is wanted."""
    return _letter(message, "speaker_invitation")


def tell_again(message: Message, *, now: datetime) -> Mail | Superseded:
    """The reminder, while an answer is wanted."""
    return _letter(message, "speaker_reminder")


def register() -> None:
    """Make letters and handlers known. Called when the app is ready."""
    catalogue.register(*LETTERS)
    topics.register(SENT, tell_invited, letter="speaker_invitation")
    topics.register(REMINDER, tell_again, letter="speaker_reminder")
