"""Answers to questions: changing, reading on the record, forgetting; and files that wait for a corrected form."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Sum

from accounts import actors
from accounts.actors import Actor
from alliance import crypto
from events.models import Conference
from registration.models import (
    KeptUpload,
    Participant,
    Question,
    QuestionAnswer,
    QuestionKind,
    Readers,
)
from registration.questions import answers
from registration.questions.answers import Given, Upload
from registration.services import proofs

KEPT_FOR, KEPT_AFTERWARDS = timedelta(hours=1), timedelta(minutes=10)
MOST_KEPT, MOST_KEPT_BYTES = 200, 200_000_000  # of the whole house: strangers may send files that nobody ever registers
_BATCH = 500


# --- one's own --------------------------------------------------------------------------------------------------------


@transaction.atomic
def change(
    *, participant_id: int, given: Sequence[Given], files_that_stay: Collection[int], by: Actor, now: datetime
) -> bool:
    """Put what a form came to (question_fields.settle) in the place of a participant's answers. Whether it changed any.

    Answers to questions that are open and were not given any more are deleted, but for files_that_stay; answers to
    questions that nobody asks any more stay until their time has passed. False, too, for somebody who has been erased.
    """
    participant = (
        Participant.objects.select_for_update(no_key=True, of=("self",))
        .select_related("conference")
        .filter(pk=participant_id)
        .first()
    )
    key = answers.key_of(participant) if participant is not None else None
    if participant is None or key is None:
        return False
    own = {one.question.pk: one for one in answers.own(participant, now=now)}
    still_asked = {
        question.pk
        for question in answers.asked_at(answers.questions_of(participant.conference_id), participant, now=now)
    }
    changed = [one for one in given if one.question.pk in still_asked and _differs(own.get(one.question.pk), one.value)]
    staying = {one.question.pk for one in given} | set(files_that_stay)
    gone = [pk for pk, one in own.items() if one.value is not None and pk in still_asked and pk not in staying]
    replaced = [*gone, *(one.question.pk for one in changed)]
    if not replaced:
        return False
    QuestionAnswer.objects.filter(participant=participant, question__in=replaced).delete()
    rows = answers.sealed(changed, key=key, now=now)
    for row in rows:
        row.participant = participant
    QuestionAnswer.objects.bulk_create(rows)
    actors.audit_entry(
        at=now,
        by=by,
        action="participant.answers_changed",
        about_kind="participant",
        about_id=participant.public_id,
        details={"questions": sorted(str(one.question.public_id) for pk, one in own.items() if pk in replaced)},
    ).save()
    return True


def _differs(before: answers.OwnAnswer | None, value: Any) -> bool:
    return before is None or isinstance(value, Upload) or before.value != value


# --- reading, for organisers ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """One answer in clear. value: None when it cannot be opened."""

    question: Question
    participant: Participant
    answer: QuestionAnswer
    value: Any = field(repr=False)

    @property
    def text(self) -> str:
        """As organisers read it. What the sender called a file stays with the sender: it often holds a name."""
        if self.question.kind == QuestionKind.FILE:
            return answers.file_in_words(self.value)
        return answers.in_words(self.question, self.value)


def read_of(participant: Participant, *, readers: Collection[Readers], by: Actor, now: datetime) -> list[Read]:
    """What one participant answered, on the record. readers: the groups that the reader belongs to.

    Needs conference loaded. Nothing is read, and nothing recorded, of somebody who has been erased.
    """
    questions = [one for one in answers.questions_of(participant.conference_id) if one.readers in readers]
    found = list(_opened(questions, QuestionAnswer.objects.filter(participant=participant)))
    if found:
        _record(
            "participant", participant.public_id, "participant.answers_read", [one.question for one in found], by, now
        )
    return sorted(found, key=lambda one: questions.index(one.question))


def read_all(
    conference: Conference,
    *,
    confidential: bool,
    by: Actor,
    now: datetime,
    each: Callable[[int], object] = lambda number: None,
) -> list[Read]:
    """Every answer at a conference, to confidential questions or to the others, on the record, by display name.

    each: told how many have been opened, after each.
    """
    questions = [one for one in answers.questions_of(conference.pk) if one.is_confidential == confidential]
    found = []
    for number, one in enumerate(_opened(questions, QuestionAnswer.objects.all()), start=1):
        found.append(one)
        each(number)
    if found:
        asked = [one for one in questions if any(read.question.pk == one.pk for read in found)]
        _record("conference", conference.public_id, "conference.answers_read", asked, by, now)
    return sorted(found, key=lambda one: (one.participant.display_name.casefold(), one.participant.pk))


def read_needs(conference: Conference, *, by: Actor, now: datetime) -> list[tuple[Participant, str]]:
    """What people need in order to take part, on the record, by display name. For readers of confidential answers."""
    rows = Participant.objects.filter(conference=conference).exclude(accessibility_needs="").defer("sealed_identity")
    found = [(person, person.accessibility_needs) for person in rows]
    if found:
        actors.audit_entry(
            at=now,
            by=by,
            action="conference.needs_read",
            about_kind="conference",
            about_id=conference.public_id,
            details={"people": len(found)},
        ).save()
    return sorted(found, key=lambda one: (one[0].display_name.casefold(), one[0].pk))


def _opened(questions: Sequence[Question], rows: Any) -> list[Read]:
    by_key = {question.pk: question for question in questions}
    found = []
    known = (
        rows.filter(question__in=by_key)
        .select_related("participant__identity_key")
        .defer("sealed_file", "participant__sealed_identity", "participant__accessibility_needs")
    )
    for answer in known.iterator(chunk_size=_BATCH):
        key = answers.key_of(answer.participant)
        if key is not None:
            value = answers.opened(answer, key)
            found.append(Read(by_key[answer.question_id], answer.participant, answer, value))
    return found


def open_file(
    *, conference: Conference, public_id: UUID, readers: Collection[Readers], by: Actor, now: datetime
) -> Upload | None:
    """A file that somebody answered with, on the record; None for what is not there or not for this reader."""
    answer = (
        QuestionAnswer.objects.select_related("participant__identity_key", "question")
        .filter(public_id=public_id, participant__conference=conference, question__readers__in=readers)
        .exclude(sealed_file=b"")
        .first()
    )
    key = answers.key_of(answer.participant) if answer is not None else None
    if answer is None or key is None:
        return None
    _record("participant", answer.participant.public_id, "participant.answer_file_read", [answer.question], by, now)
    return answers.opened_file(answer, key)


def _record(kind: str, about: UUID, action: str, read: Sequence[Question], by: Actor, now: datetime) -> None:
    details = {"questions": [str(question.public_id) for question in read]}
    actors.audit_entry(at=now, by=by, action=action, about_kind=kind, about_id=about, details=details).save()


# --- forgetting -------------------------------------------------------------------------------------------------------


def forget_old_answers(*, now: datetime) -> int:
    """Delete the answers to questions whose time has passed, and note when on the question. Returns how many.

    May run twice, late, or beside itself: what is deleted already is not there a second time. The end of the conference
    counts as it stands now: who moves the conference moves this.
    """
    deleted = 0
    for question in Question.objects.filter(answers__isnull=False).distinct().select_related("conference"):
        until = question.deleted_from(question.conference)
        if until is None or now < until:
            continue
        with transaction.atomic(durable=True):
            count, _by_model = QuestionAnswer.objects.filter(question=question).delete()
            if count:
                days = question.retention_days
                proofs.note("answers", count, conference_id=question.conference_id, days=days, now=now)
                Question.objects.filter(pk=question.pk).update(answers_deleted_at=now)
                actors.audit_entry(
                    at=now,
                    by=actors.SYSTEM,
                    action="question.answers_deleted",
                    about_kind="question",
                    about_id=question.public_id,
                    details={"answers": count},
                ).save()
        deleted += count
    return deleted


# --- files that wait --------------------------------------------------------------------------------------------------


def _token_key(form_token: str) -> bytes:
    return hashlib.sha256(b"kept-upload\x1f" + form_token.encode("utf-8", "surrogatepass")).digest()


def keep(*, form_token: str, files: Mapping[int, Upload], now: datetime) -> set[int]:
    """Keep files for an hour under the token of their form, by key of their question. Returns which were kept.

    None are while the house keeps as much as it may: then the person chooses the file once more.
    """
    kept: set[int] = set()
    token_hash = crypto.token_hash(form_token)
    for question_id, file in files.items():
        KeptUpload.objects.filter(token_hash=token_hash, question=question_id).delete()
        there = KeptUpload.objects.aggregate(count=Count("pk"), size=Sum("size", default=0))
        if there["count"] >= MOST_KEPT or there["size"] + len(file.data) > MOST_KEPT_BYTES:
            continue
        content = {
            "name": file.name,
            "type": file.content_type,
            "file": base64.b64encode(file.data).decode("ascii"),
        }
        row = KeptUpload(token_hash=token_hash, question_id=question_id, size=len(file.data), created_at=now)
        row.sealed = crypto.seal(content, key=_token_key(form_token), row=_kept_row(token_hash, question_id))
        KeptUpload.objects.bulk_create([row], ignore_conflicts=True)
        kept.add(question_id)
    return kept


def _kept_row(token_hash: bytes, question_id: int) -> bytes:
    return token_hash + str(question_id).encode()


def kept(*, form_token: str, now: datetime) -> dict[int, Upload]:
    """The files kept for a form, by key of their question. One query."""
    token_hash = crypto.token_hash(form_token)
    found = {}
    for row in KeptUpload.objects.filter(token_hash=token_hash, created_at__gt=now - KEPT_FOR):
        content = crypto.unseal(
            bytes(row.sealed), key=_token_key(form_token), row=_kept_row(token_hash, row.question_id)
        )
        found[row.question_id] = Upload(content["name"], content["type"], base64.b64decode(content["file"]))
    return found


def release_kept(*, form_token: str, now: datetime) -> None:
    """Keep the files of a form that has been taken only for as long as a second click or a retry may need them."""
    ends_soon = now - KEPT_FOR + KEPT_AFTERWARDS
    KeptUpload.objects.filter(token_hash=crypto.token_hash(form_token)).update(created_at=ends_soon)


def forget_kept_uploads(*, now: datetime) -> int:
    """Delete files that waited for more than an hour. Returns how many."""
    deleted, _by_model = KeptUpload.objects.filter(created_at__lte=now - KEPT_FOR).delete()
    return deleted
