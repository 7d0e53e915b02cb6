"""What becomes of answers: corrected, erased with the person, deleted when their time has passed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from alliance import crypto
from registration import selectors, services, tasks
from registration.models import (
    Participant,
    Question,
    QuestionAnswer,
    QuestionOption,
)
from registration.questions import answers
from registration.questions import fields as question_fields
from registration.services import erasure
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, SideEventFactory
from tests.registration.register_pages import text
from tests.registration.test_erasure import tables_with
from tests.registration.test_questions import PDF, ask, file, send, stored

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def _answered(conference: Any = None) -> tuple[Participant, dict[str, Question]]:
    admission = AdmissionFactory(**({"session": SideEventFactory(conference=conference)} if conference else {}))
    asked = {
        "text": ask(admission.conference),
        "choice": ask(admission.conference, "choice", options="bus train"),
        "file": ask(admission.conference, "file"),
    }
    values = {asked["text"].name: "Zwergmaus", asked["choice"].name: "bus", asked["file"].name: file()}
    assert send(Client(), admission, **values).status_code == 303
    return Participant.objects.select_related("conference").latest("pk"), asked


def test_erasing_a_person_leaves_no_answer() -> None:
    person, _asked = _answered()
    sealed = [bytes(row.sealed).hex() for row in QuestionAnswer.objects.all()]
    sealed += [bytes(row.sealed_file).hex()[:80] for row in QuestionAnswer.objects.exclude(sealed_file=b"")]
    assert tables_with(*sealed) == {"registration_questionanswer"}  # the search can find

    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)

    assert QuestionAnswer.objects.count() == 0
    assert answers.own(person, now=NOW) == []


def test_without_the_key_of_the_person_no_answer_opens() -> None:
    _person, _asked = _answered()
    row = QuestionAnswer.objects.earliest("pk")
    other, _more = _answered(ConferenceFactory())

    key = answers.key_of(other)
    assert key is not None
    with pytest.raises(crypto.Unreadable):
        answers.opened(row, key)


def test_answers_are_deleted_when_their_time_has_passed_once_and_not_before() -> None:
    person, asked = _answered()
    Question.objects.filter(pk=asked["text"].pk).update(retention_days=60)
    end = person.conference.ends_at
    assert end is not None
    before = NOW
    for at, left in (
        (end + timedelta(days=30, seconds=-1), 3),
        (end + timedelta(days=30), 1),
        (end + timedelta(days=31), 1),
        (end + timedelta(days=60), 0),
    ):
        with time_machine.travel(at, tick=False):
            tasks.forget_answers()
            tasks.forget_answers()
        assert QuestionAnswer.objects.count() == left, at - before
    asked["choice"].refresh_from_db()
    assert asked["choice"].answers_deleted_at == end + timedelta(days=30)
    assert AuditEntry.objects.filter(action="question.answers_deleted").count() == 3
    shown = answers.own(person, now=end + timedelta(days=61))
    assert [(one.value, one.deleted_at is not None, one.is_open) for one in shown] == [(None, True, False)] * 3


def test_correcting_answers_replaces_deletes_and_keeps_files() -> None:
    person, asked = _answered()
    own = answers.own(person, now=NOW)
    assert question_fields.initial(own) == {asked["text"].name: "Zwergmaus", asked["choice"].name: "bus"}
    assert question_fields.with_file(own) == {asked["file"].pk}

    def change(given: dict[str, Any], files: set[int]) -> bool:
        return services.answers.change(
            participant_id=person.pk,
            given=[answers.Given(asked[kind], value) for kind, value in given.items()],
            files_that_stay=files,
            by=actors.PARTICIPANT,
            now=NOW,
        )

    assert change({"text": "Zwergmaus", "choice": "bus"}, {asked["file"].pk}) is False
    assert change({"choice": "train"}, {asked["file"].pk}) is True
    assert stored(person) == {"choice": "train", "file": {"name": "letter.pdf", "type": answers.PDF, "size": len(PDF)}}
    assert change({"choice": "train"}, set()) is True
    assert stored(person) == {"choice": "train"}
    entries = AuditEntry.objects.filter(action="participant.answers_changed", about_id=person.public_id)
    assert entries.count() == 2
    assert "train" not in str(list(entries.values()))


def test_a_retired_option_is_offered_to_nobody_but_stays_readable(client: Client) -> None:
    person, _asked = _answered()
    QuestionOption.objects.filter(key="bus").update(is_retired=True)
    selectors.forget()

    own = {one.question.kind: one for one in answers.own(person, now=NOW)}
    offered = selectors.offers(person.conference.slug)
    assert offered is not None
    fresh = {one.kind: one for one in offered.questions}["choice"]

    assert own["choice"].text == "Bus"
    assert "bus" not in dict(question_fields.build(fresh).choices)  # type: ignore[attr-defined]
    assert "bus" in dict(question_fields.build(fresh, present="bus").choices)  # type: ignore[attr-defined]


def test_the_personal_page_shows_what_was_answered_and_asked_and_until_when(client: Client) -> None:
    admission = AdmissionFactory()
    first = ask(admission.conference, "yes_no", label={"en": "A meal?"}, retention_days=1)
    ask(admission.conference, label={"en": "Which one?"}, show_if=first, show_if_answers=["yes"])
    ask(admission.conference, label={"en": "Anything else?"})
    send(client, admission, **{first.name: "no"})
    person = Participant.objects.get()

    page = text(client.get(f"/r/{person.personal_token}/"))
    own = answers.own(person, now=NOW)

    assert "A meal? No Kept until 18 July 2030" in page
    assert "Which one?" not in page
    assert "Anything else? Not answered" in page
    assert [(one.is_open, one.is_put) for one in own] == [(True, True), (True, False), (True, True)]
    Question.objects.filter(pk=first.pk).update(answers_deleted_at=NOW)
    QuestionAnswer.objects.all().delete()
    assert "A meal? Deleted on 2 July 2030" in text(client.get(f"/r/{person.personal_token}/"))
