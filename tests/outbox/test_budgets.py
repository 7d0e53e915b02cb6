"""No more leaves in a minute than a destination bears, however many workers there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from outbox import budgets, services
from outbox.delivery import drain
from outbox.models import Budget, Message, MessageState
from tests.factories import NOW
from tests.outbox.conftest import Handler, mail_for, queued, row

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def limits(settings: Any) -> dict[str, int]:
    settings.OUTBOX_PER_MINUTE = {"mail": 3}
    found: dict[str, int] = settings.OUTBOX_PER_MINUTE
    return found


def test_way_out_gets_its_share_each_minute(handler: Handler) -> None:
    queued(7)

    reports = [drain("mail", now=NOW + minutes * MINUTE).sent for minutes in (0, 0, 1, 2, 3)]

    assert reports == [3, 0, 3, 1, 0]
    assert not Message.objects.filter(attempts__gt=1).exists()


def test_what_was_reserved_and_not_used_is_given_back(handler: Handler) -> None:
    for _ in range(3):
        queued(1)
        assert drain("mail", now=NOW).sent == 1
    queued(1)
    assert drain("mail", now=NOW).sent == 0


def test_mails_to_one_domain_wait_and_others_leave(handler: Handler, limits: dict[str, int]) -> None:
    limits.clear()
    limits["slow.example"] = 1
    slow, alsoslow, fast = queued(3)
    domains = {slow.about_id: "slow.example", alsoslow.about_id: "SLOW.example", fast.about_id: "fast.example"}
    handler.does = lambda message, now: replaced(message, domains)

    report = drain("mail", now=NOW)

    assert (report.sent, report.retried) == (2, 1)
    waiting = Message.objects.get(pk=alsoslow.pk)
    assert (waiting.state, waiting.attempts) == (MessageState.QUEUED, 0)
    assert NOW + MINUTE <= waiting.next_attempt_at <= NOW + MINUTE + timedelta(seconds=5)
    assert drain("mail", now=NOW + 2 * MINUTE).sent == 1


def replaced(message: Message, domains: dict[Any, str]) -> Any:
    mail = mail_for(message)
    return type(mail)(to=f"ada@{domains[message.about_id]}", subject=mail.subject, text=mail.text)


def test_nothing_set_nothing_limited(handler: Handler, limits: dict[str, int]) -> None:
    limits.clear()

    assert budgets.take("mail", 20, now=NOW) == 20
    assert not Budget.objects.exists()


# --- upkeep ----------------------------------------------------------------------------------------------------------


def test_what_is_done_with_is_forgotten_in_time_and_nothing_else() -> None:
    old = NOW - timedelta(days=django_settings.OUTBOX_KEEP_DAYS, seconds=1)
    older = NOW - 10 * timedelta(days=django_settings.OUTBOX_KEEP_DAYS) - timedelta(seconds=1)
    gone = [row(state=state, finished_at=old) for state in (MessageState.SENT, MessageState.SUPERSEDED)]
    gone.append(row(state=MessageState.DEAD, finished_at=older))
    kept = [
        row(state=MessageState.SENT, finished_at=NOW),
        row(state=MessageState.DEAD, finished_at=old),
        row(state=MessageState.HELD, created_at=older),
        row(created_at=older),
    ]

    assert services.forget_old(now=NOW) == len(gone)

    assert set(Message.objects.values_list("pk", flat=True)) == {message.pk for message in kept}
