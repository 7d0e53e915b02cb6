"""Questions of organisers on the form: who is asked, what is kept of an answer, and at what cost."""

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
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registration import selectors, services, views
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
