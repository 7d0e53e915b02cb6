"""One person touched from two sides at once: accepting, erasing, merging, correcting, taking a consent back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from accounts import actors
from registration import services
from registration.models import (
    Consent,
    Invitation,
    MemberState,
    Participant,
    Purpose,
    Registration,
)
from registration.services import (
    consents,
    delegations,
    erasure,
    joining,
    merging,
)
from tests.factories import NOW, AdmissionFactory, ParticipantFactory
from tests.registration.people import applicant, loaded
from tests.registration.test_delegation_views import a_delegation
from tests.registration.test_delegations import nominate, nominee
from tests.registration.test_invitations import invite

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def at_once(first: Callable[[], object], second: Callable[[], object], started: threading.Event) -> None:
    """Do the second while the first is in the middle, as `started` tells; errors of either are raised."""

    def do(job: Callable[[], object], waits: bool) -> None:
        try:
            if waits:
                assert started.wait(10)
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(do, first, False), pool.submit(do, second, True)]:
            done.result(30)


def pausing(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> threading.Event:
    """Let a function wait before it begins, for as long as another transaction needs to run into its locks."""
    started, really = threading.Event(), getattr(module, name)

    def waits(*args: Any, **kwargs: Any) -> Any:
        if not started.is_set():
            started.set()
            threading.Event().wait(0.7)
        return really(*args, **kwargs)

    monkeypatch.setattr(module, name, waits)
    return started


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_erasing_and_merging_wait_for_an_invitation_that_is_being_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    person, twin, other = (ParticipantFactory(conference=conference) for _ in range(3))
    seen = merging.plan(stays_id=other.pk, goes_id=twin.pk).seen
    beside: list[tuple[Participant, Callable[[], object]]] = [
        (person, partial(erasure.erase, participant_id=person.pk, by=actors.SYSTEM, now=NOW)),
        (twin, partial(merge_if_unchanged, other, twin, seen)),
    ]
    for who, job in beside:
        email = who.open_identity().email
        invitation = Invitation.objects.get(pk=invite(admission, email=email).pk)
        accept = partial(
            services.register, conference=conference, admissions=loaded(admission), applicant=applicant(email=email),
            form_token=f"token-{who.pk}", now=NOW, invitation=invitation,
        )  # fmt: skip
        with monkeypatch.context() as patch:
            at_once(accept, job, pausing(patch, joining, "_find_or_make"))
        assert Invitation.objects.get(pk=invitation.pk).state == "accepted"


def merge_if_unchanged(stays: Participant, goes: Participant, seen: str) -> None:
    """Merge, or be told that the other came first."""
    with contextlib.suppress(merging.PlanChanged):
        merging.merge(stays_id=stays.pk, goes_id=goes.pk, seen=seen, from_other=(), by=actors.SYSTEM, now=NOW)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_taking_a_consent_back_while_the_nomination_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    [made] = nominate(a_delegation(), nominee())
    delegations.confirm(membership_id=made.membership.pk, is_listed=True, now=NOW)
    person = Participant.objects.get()
    started = pausing(monkeypatch, consents, "append")

    at_once(
        lambda: consents.withdraw(participant_id=person.pk, purpose=Purpose.LIST, language="en", now=NOW),
        lambda: delegations.withdraw(membership_id=made.membership.pk, by=actors.SYSTEM, now=NOW),
        started,
    )

    made.membership.refresh_from_db()
    assert (made.membership.state, made.membership.listed_at) == (MemberState.WITHDRAWN, None)
    assert not Consent.objects.newest().get().is_given


def test_correcting_and_deleting_after_somebody_else_merged_the_row_is_no_error(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = ParticipantFactory()
    token = person.personal_token
    found = services.access.find_personal(token)
    monkeypatch.setattr(services, "find_personal", lambda _token: found)  # as it was an instant ago
    Participant.objects.filter(pk=person.pk).delete()

    correction = {"category": "academia", "given_name": "Ada", "family_name": "Guest", "language": "en"}
    answers = [
        client.post(f"/r/{token}/correct/", correction),
        client.post(f"/r/{token}/address/", {"email": "new@mail.example"}),
        client.post(f"/r/{token}/consents/", {"purpose": "photo", "answer": "give"}),
        client.post(f"/r/{token}/delete/"),
    ]

    assert [answer.status_code for answer in answers] == [404, 422, 303, 404]
    assert not Registration.objects.exists()
