"""Papers that prove something are left to a worker when they are long, and what a worker makes is the same paper."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from events import jobs
from events.documents import DocumentFailed, pdf
from events.models import Job, JobState
from outbox import services
from registration.exports import papers
from registration.models import DeletionProof
from tests.factories import ConferenceFactory, ParticipantFactory, RoleFactory

pytestmark = pytest.mark.django_db


def test_long_proofs_of_deletion_are_made_by_a_worker(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "LARGE_PROOFS", 1)
    conference = ConferenceFactory()
    client.force_login(RoleFactory(kind="organiser", conference=conference).user)
    today = timezone.now().date()
    for rule in ("needs", "=cmd"):
        DeletionProof.objects.create(conference=conference, rule=rule, version=1, on_day=today, count=3, days=30)
    address = f"/admin/events/conference/{conference.pk}/data-life/proofs/"

    ordered = client.get(address)
    services.drain(jobs.GROUP)

    job = Job.objects.get(kind=papers.DELETIONS)
    assert ordered.headers["Location"].endswith(f"/long-work/{job.public_id}/")
    lines = bytes(job.result).decode().splitlines()
    assert (job.state, job.total, len(lines)) == (JobState.DONE, 2, 3)
    assert [line.split(",")[1] for line in lines[1:]] == ["'=cmd", "needs"]
    assert client.get(f"{address}?rule=needs").content.decode().splitlines()[1:] == lines[2:]


def test_a_ledger_that_cannot_be_set_says_what_to_do(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(content: bytes, **more: Any) -> bytes:
        raise DocumentFailed

    person = ParticipantFactory()
    client.force_login(RoleFactory(kind="organiser", conference=person.conference).user)
    monkeypatch.setattr(pdf, "typeset", fails)
    page = client.get(f"/admin/events/conference/{person.conference.pk}/consents/people/{person.public_id}/proof.pdf")

    assert page.status_code == 302
    assert "Order it again in a minute." in client.get(page.headers["Location"]).text
