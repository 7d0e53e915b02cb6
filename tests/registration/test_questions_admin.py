"""Questions and answers in the admin: what a question may become, who reads what, on the record, and files of it."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import AuditEntry
from events import cloning
from events.admin import pages
from registration.models import Participant, Question, QuestionAnswer
from tests.factories import NOW, AdmissionFactory, QuestionFactory, RoleFactory
from tests.forms import fields
from tests.registration.test_questions import PDF, ask, file, send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time, so that registration is open."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def asked(client: Client) -> dict[str, Question]:
    """A conference with questions that two people have answered, one of them under an alias."""
    admission = AdmissionFactory()
    conference = admission.conference
    found = {
        "text": ask(conference, "text", label={"en": "Name of the bus line"}),
        "choices": ask(conference, "choices", options="soup bread", label={"en": "Lunch"}),
        "file": ask(conference, "file", label={"en": "Letter"}),
        "secret": ask(conference, "lines", readers="confidential", label={"en": "Allergies"}),
    }
    values: dict[str, Any] = {
        found["text"].name: "=1+1",
        found["choices"].name: ["soup", "bread"],
        found["file"].name: file(),
        found["secret"].name: "Erdnuss",
    }
    for name, more in (("ada", {}), ("eve", {"alias": "Falke", "accessibility_needs": "Rampe"})):
        answers = values | {found["choices"].name: ["soup"]} if more else values
        values = values | {found["file"].name: file()}
        response = send(client, admission, **answers | {"email": f"{name}@mail.example", "given_name": name} | more)
        assert response.status_code == 303
        values[found["file"].name] = file()
    return found


def signed_in(kind: str, question: Question) -> Client:
    """A browser in which somebody with a role at the conference is signed in."""
    client = Client()
    client.force_login(RoleFactory(kind=kind, conference=question.conference).user)
    return client


# --- the question -----------------------------------------------------------------------------------------------------


def saved(client: Client, question: Question, **values: Any) -> Any:
    """Change a question on its page."""
    page = reverse("admin:registration_question_change", args=[question.pk])
    data = fields(client.get(page).text, "question_form") | values
    return client.post(page, data | {"_save": "1"})


def test_a_question_with_options_is_made_on_one_page_and_depends_on_one_above(client: Client) -> None:
    source = QuestionFactory(kind="yes_no", position=5)
    organiser = signed_in("organiser", source)
    page = reverse("admin:registration_question_add") + f"?conference={source.conference.pk}"
    data = fields(organiser.get(page).text, "question_form") | {
        "conference": source.conference.pk, "kind": "choice", "label_en": "Which?", "help_en": "We count.",
        "retention_days": "30", "position": "7", "readers": "organisers", "_save": "1",
    }  # fmt: skip

    too_few = organiser.post(page, data)
    options = {"options-TOTAL_FORMS": "2", "options-0-label_en": "One", "options-0-position": "1",
               "options-1-label_en": "Two", "options-1-position": "2"}  # fmt: skip
    response = organiser.post(page, data | options)

    assert "Give at least two options." in too_few.text
    assert response.status_code == 302, re.findall("errorlist.*", response.text)
    made = Question.objects.exclude(pk=source.pk).get()
    assert [str(option.label) for option in made.options.all()] == ["One", "Two"]
    assert saved(organiser, made, condition=[f"{source.pk}:no"]).status_code == 302
    made.refresh_from_db()
    assert (made.show_if, made.show_if_answers) == (source, ["no"])


def test_conditions_lead_upwards_to_one_question_only(client: Client) -> None:
    first = QuestionFactory(kind="yes_no", position=1)
    second = QuestionFactory(
        kind="yes_no", position=2, conference=first.conference, show_if=first, show_if_answers=["yes"]
    )
    third = QuestionFactory(kind="text", position=3, conference=first.conference)
    organiser = signed_in("organiser", first)

    circle = saved(organiser, first, condition=[f"{second.pk}:yes"])
    two = saved(organiser, third, condition=[f"{first.pk}:yes", f"{second.pk}:yes"])
    moved = saved(organiser, first, position="9")
    page = pages.url("questions", first.conference)
    listed = organiser.get(page)
    reordered = organiser.post(page, {f"position-{first.pk}": "9"}, follow=True)
    swapped = organiser.post(page, {f"position-{third.pk}": "0"}, follow=True)

    assert "must stand further up" in circle.text
    assert "Choose answers to one question only." in two.text
    assert "stands further up" in moved.text
    assert "must stay below" in reordered.text
    assert "The order is changed." in swapped.text
    assert list(Question.objects.in_form_order()) == [third, first, second]
    assert f"{first.label}: Yes" in listed.text


@pytest.mark.parametrize(
    "values",
    [{"retention_days": 0}, {"retention_days": 3651}, {"show_if_answers": ["yes"]}, {"kind": "x"}, {"readers": "x"}],
)
def test_the_database_keeps_questions_whole(values: dict[str, Any]) -> None:
    question = QuestionFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.filter(pk=question.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.filter(pk=question.pk).update(show_if=question, show_if_answers=["yes"])


def test_what_was_promised_to_those_who_answered_is_kept(asked: dict[str, Question]) -> None:
    organiser = signed_in("organiser", asked["text"])
    lunch, secret = asked["choices"], asked["secret"]
    option = lunch.options.get(key="bread")

    longer = saved(organiser, lunch, retention_days="31")
    wider = saved(organiser, secret, readers="organisers")
    gone = saved(organiser, lunch, **{"options-1-DELETE": "on"})
    retired = saved(organiser, lunch, **{"options-1-is_retired": "on"}, retention_days="10")
    page = organiser.get(reverse("admin:registration_question_change", args=[lunch.pk])).text
    deleted = organiser.post(reverse("admin:registration_question_delete", args=[lunch.pk]), {"post": "yes"})

    assert "not lengthen it" in longer.text
    assert "answered in confidence" in wider.text
    assert "retire an option instead of deleting it" in gone.text
    assert retired.status_code == 302
    option.refresh_from_db()
    lunch.refresh_from_db()
    assert (option.is_retired, lunch.retention_days) == (True, 10)
    assert 'name="kind"' not in page
    assert deleted.status_code == 200
    assert Question.objects.filter(pk=lunch.pk).exists()


# --- answers ----------------------------------------------------------------------------------------------------------


def test_organisers_read_answers_and_nothing_confidential(asked: dict[str, Question]) -> None:
    organiser = signed_in("organiser", asked["text"])
    conference = asked["text"].conference
    person = Participant.objects.get(display_name="Falke")

    page = organiser.get(pages.url("answers", conference)).text
    own = organiser.get(reverse("admin:registration_participant_change", args=[person.pk])).text

    assert "Falke" in page
    assert "mail.example" not in page
    assert "=1+1" in page
    assert re.findall(r"(Soup|Bread)</th><td[^>]*>(\d+)", page) == [("Soup", "2"), ("Bread", "1")]
    assert "=1+1" in own
    assert "Only readers of confidential answers see this." in own
    assert all(secret not in page + own for secret in ("Erdnuss", "Rampe", "Allergies"))
    read = AuditEntry.objects.filter(action__endswith="_read").order_by("pk")
    assert [(one.action, len(one.details["questions"])) for one in read] == [
        ("conference.answers_read", 3), ("participant.answers_read", 3),
    ]  # fmt: skip
    assert "Erdnuss" not in str(list(read.values()))


def test_the_group_of_its_own_reads_what_is_confidential_and_nothing_else(asked: dict[str, Question]) -> None:
    reader = signed_in("confidential", asked["text"])
    conference = asked["text"].conference
    person = Participant.objects.get(display_name="Falke")

    page = reader.get(pages.url("confidential-answers", conference))

    assert all(word in page.text for word in ("Erdnuss", "Rampe", "Falke", "Allergies"))
    assert "=1+1" not in page.text
    assert reader.get(pages.url("answers", conference)).status_code == 403
    assert reader.get(reverse("admin:registration_participant_change", args=[person.pk])).status_code in {403, 404}
    assert set(AuditEntry.objects.filter(action__endswith="_read").values_list("action", flat=True)) == {
        "conference.answers_read", "conference.needs_read",
    }  # fmt: skip


def test_files_of_answers_hold_display_names_and_no_formula(asked: dict[str, Question]) -> None:
    organiser, reader = (signed_in(kind, asked["text"]) for kind in ("organiser", "confidential"))
    conference = asked["text"].conference

    def get(client: Client, page: str, kind: str) -> Any:
        return client.get(pages.url(page, conference, kind=kind))

    csv = get(organiser, "answers-file", "csv").content.decode().splitlines()
    book = load_workbook(io.BytesIO(get(organiser, "answers-file", "xlsx").content))
    secret = get(reader, "confidential-answers-file", "csv").content.decode()

    assert csv[0] == '"Display name","Name of the bus line","Lunch","Letter"'
    assert csv[2] == '"Falke","\'=1+1","Soup","PDF (17\xa0bytes)"'
    assert [cell.data_type for cell in book["Answers"][2]] == ["s"] * 4
    assert secret.splitlines()[2] == '"Falke","Erdnuss","Rampe"'
    assert get(organiser, "confidential-answers-file", "csv").status_code == 403
    assert get(organiser, "answers-file", "exe").status_code == 404


def test_a_file_leaves_as_an_attachment_on_the_record_and_not_to_the_wrong_reader(asked: dict[str, Question]) -> None:
    conference = asked["text"].conference
    answer = QuestionAnswer.objects.filter(question=asked["file"]).earliest("pk")
    Question.objects.filter(pk=asked["file"].pk).update(readers="organisers")
    organiser, reader = (signed_in(kind, asked["text"]) for kind in ("organiser", "confidential"))
    address = pages.url("answer-file", conference, answer=answer.public_id)
    secret_address = pages.url("confidential-answer-file", conference, answer=answer.public_id)

    response = organiser.get(address)

    assert response.content == PDF
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'attachment; filename="answer.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert AuditEntry.objects.filter(action="participant.answer_file_read").count() == 1
    assert reader.get(address).status_code == 403
    assert reader.get(secret_address).status_code == 404
    text = QuestionAnswer.objects.filter(question=asked["text"]).earliest("pk")
    assert organiser.get(pages.url("answer-file", conference, answer=text.public_id)).status_code == 404
    other = signed_in("organiser", QuestionFactory())
    assert other.get(address).status_code == 404


def test_deleted_answers_say_when(asked: dict[str, Question]) -> None:
    conference = asked["text"].conference
    QuestionAnswer.objects.all().delete()
    Question.objects.update(answers_deleted_at=NOW + timedelta(days=50))

    page = signed_in("organiser", asked["text"]).get(pages.url("answers", conference)).text

    assert "Deleted on 21 August 2030" in page


def test_the_next_edition_asks_the_same_and_knows_no_answer(asked: dict[str, Question]) -> None:
    source = asked["text"].conference
    Question.objects.filter(pk=asked["secret"].pk).update(show_if=asked["choices"], show_if_answers=["soup"])
    asked["choices"].options.filter(key="bread").update(is_retired=True)
    Question.objects.filter(pk=asked["file"].pk).update(is_asked=False)
    assert source.starts_on is not None

    target = cloning.clone(
        conference_id=source.pk, slug="next", edition=None, starts_on=source.starts_on + timedelta(days=364)
    )

    copies = {str(question.label): question for question in Question.objects.filter(conference=target)}
    assert set(copies) == {"Name of the bus line", "Lunch", "Allergies"}
    assert copies["Allergies"].show_if == copies["Lunch"]
    assert [option.key for option in copies["Lunch"].options.all()] == ["soup"]
    assert QuestionAnswer.objects.filter(question__conference=target).count() == 0
