"""Questions of organisers on the form: who is asked, what is kept of an answer, for how long, and at what cost."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import RestrictedError
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actors
from accounts.models import AuditEntry
from alliance import crypto
from registration import private_pages, selectors, services, tasks, views
from registration.models import (
    Admission,
    KeptUpload,
    Participant,
    Question,
    QuestionAnswer,
    QuestionOption,
    Registration,
)
from registration.questions import answers
from registration.questions import fields as question_fields
from registration.services import erasure
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, SideEventFactory
from tests.registration.register_pages import address, field, filled, text
from tests.registration.test_erasure import tables_with

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 a letter"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time, so that registration is open."""
    with time_machine.travel(NOW, tick=False):
        yield


def ask(conference: Any, kind: str = "text", *, options: str = "", **more: Any) -> Question:
    """A question; options: their keys, which are their labels too."""
    values: dict[str, Any] = {
        "label": {"en": f"Question {kind}"},
        "help": {"en": "We need it."},
        "retention_days": 30,
        "position": Question.objects.count() + 1,
    }
    question = Question.objects.create(conference=conference, kind=kind, **values | more)
    for place, key in enumerate(options.split()):
        QuestionOption.objects.create(question=question, key=key, label={"en": key.capitalize()}, position=place)
    return question


def file(data: bytes = PDF, name: str = "letter.pdf") -> SimpleUploadedFile:
    """A file as a browser sends it; the type it claims says nothing."""
    return SimpleUploadedFile(name, data, "text/html")


def word(*parts: str) -> bytes:
    """A ZIP file with these parts beside those of a Word document."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as document:
        for part in ("[Content_Types].xml", "word/document.xml", *parts):
            document.writestr(part, "<x/>")
    return out.getvalue()


def stored(participant: Participant | None = None) -> dict[str, Any]:
    """What somebody answered, by kind of question and in clear."""
    person = participant or Participant.objects.get()
    return {one.question.kind: one.value for one in answers.own(person, now=NOW) if one.value is not None}


def send(client: Client, admission: Admission, **values: Any) -> Any:
    """Send the form with these answers, by the name of their field."""
    return client.post(address(admission), filled(admission, **values))


# --- the form ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_question_is_asked_explained_and_kept_sealed(client: Client) -> None:
    admission = AdmissionFactory()
    conference = admission.conference
    line, lines, choice, choices, yes_no = (
        ask(conference, kind, options=options, is_required=True)
        for kind, options in (
            ("text", ""), ("lines", ""), ("choice", "bus train"), ("choices", "soup bread"), ("yes_no", ""),
        )
    )  # fmt: skip
    upload = ask(conference, "file", is_required=True)

    page = client.get(address(admission))
    response = send(
        client,
        admission,
        **{
            line.name: "  Zanzibar ",
            lines.name: "one\r\ntwo",
            choice.name: "train",
            choices.name: ["soup", "bread"],
            yes_no.name: "no",
            upload.name: file(),
        },
    )

    assert page.content.decode().count("We need it.") == 6
    assert 'enctype="multipart/form-data"' in page.content.decode()
    assert response.status_code == 303
    assert stored() == {
        "text": "Zanzibar",
        "lines": "one\ntwo",
        "choice": "train",
        "choices": ["soup", "bread"],
        "yes_no": "no",
        "file": {"name": "letter.pdf", "type": "application/pdf", "size": len(PDF)},
    }
    assert tables_with("Zanzibar", "letter.pdf", "a letter") == set()
    assert KeptUpload.objects.count() == 0


def test_a_form_without_questions_is_as_it_was(client: Client) -> None:
    page = client.get(address(AdmissionFactory())).content.decode()

    assert "What the organisers ask" not in page
    assert "questions.js" not in page
    assert "multipart" not in page


def test_required_answers_are_asked_for_by_name_with_a_link_and_nothing_typed_is_lost(client: Client) -> None:
    admission = AdmissionFactory()
    missing = ask(admission.conference, "choice", options="bus train", is_required=True, label={"en": "Coming by"})
    typed = ask(admission.conference, "choices", options="soup bread cake")

    response = send(client, admission, **{typed.name: ["soup", "cake"]})

    page = response.content.decode()
    assert response.status_code == 422
    assert f'<a href="#id_{missing.name}_0">Answer the question “Coming by”.</a>' in page
    assert re.findall(r'value="(\w+)" id="[^"]+" checked', page)[-2:] == ["soup", "cake"]
    assert Participant.objects.count() == 0


def test_texts_say_their_language_where_it_is_not_that_of_the_page(client: Client) -> None:
    admission = AdmissionFactory()
    ask(admission.conference, "choice", options="bus", label={"en": "How?", "fr": "Comment ?"})

    page = client.get(address(admission, "fr")).content.decode()

    assert "Comment ?" in page
    assert '<span lang="en">We need it.</span>' in page
    assert '<span lang="en">Bus</span>' in page


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"meal": "yes", "diet": "vegan", "allergy": "Nuts"}, {"yes_no": "yes", "choice": "vegan", "text": "Nuts"}),
        ({"meal": "no", "diet": "vegan", "allergy": "Nuts"}, {"yes_no": "no"}),  # what was not asked is dropped
        ({"meal": "yes", "diet": "all", "allergy": "Nuts"}, {"yes_no": "yes", "choice": "all"}),
        ({"meal": "no", "diet": "nonsense"}, {"yes_no": "no"}),  # and cannot be wrong
        ({"meal": "yes", "diet": "vegan"}, None),  # required, since the condition holds
        ({"meal": "yes"}, None),
    ],
)
def test_conditions_decide_what_is_asked_required_and_kept(
    client: Client, values: dict[str, str], expected: dict[str, str] | None
) -> None:
    admission = AdmissionFactory()
    meal = ask(admission.conference, "yes_no", label={"en": "A meal?"})
    diet = ask(
        admission.conference, "choice", options="all vegan", is_required=True, show_if=meal, show_if_answers=["yes"]
    )
    allergy = ask(admission.conference, "text", is_required=True, show_if=diet, show_if_answers=["vegan"])
    names = {"meal": meal.name, "diet": diet.name, "allergy": allergy.name}

    page = text(client.get(address(admission)))
    response = send(client, admission, **{names[name]: value for name, value in values.items()})

    assert "Answer this if your answer to “A meal?” is: Yes." in page
    assert response.status_code == (422 if expected is None else 303)
    assert (stored() if expected is not None else None) == expected


def test_a_question_about_a_session_is_asked_of_those_who_choose_it(client: Client) -> None:
    admission = AdmissionFactory()
    other = AdmissionFactory(session=SideEventFactory(conference=admission.conference, title={"en": "Evening"}))
    question = ask(admission.conference, is_required=True, session=other.session)

    first = send(client, admission, **{question.name: "dropped"})
    missing = client.post(address(admission), filled(admission, other, email="two@mail.example"))

    assert "Answer this if you chose “Evening” above." in text(client.get(address(admission)))
    assert first.status_code == 303
    assert QuestionAnswer.objects.count() == 0
    assert missing.status_code == 422
    assert "Answer the question" in text(missing)


def test_what_is_not_asked_any_more_is_not_on_the_form(client: Client) -> None:
    admission = AdmissionFactory()
    ask(admission.conference, is_asked=False, label={"en": "Switched off"})
    over = admission.conference.ends_at
    assert over is not None
    ask(admission.conference, retention_days=1, label={"en": "Kept for a day"})

    assert "Kept for a day" in text(client.get(address(admission)))
    assert "Switched off" not in text(client.get(address(admission)))
    offered = selectors.offers(admission.conference.slug)
    assert offered is not None
    views._empty_forms.clear()
    with time_machine.travel(over + timedelta(days=1), tick=False):
        assert "Kept for a day" not in text(client.get(address(admission)))


# --- a known address, repeats -----------------------------------------------------------------------------------------


def test_a_known_address_keeps_its_first_answers_and_hears_the_same(client: Client) -> None:
    admission = AdmissionFactory(capacity=9)
    question = ask(admission.conference)
    upload = ask(admission.conference, "file")
    first = send(client, admission, **{question.name: "mine"})

    again = send(client, admission, **{question.name: "a stranger's", upload.name: file()})

    assert [response.status_code for response in (first, again)] == [303, 303]
    told = [text(client.get(response["Location"])) for response in (first, again)]
    assert told[0] == told[1]
    assert stored() == {"text": "mine"}


def test_the_same_form_twice_is_one_registration_and_changed_answers_are_noticed(client: Client) -> None:
    admission = AdmissionFactory()
    question = ask(admission.conference, "choices", options="soup bread cake")
    upload = ask(admission.conference, "file")
    values = filled(admission, **{question.name: ["soup", "bread"]})

    responses = [client.post(address(admission), values | {upload.name: file()}) for _n in range(2)]
    changed = client.post(address(admission), values | {question.name: ["cake", "soup"], upload.name: file()})

    assert [response.status_code for response in responses] == [303, 303]
    assert Registration.objects.count() == 1
    assert QuestionAnswer.objects.count() == 2
    page = changed.content.decode()
    assert "This form was sent before with other entries" in page
    assert re.findall(r'value="(\w+)" id="[^"]+" checked', page)[-2:] == ["soup", "cake"]
    assert "Your file “letter.pdf” is kept" in page


def test_several_answers_survive_when_a_choice_closes_meanwhile(client: Client, monkeypatch: Any) -> None:
    admission = AdmissionFactory()
    closing = AdmissionFactory(session=SideEventFactory(conference=admission.conference))
    question = ask(admission.conference, "choices", options="soup bread cake")
    upload = ask(admission.conference, "file")
    values = filled(admission, closing, **{question.name: ["soup", "cake"], upload.name: file()})
    monkeypatch.setattr(
        services, "register", lambda **_k: (_ for _ in ()).throw(services.RegistrationClosed([closing]))
    )

    page = client.post(address(admission), values).content.decode()

    assert "It was taken out" in page
    assert f'value="{admission.public_id}" id="id_{field(admission)}_0" checked' in page
    assert f'value="{closing.public_id}" id="id_{field(closing)}_0" checked' not in page
    assert re.findall(r'value="(\w+)" id="[^"]+" checked', page)[-2:] == ["soup", "cake"]
    assert "Your file “letter.pdf” is kept" in page


def test_answers_cost_no_statement_more(client: Client) -> None:
    def statements(questions: int) -> int:
        admission = AdmissionFactory(session=SideEventFactory(conference=ConferenceFactory()))
        asked = [ask(admission.conference) for _n in range(questions)]
        client.get(address(admission))  # what is on offer is kept in memory
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert send(client, admission, **{one.name: "x" for one in asked}).status_code == 303
        return len(queries)

    none, ten = statements(0), statements(10)

    assert QuestionAnswer.objects.count() == 10
    assert ten == none


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (PDF, "a.exe", answers.PDF),
        (b"\x89PNG\r\n\x1a\n...", "a.png", answers.PNG),
        (b"\xff\xd8\xff...", "a.jpg", answers.JPEG),
        (word(), "a.docx", answers.DOCX),
        (word("word/vbaProject.bin"), "macros.docx", None),
        (word("word/activeX/activeX1.bin"), "active.docx", None),
        (b"PK\x03\x04 broken", "a.docx", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "a.png", None),
        (b"<!doctype html><script></script>", "a.pdf", None),
        (b" %PDF-1.7", "a.pdf", None),
        (b"MZ\x90", "a.pdf", None),
    ],
)
def test_a_file_is_known_by_its_content(data: bytes, name: str, kind: str | None) -> None:
    assert answers.content_type(data) == kind


def test_files_that_are_too_large_wrong_or_unasked_for_are_refused(client: Client) -> None:
    admission = AdmissionFactory()
    upload = ask(admission.conference, "file")
    line = ask(admission.conference)
    large = file(PDF + b"\0" * answers.MOST_BYTES)

    for sent in (large, file(b"<html>", "page.pdf")):
        response = send(client, admission, **{upload.name: sent})
        assert response.status_code == 422
        assert "Send a PDF, PNG, JPEG or Word" in text(response)
    unasked = send(client, admission, **{line.name: "text", "question-unknown": file(), "given_name": "Ada"})

    assert unasked.status_code == 303
    assert stored() == {"text": "text"}
    assert KeptUpload.objects.count() == 0


def test_a_file_waits_sealed_while_errors_are_corrected(client: Client) -> None:
    admission = AdmissionFactory()
    upload = ask(admission.conference, "file", is_required=True)
    values = filled(admission, family_name="", given_name="")

    wrong = client.post(address(admission), values | {upload.name: file()})
    kept_field = f"{upload.name}-kept"

    assert f'name="{kept_field}" value="1"' in wrong.content.decode()
    assert "Your file “letter.pdf” is kept for an hour" in text(wrong)
    assert tables_with("letter.pdf", "a letter") == set()
    assert KeptUpload.objects.count() == 1
    right = [client.post(address(admission), values | {"given_name": "Ada", kept_field: "1"}) for _n in range(2)]
    assert [(one.status_code, one["Location"]) for one in right] == [(303, right[0]["Location"])] * 2  # a double click
    assert stored()["file"]["name"] == "letter.pdf"
    assert Registration.objects.count() == 1
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        tasks.forget_answers()
    assert KeptUpload.objects.count() == 0


def test_a_kept_file_belongs_to_its_form_can_be_left_out_and_goes_after_an_hour(client: Client) -> None:
    admission = AdmissionFactory()
    upload = ask(admission.conference, "file", is_required=True)
    wrong = filled(admission, given_name="", family_name="")
    client.post(address(admission), wrong | {upload.name: file()})
    kept = {f"{upload.name}-kept": "1", "given_name": "Ada"}

    of_another_form = client.post(address(admission), wrong | kept | {"token": filled()["token"]})
    left_out = client.post(address(admission), wrong | kept | {f"{upload.name}-dropped": "1"})
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        too_late = client.post(address(admission), wrong | kept)
        tasks.forget_answers()

    assert [page.status_code for page in (of_another_form, left_out, too_late)] == [422, 422, 422]
    assert all("Answer the question" in text(page) for page in (of_another_form, left_out, too_late))
    assert KeptUpload.objects.count() == 0
    assert Participant.objects.count() == 0


def test_waiting_files_do_not_pile_up(client: Client, monkeypatch: Any) -> None:
    admission = AdmissionFactory()
    upload = ask(admission.conference, "file")
    monkeypatch.setattr(services.answers, "MOST_KEPT", 2)
    one = filled(admission, email="")

    pages = [client.post(address(admission), one | {upload.name: file()}) for _n in range(2)]
    pages += [client.post(address(admission), filled(admission, email="") | {upload.name: file()}) for _n in range(2)]

    assert ["is kept for an hour" in text(page) for page in pages] == [True, True, True, False]
    assert KeptUpload.objects.count() == 2


def test_the_time_of_an_answer_tells_nothing_about_a_file(client: Client, monkeypatch: Any) -> None:
    admission = AdmissionFactory(capacity=9)
    upload = ask(admission.conference, "file")
    slept: list[float] = []
    monkeypatch.setattr(private_pages, "_STEP", 10.0)
    monkeypatch.setattr("registration.private_pages.time.sleep", slept.append)

    for sent in ({upload.name: file()}, {upload.name: file()}, {f"{upload.name}-kept": "1"}, {}):
        send(client, admission, **sent)

    assert [round(seconds, -1) for seconds in slept] == [200, 200, 200, 10]


def test_a_conference_goes_with_its_questions_and_answers(client: Client) -> None:
    admission = AdmissionFactory(session=None, conference=ConferenceFactory())
    first = ask(admission.conference, "yes_no")
    second = ask(admission.conference, show_if=first, show_if_answers=["yes"])
    send(client, admission, **{first.name: "yes", second.name: "x"})
    assert QuestionAnswer.objects.count() == 2
    with pytest.raises(RestrictedError):
        first.delete()

    Registration.objects.all().delete()  # they protect it
    admission.conference.delete()

    assert (Question.objects.count(), QuestionAnswer.objects.count()) == (0, 0)


# --- one's own, erasing, retention ------------------------------------------------------------------------------------


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
