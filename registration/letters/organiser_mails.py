"""Mails that an organiser's action causes: moved up on the waiting list, two rows made one, and written messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import outbox.services
from accounts.models import User
from events.releases.reading import published
from outbox import letters, topics
from outbox.letters import Letter, Link
from outbox.models import Message
from outbox.results import Attachment, Mail, Superseded
from registration import selectors
from registration.letters import emails
from registration.models import (
    Admission,
    Announcement,
    AnnouncementState,
    Participant,
    Registration,
    RegistrationStatus,
)

MOVED_TO_TOP = "registration.moved_to_top"
MERGED = "registration.merged"
ANNOUNCEMENT = "registration.announcement"
ANNOUNCEMENT_TEST = "registration.announcement_test"

RECALL_FOR = timedelta(minutes=10)  # how long a written message waits before it leaves

PLACEHOLDERS = {
    "name": gettext_lazy("the display name of the person"),
    "thing": gettext_lazy("what the person has registered for, of what you chose"),
    "link": gettext_lazy("the link to the personal page"),
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and means nothing to us."""
    return [name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]


# --- queueing --------------------------------------------------------------------------------------------------------


def _to_participant(topic: str, participant: Participant, *, key: str, now: datetime, **more: Any) -> Message:
    return outbox.services.message(
        topic=topic,
        about_kind="participant",
        about_id=participant.public_id,
        key=key,
        now=now,
        order_key=f"participant:{participant.public_id}",
        **more,
    )


def moved_to_top(registration: Registration, *, now: datetime) -> Message:
    """The mail to somebody whom an organiser moved to the top of the list. Its status has not changed."""
    return outbox.services.message(
        topic=MOVED_TO_TOP,
        about_kind="registration",
        about_id=registration.public_id,
        key=f"moved:{registration.public_id}:{registration.version}:{registration.position}",
        now=now,
        version=registration.version,
        order_key=f"participant:{registration.participant.public_id}",
    )


def merged(survivor: Participant, *, other: str, now: datetime, given_up: Sequence[Registration] = ()) -> Message:
    """The mail to somebody who stood in the list twice. other: public id of the row that has gone.

    given_up: the cancelled seats that one of the rows had and the person does not need twice; they may go with the row,
    so that what their calendar entries are taken back by stands in the message.
    """
    details = {
        "given_up": [
            {"id": str(one.public_id), "admission": one.admission_id, "version": one.version} for one in given_up
        ]
    }
    return _to_participant(MERGED, survivor, key=f"merged:{survivor.public_id}:{other}", now=now, details=details)


def key_of(announcement: Announcement) -> str:
    """With what the keys of an announcement's messages begin."""
    return f"announcement:{announcement.public_id}:"


def announced(announcement: Announcement, people: Iterable[Participant], *, now: datetime) -> list[Message]:
    """A message to each person, due when it cannot be recalled any more."""
    return [
        _to_participant(
            ANNOUNCEMENT,
            person,
            key=f"{key_of(announcement)}{person.public_id}",
            now=now,
            due_at=now + RECALL_FOR,
            details={"announcement": str(announcement.public_id)},
        )
        for person in people
    ]


def passed_on(message: Message, participant: Participant, *, now: datetime) -> Message:
    """A written message that has not left, for the row that somebody's own was merged into; it is there once only."""
    announcement = message.details["announcement"]
    return _to_participant(
        ANNOUNCEMENT,
        participant,
        key=f"announcement:{announcement}:{participant.public_id}",
        now=now,
        due_at=max(now, message.due_at),
        details={"announcement": announcement},
    )


def announcement_test(announcement: Announcement, user: User, *, language: str, now: datetime) -> Message:
    """The same to an organiser's own address, at once."""
    return outbox.services.message(
        topic=ANNOUNCEMENT_TEST,
        about_kind="announcement",
        about_id=announcement.public_id,
        key=f"announcement-test:{announcement.public_id}:{user.public_id}:{language}:{now:%Y%m%dT%H%M%S%f}",
        now=now,
        details={"user": str(user.public_id), "language": language},
    )


# --- rendering -------------------------------------------------------------------------------------------------------


def _page(participant: Participant) -> Link:
    return Link(settings.SITE_URL + reverse("registration:personal", args=[participant.personal_token]))


def _participant(message: Message) -> Participant | None:
    return (
        Participant.objects.select_related("conference__venue", "identity_key")
        .filter(public_id=message.about_id, identity_key__isnull=False)
        .first()
    )


def _mail(to: str, letter: Letter, language: str) -> Mail:
    return Mail(to=to, subject=letter.subject, text=letter.text, html=letter.html, language=language)


def _about(
    letter: str,
    participant: Participant,
    registrations: Sequence[Registration],
    *,
    attachments: Sequence[Attachment] = (),
) -> Mail:
    ranks = selectors.places_in_line(registrations)
    with translation.override(participant.language):
        choices = [emails.choice(one, ranks.get(one.pk)) for one in registrations]
        return emails.compose(letter, participant, emails.values(participant, choices), attachments=attachments)


@published
def tell_moved(message: Message, *, now: datetime) -> Mail | Superseded:
    """To somebody who was moved to the top, while they wait."""
    registration = (
        Registration.objects.with_all()
        .filter(public_id=message.about_id, participant__identity_key__isnull=False)
        .first()
    )
    if registration is None:
        return Superseded("gone")
    if registration.version != message.about_version or registration.status != RegistrationStatus.WAITLISTED:
        return Superseded("changed since")
    return _about("moved_to_top", registration.participant, [registration])


def _given_up(message: Message, participant: Participant) -> list[Registration]:
    """Seats that are no more, for their calendar entries; in no table."""
    told = message.details.get("given_up", [])
    found = Admission.objects.select_related("conference__venue", "session__day", "session__room")
    admissions = found.in_bulk([one["admission"] for one in told])
    return [
        Registration(
            public_id=UUID(one["id"]),
            admission=admissions[one["admission"]],
            participant=participant,
            status=RegistrationStatus.CANCELLED,
            version=one["version"],
            created_at=message.created_at,
            cancelled_at=message.created_at,
        )
        for one in told
        if one["admission"] in admissions
    ]


@published
def tell_merged(message: Message, *, now: datetime) -> Mail | Superseded:
    """To somebody whose two rows were made one: how everything stands."""
    participant = _participant(message)
    if participant is None:
        return Superseded("gone")
    mine = list(Registration.objects.with_all().live().filter(participant=participant).order_by("pk"))
    entries: list[Attachment] = []
    with translation.override(participant.language):
        for one in _given_up(message, participant):
            entries += emails.calendar_part([one], method="CANCEL", now=now)
        for one in mine:  # the seat may be that of the row whose mails went elsewhere
            if one.status == RegistrationStatus.CONFIRMED:
                entries += emails.calendar_part([one], method="REQUEST", now=now)
    return _about("merged", participant, mine, attachments=entries)


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom an announcement is written: a participant, or an organiser who tries it. address: the personal page."""

    language: str
    name: str
    thing: str
    address: str
    contact: str = ""


def write(announcement: Announcement, reader: Reader) -> tuple[Letter, str]:
    """The letter, and the language it is written in: the reader's, else English with a notice in the reader's own."""
    subjects, texts = dict(announcement.subject), dict(announcement.text)
    has_own = reader.language in subjects and reader.language in texts
    language = reader.language if has_own else "en"
    notice = ""
    if not has_own:
        with translation.override(reader.language):
            notice = _("This message is there in English only.")
    with translation.override(language):
        label = _("Open your personal page")
    values = {"name": reader.name, "thing": reader.thing, "link": reader.address}
    subject = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), subjects.get(language, ""))
    context = {
        "subject": " ".join(subject.split()),
        "notice": notice,
        "paragraphs": _paragraphs(texts.get(language, ""), values, label),
        "page": "" if "{link}" in texts.get(language, "") else Link(reader.address),
        "contact": reader.contact,
    }
    return letters.write("registration/letters/announcement.md", context, language=language), language


def _paragraphs(text: str, values: dict[str, str], label: str) -> list[list[list[dict[str, Any]]]]:
    """Paragraphs of lines of parts: plain text, or a link that Markdown must not see as text."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        lines = [_parts(line, values, label) for line in paragraph.split("\n") if line.strip()]
        if lines:
            found.append(lines)
    return found


def _parts(line: str, values: dict[str, str], label: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for place, piece in enumerate(re.split(r"(\{link\})", line.strip())):
        if place % 2:
            parts.append({"address": Link(values["link"]), "label": label, "gap": False})
        elif piece:
            filled = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), piece)
            if parts and filled[0].isspace():
                parts[-1]["gap"] = True
            parts.append({"text": filled.strip(), "gap": filled[-1].isspace()})
    return parts


def thing_of(announcement: Announcement, participant: Participant) -> str:
    """What somebody registered for, of what was chosen, in the active language."""
    chosen = announcement.registrations.filter(participant=participant).select_related(
        "admission__session", "admission__conference"
    )
    titles = [str((one.admission.session or one.admission.conference).title) for one in chosen.order_by("pk")]
    return ", ".join(dict.fromkeys(titles))


@published
def tell_announcement(message: Message, *, now: datetime) -> Mail | Superseded:
    """A written message to one person, unless it was recalled or the person does not come any more."""
    announcement = Announcement.objects.filter(public_id=message.details["announcement"]).first()
    participant = _participant(message)
    if announcement is None or participant is None:
        return Superseded("gone")
    if announcement.state != AnnouncementState.RELEASED:
        return Superseded("recalled")
    chosen = announcement.registrations.filter(participant=participant)
    if not announcement.to_ended and not chosen.live().exists():
        return Superseded("cancelled since")
    with translation.override(participant.language):
        thing = thing_of(announcement, participant)
    reader = Reader(
        participant.language, participant.display_name, thing, _page(participant), participant.conference.contact_email
    )
    letter, language = write(announcement, reader)
    return _mail(participant.open_identity().email, letter, language)


@published
def tell_announcement_test(message: Message, *, now: datetime) -> Mail | Superseded:
    """A written message as a trial, to the organiser who asked for it. Its link opens nobody's page."""
    announcement = Announcement.objects.filter(public_id=message.about_id).select_related("conference").first()
    user = User.objects.filter(public_id=message.details["user"], is_active=True).first()
    if announcement is None or user is None or not user.email:
        return Superseded("gone")
    letter, language = write(announcement, trial(announcement, message.details["language"], user.name))
    return _mail(user.email, letter, language)


def trial(announcement: Announcement, language: str, name: str) -> Reader:
    """A reader who is nobody: for trials and previews, with the conference's own page in place of the personal one."""
    conference = announcement.conference
    with translation.override(language):
        address = settings.SITE_URL + conference.get_absolute_url()
        thing = str(conference.title)
    return Reader(language, name, thing, address, conference.contact_email)


def register() -> None:
    """Make the handlers known to the outbox. Called when the app is ready."""
    topics.register(MOVED_TO_TOP, tell_moved, letter="moved_to_top")
    topics.register(MERGED, tell_merged, letter="merged")
    topics.register(ANNOUNCEMENT, tell_announcement, title=gettext_lazy("Written message"))
    topics.register(ANNOUNCEMENT_TEST, tell_announcement_test, title=gettext_lazy("Written message, as a test"))
