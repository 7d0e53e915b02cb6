"""Files about people: registrations as a table, and what is too large for a request."""

from __future__ import annotations

import io
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from accounts import actors
from accounts.models import AuditEntry
from alliance import crypto
from events import jobs
from events.admin import pages
from events.models import Job, JobState
from outbox.models import Message
from registration.exports import work as exports
from registration.figures import files as figure_files
from registration.models import Registration, RegistrationStatus
from registration.services import erasure
from tests.browsers import signed_in
from tests.factories import (
    NOW,
    AdmissionFactory,
    CountryFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db
LIST = "/admin/registration/registration/"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def registered() -> list[Registration]:
    """Somebody whose name would be a formula, an alias, and somebody who was taken down."""
    admission = AdmissionFactory(session=SideEventFactory(title={"en": "A side event"}))
    data: dict[str, Any] = {
        "conference": admission.conference,
        "country": CountryFactory(name={"en": "Ruritania"}),
        "organisation_text": "Secret Body",
        "function": "Baker",
    }
    people = [
        ParticipantFactory(display_name="=1+1", **data | {"organisation_text": "Open Body"}),
        ParticipantFactory(display_name="Wren", has_alias=True, **data),
        ParticipantFactory(display_name="Hidden Person", taken_down_at=NOW, **data),
    ]
    return [
        RegistrationFactory(admission=admission, participant=one, status=RegistrationStatus.WAITLISTED, position=at)
        for at, one in zip((3, 8, 9), people, strict=True)
    ]


def order(client: Client, registrations: list[Registration], action: str = "workbook_of_selected") -> Any:
    """What the action answers."""
    return client.post(LIST, {"action": action, "_selected_action": [one.pk for one in registrations]})


def done(where: str) -> Job:
    """The work of that page, after a worker."""
    job = Job.objects.get(public_id=where.rstrip("/").split("/")[-1])
    jobs.handle(Message.objects.get(about_id=job.public_id), now=timezone.now())
    job.refresh_from_db()
    return job


def test_table_has_the_columns_of_the_role_and_aliases_alone(registered: list[Registration]) -> None:
    conference = registered[0].admission.conference

    answer = order(signed_in("organiser", conference), registered)
    slim = order(signed_in("communications", conference), registered, "csv_of_selected").content.decode("utf-8-sig")

    page = load_workbook(io.BytesIO(answer.content)).active
    assert page is not None
    head, *lines = [[cell.value for cell in row] for row in page.iter_rows()]
    first, second = (dict(zip(head, line, strict=True)) for line in lines)
    assert (first["Display name"], page["A2"].data_type) == ("=1+1", "s")
    assert (first["Organisation"], first["Country"], first["Place in line"]) == ("Open Body", "Ruritania", 1)
    assert {name: second[name] for name in ("Display name", "Category", "Country", "Organisation", "Function")} == {
        "Display name": "Wren", "Category": None, "Country": None, "Organisation": None, "Function": None,
    }  # fmt: skip
    assert second["Place in line"] == 2
    assert "First checked in at" in head
    assert "no-store" in answer["Cache-Control"]
    assert '"\'=1+1"' in slim
    assert "Open Body" not in slim
    assert "Hidden Person" not in slim
    read = AuditEntry.objects.filter(action="conference.registrations_read").order_by("pk")
    assert [one.details for one in read] == [
        {"rows": 2, "people": True, "door": True}, {"rows": 2, "people": False, "door": False},
    ]  # fmt: skip


def test_large_table_waits_for_its_owner_until_somebody_is_erased(
    registered: list[Registration], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    conference = registered[0].admission.conference
    monkeypatch.setattr(exports, "LARGE_REGISTRATIONS", 1)
    client = signed_in("organiser", conference)
    fetched = done(order(client, registered)["Location"])
    file = f"/admin/events/conference/long-work/{fetched.public_id}/file/"
    assert load_workbook(io.BytesIO(client.get(file).content)).active is not None
    assert signed_in("organiser", conference).get(file).status_code == 404
    running = order(client, registered)["Location"]
    with monkeypatch.context() as patched:  # somebody is erased while a worker is at the last line

        def erased_meanwhile(*_args: Any, **_more: Any) -> bytes:
            with django_capture_on_commit_callbacks(execute=True):
                erasure.erase(participant_id=registered[1].participant_id, by=actors.SYSTEM, now=NOW)
            return b"Wren"

        patched.setattr(figure_files, "as_workbook", erased_meanwhile)
        stopped = done(running)

    assert client.get(file).status_code == 404
    assert "Order it again" in client.get(file.removesuffix("file/")).text
    assert (stopped.state, bytes(stopped.result)) == (JobState.CANCELLED, b"")


def test_large_list_of_another_platform_is_read_by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SideEventFactory()
    client = signed_in("organiser", session.conference)
    address = pages.url("external-lists", session.conference)
    monkeypatch.setattr(exports, "_LARGE_TEXT", 10)
    file = SimpleUploadedFile("list.csv", b"Name,Email\nZubaida,zubaida@mail.example\n")

    job = done(client.post(address, {"session": str(session.public_id), "file": file})["Location"])
    page = client.get(job.result_url)
    others = signed_in("organiser", session.conference).get(job.result_url)

    assert (job.state, bytes(job.upload)) == (JobState.DONE, b"")
    assert b"zubaida" not in crypto.decrypt(bytes(job.result).decode()).encode().lower()
    assert page.status_code == 200
    assert 'name="sheet"' in page.text
    assert others.status_code == 404


def test_other_files_are_left_to_a_worker_when_they_are_large(
    registered: list[Registration], monkeypatch: pytest.MonkeyPatch
) -> None:
    conference = registered[0].admission.conference
    client = signed_in("organiser", conference)
    for name in ("LARGE_REGISTRATIONS", "LARGE_ANSWERS", "LARGE_LISTING"):
        monkeypatch.setattr(exports, name, -1)

    where = [
        client.get(pages.url(name, conference, kind="csv"))["Location"]
        for name in ("figure-file", "answers-file", "participants")
    ]

    assert [done(one).state for one in where] == [JobState.DONE] * 3
