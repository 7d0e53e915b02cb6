"""Answers to the questions of a conference: when a question is asked, how an answer is sealed, and reading it back.

Nothing here writes; registration.services.answers does. A value is a text, the key of an option, a list of keys, "yes"
or "no", or an Upload; the empty value ("", [] or None) is no answer.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.template.defaultfilters import filesizeformat

from alliance import crypto
from registration.models import IdentityKey, Participant, Question, QuestionAnswer, QuestionKind
from registration.models.question import CONDITIONAL_ON
from registration.models.registration import ENDED

MOST_BYTES = 5_000_000  # of one file
PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SUFFIXES = {PDF: "pdf", PNG: "png", JPEG: "jpg", DOCX: "docx"}
_BEGINNINGS = {b"%PDF-": PDF, b"\x89PNG\r\n\x1a\n": PNG, b"\xff\xd8\xff": JPEG}
_MOST_PARTS = 2000  # of a document


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in clear. name: what the sender called it, for them to recognise it; it is never used as a path."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answers to one question, never empty."""

    question: Question
    value: Any = field(repr=False)


def content_type(data: bytes) -> str | None:
    """The type of a file by its content alone; None for anything but PDF, PNG, JPEG and Word without macros."""
    for start, kind in _BEGINNINGS.items():
        if data.startswith(start):
            return kind
    return DOCX if data.startswith(b"PK\x03\x04") and _is_word(data) else None


def _is_word(data: bytes) -> bool:
    """Whether a ZIP file is a Word document without macros. Its parts are listed, none is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            names = {name.casefold() for name in parts.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError, UnicodeError):
        return False
    has_macros = any("vbaproject" in name or "/activex/" in name or "/embeddings/" in name for name in names)
    return {"[content_types].xml", "word/document.xml"} <= names and not has_macros and len(names) <= _MOST_PARTS


# --- which questions are asked ----------------------------------------------------------------------------------------


def is_asked(
    question: Question, *, sessions: Collection[int], values: Mapping[int, Any], asked: Collection[int]
) -> bool:
    """Whether a question is put to somebody who chose these sessions and answered what stands above it.

    values: answers so far, by primary key of their question. asked: keys of the questions put so far: an answer to one
    that was not put counts for nothing.
    """
    if question.session_id is not None and question.session_id not in sessions:
        return False
    if question.show_if_id is None:
        return True
    if question.show_if_id not in asked:
        return False
    value = values.get(question.show_if_id)
    chosen = value if isinstance(value, list) else [value]
    return any(one in question.show_if_answers for one in chosen)


def asked_of(questions: Iterable[Question], *, sessions: Collection[int], values: Mapping[int, Any]) -> list[Question]:
    """The questions put to somebody, in form order."""
    found: dict[int, Question] = {}
    for question in questions:
        if is_asked(question, sessions=sessions, values=values, asked=found):
            found[question.pk] = question
    return list(found.values())


def may_depend_on(question: Question, other: Question) -> bool:
    """Whether the answer to another question may decide about this one: it stands above, with answers to choose from.

    Conditions lead upwards only, so they never run in a circle.
    """
    return other.kind in CONDITIONAL_ON and (other.position, other.pk) < (question.position, question.pk or 2**63)


# --- sealing ----------------------------------------------------------------------------------------------------------


def sealed(given: Sequence[Given], *, key: bytes, now: datetime) -> list[QuestionAnswer]:
    """Unsaved answers under the key of a person; the caller sets whose they are."""
    rows = []
    for one in given:
        row = QuestionAnswer(question_id=one.question.pk, answered_at=now)
        value = one.value
        if isinstance(value, Upload):
            file = {"file": base64.b64encode(value.data).decode("ascii")}
            row.sealed_file = crypto.seal(file, key=key, row=_file_row(row))
            value = {"name": value.name, "type": value.content_type, "size": len(value.data)}
        row.sealed = crypto.seal({"answer": value}, key=key, row=row.public_id.bytes)
        rows.append(row)
    return rows


def fingerprint(value: Any) -> Any:
    """What stands for a value where two forms are compared; of a file its hash."""
    if isinstance(value, Upload):
        return [value.name, hashlib.sha256(value.data).hexdigest()]
    return value


def _file_row(answer: QuestionAnswer) -> bytes:
    return answer.public_id.bytes + b"file"


def key_of(participant: Participant) -> bytes | None:
    """The key of a person; None when they have been erased. One query unless identity_key is loaded."""
    try:
        return crypto.unwrap_person_key(bytes(participant.identity_key.wrapped))
    except IdentityKey.DoesNotExist:
        return None


def opened(answer: QuestionAnswer, key: bytes) -> Any:
    """The value of an answer; of a file a mapping with its name, type and size. Raises crypto.Unreadable."""
    return crypto.unseal(bytes(answer.sealed), key=key, row=answer.public_id.bytes)["answer"]


def opened_file(answer: QuestionAnswer, key: bytes) -> Upload:
    """The file of an answer. Raises crypto.Unreadable."""
    about = opened(answer, key)
    data = crypto.unseal(bytes(answer.sealed_file), key=key, row=_file_row(answer))["file"]
    return Upload(about["name"], about["type"], base64.b64decode(data))


def in_words(question: Question, value: Any, *, joined_by: str = "; ") -> str:
    """An answer as people read it, in the active language. Needs the question's options loaded."""
    if question.kind == QuestionKind.FILE:
        return f"{value['name']} ({filesizeformat(value['size'])})"
    labels = question.option_labels() if question.kind in CONDITIONAL_ON else {}
    if isinstance(value, list):
        return joined_by.join(labels.get(one, "?") for one in value)
    return labels.get(value, "?") if question.kind in CONDITIONAL_ON else str(value)


def file_in_words(value: Mapping[str, Any]) -> str:
    """A file without the name its sender gave it, as "PDF (12 KB)"."""
    return f"{SUFFIXES[value['type']].upper()} ({filesizeformat(value['size'])})"


# --- one's own --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """One question as its participant sees it. value is None, and text empty, where there is no answer (any more).

    is_open: a form may ask it, depending on what else is answered there. is_put: it is asked as the answers stand.
    """

    question: Question
    value: Any = field(default=None, repr=False)
    text: str = field(default="", repr=False)
    answered_at: datetime | None = None
    is_open: bool = False
    is_put: bool = False
    kept_until: datetime | None = None
    last_day: date | None = None  # before kept_until, by the clock of the venue
    deleted_at: datetime | None = None
    deleted_on: date | None = None  # the day of deleted_at, likewise


def questions_of(conference_id: int) -> list[Question]:
    """The questions of a conference in form order, with their options. Two queries."""
    rows = Question.objects.filter(conference=conference_id).select_related("session").prefetch_related("options")
    return list(rows.in_form_order())


def asked_at(questions: Iterable[Question], participant: Participant, *, now: datetime) -> list[Question]:
    """Those that a form may still ask: not switched off, and their answers would not be deleted at once."""
    return [
        question
        for question in questions
        if question.is_asked and ((until := question.deleted_from(participant.conference)) is None or now < until)
    ]


def own(participant: Participant, *, now: datetime) -> list[OwnAnswer]:
    """What a participant answered, and what they may be asked and have not, in form order. Five queries at most.

    Empty for a conference without questions. For the personal page, and for the form that corrects answers:
    `question_fields.initial(answers.own(...))` are its initial values. Needs the conference loaded.
    """
    questions = questions_of(participant.conference_id)
    key = key_of(participant) if questions else None
    if key is None:
        return []
    rows = {
        answer.question_id: answer
        for answer in QuestionAnswer.objects.filter(participant=participant).defer("sealed_file")
    }
    values = {pk: opened(answer, key) for pk, answer in rows.items()}
    sessions = sessions_of(participant)
    may_ask = asked_at(questions, participant, now=now)
    is_open = {one.pk for one in may_ask if one.session_id is None or one.session_id in sessions}
    put = {one.pk for one in asked_of(may_ask, sessions=sessions, values=values)}
    conference = participant.conference
    return [
        OwnAnswer(
            question=question,
            value=values.get(question.pk),
            text=in_words(question, values[question.pk]) if question.pk in values else "",
            answered_at=rows[question.pk].answered_at if question.pk in rows else None,
            is_open=question.pk in is_open,
            is_put=question.pk in put,
            kept_until=question.deleted_from(conference),
            last_day=question.last_day(conference),
            deleted_at=deleted_at,
            deleted_on=None if deleted_at is None else deleted_at.astimezone(conference.zone).date(),
        )
        for question in questions
        for deleted_at in [None if question.pk in rows else question.answers_deleted_at]
        if question.pk in rows or question.pk in is_open or deleted_at is not None
    ]


def sessions_of(participant: Participant) -> set[int]:
    """Keys of the sessions somebody registered for and has not given up. One query."""
    found = participant.registrations.exclude(status__in=ENDED).exclude(admission__session=None)
    return set(found.values_list("admission__session", flat=True))
