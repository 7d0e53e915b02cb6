"""Guessing passwords and codes: how often, and what is counted."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import attempts
from accounts.models import AttemptCount, AuditEntry, User
from tests.accounts.signing_in import CODE, LOGIN, code, sign_in, with_app

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("required")]


def test_wrong_passwords_are_limited_and_the_right_one_is_not_tried(client: Client, staff: User) -> None:
    for _number in range(10):
        sign_in(client, password="wrong")

    refused = sign_in(client)
    elsewhere = sign_in(Client(), REMOTE_ADDR="203.0.113.9")

    assert re.search(r"Too many attempts. Wait for \d+ min", refused.text)
    assert elsewhere.status_code == 302, "somebody elsewhere is not locked out by it"
    entry = AuditEntry.objects.get(action="sign_in.blocked")
    assert (entry.about_id, entry.details) == (staff.public_id, {"limit": "password-both"})
    assert "Zu viele Versuche" in client.post("/de/accounts/login/", {"login": staff.email, "password": "x"}).text


def test_unknown_accounts_are_counted_and_recorded_alike(client: Client, staff: User) -> None:
    counts = []
    for email in (staff.email, "nobody@office.example"):
        found = []
        for _number in range(12):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                sign_in(client, email=email, password="wrong")
            found.append(len(queries))
        counts.append(found)

    assert counts[0] == counts[1]
    assert AuditEntry.objects.filter(action="sign_in.blocked").count() == 2
    assert not [who for who in AttemptCount.objects.values_list("who", flat=True) if b"office" in bytes(who)]


def test_right_passwords_do_not_count(client: Client, staff: User) -> None:
    with_app(staff)
    for _number in range(12):
        assert sign_in(Client()).status_code == 302

    assert set(AttemptCount.objects.values_list("used", flat=True)) == {0}


def test_wrong_codes_are_limited(client: Client, staff: User) -> None:
    with_app(staff)
    sign_in(client)
    for number in range(10):
        client.post(CODE, {"code": f"00000{number}"})

    refused = client.post(CODE, {"code": code()}, REMOTE_ADDR="203.0.113.9")

    assert "Too many attempts" in refused.text


def test_a_network_has_room_for_an_office_and_no_more(rf: Any) -> None:
    request = rf.post(LOGIN, REMOTE_ADDR="2001:db8::1")
    neighbour = rf.post(LOGIN, REMOTE_ADDR="2001:db8::2")
    now = timezone.now()
    for number in range(100):
        attempts.claim("password", request, account=f"{number}@office.example", now=now)

    with pytest.raises(attempts.TooMany) as refused:
        attempts.claim("password", neighbour, account="one@office.example", now=now)

    assert 1 <= refused.value.minutes <= 15
    attempts.claim("password", request, account="one@office.example", now=now + timedelta(minutes=15))


def test_old_counts_are_forgotten(rf: Any) -> None:
    attempts.claim("reset", rf.post(LOGIN), account="x", now=timezone.now() - timedelta(days=2))
    attempts.claim("reset", rf.post(LOGIN), account="x")

    attempts.forget_old(now=timezone.now())

    assert AttemptCount.objects.count() == 2


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_further_than_one_after_the_other(rf: Any) -> None:
    request, now, got = rf.post(LOGIN), timezone.now(), []
    gate = threading.Barrier(8)

    def tries() -> None:
        gate.wait()
        for _number in range(4):
            try:
                attempts.claim("password", request, account="office@office.example", now=now)
            except attempts.TooMany:
                continue
            got.append(1)
        connection.close()

    threads = [threading.Thread(target=tries) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 10
