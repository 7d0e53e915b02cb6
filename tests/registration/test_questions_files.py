"""Files as answers: known by their content, kept sealed while errors are corrected, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import RestrictedError
from django.test import Client

from registration import private_pages, services, tasks
from registration.models import (
    KeptUpload,
    Participant,
    Question,
    QuestionAnswer,
    Registration,
)
from registration.questions import answers
from tests.factories import NOW, AdmissionFactory, ConferenceFactory
from tests.registration.register_pages import address, filled, text
from tests.registration.test_erasure import tables_with
from tests.registration.test_questions import PDF, ask, file, send, stored, word

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


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
