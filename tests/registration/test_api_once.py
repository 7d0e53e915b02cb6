"""Requests to the API that are sent twice, one after the other or at once, and carried out once."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from outbox.models import Message
from registration.models import (
    Delegation,
    IdempotencyKey,
    Membership,
)
from tests.factories import NOW
from tests.registration.tokens import Program, path_of, person, problem, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]


def test_repeat_gets_the_same_answer_and_does_nothing(program: Program) -> None:
    first = program.post("/participants/", person(), Idempotency_Key="one")
    again = program.post("/participants/", person(), Idempotency_Key="one")

    assert (again.status_code, again.content, again.headers["Location"]) == (
        201,
        first.content,
        first.headers["Location"],
    )
    assert Membership.objects.count() == 1
    assert Message.objects.filter(topic="delegation.nominated").count() == 1
    kept = json.dumps(IdempotencyKey.objects.get().answer)
    assert "Lena" not in kept
    assert "@" not in kept


def test_key_with_another_request_is_refused(program: Program, member: Membership) -> None:
    program.post("/participants/", person(5), Idempotency_Key="one")

    problem(program.post("/participants/", person(6), Idempotency_Key="one"), 409, "idempotency-key-reused")
    other = program.send("DELETE", path_of(member), Idempotency_Key="one", If_Match="*")
    problem(other, 409, "idempotency-key-reused")


def test_keys_of_tokens_are_apart_and_last_a_day(delegation: Delegation, program: Program) -> None:
    program.post("/participants/", person(1), Idempotency_Key="one")

    assert Program(token(delegation)).post("/participants/", person(2), Idempotency_Key="one").status_code == 201
    with time_machine.travel(NOW + timedelta(hours=24, seconds=1), tick=False):
        assert program.post("/participants/", person(3), Idempotency_Key="one").status_code == 201


def test_refused_request_keeps_no_answer(program: Program) -> None:
    problem(program.post("/participants/", {}, Idempotency_Key="one"), 400, "invalid-parameters")

    assert program.post("/participants/", person(), Idempotency_Key="one").status_code == 201


@pytest.mark.parametrize(("method", "rest"), [("PATCH", ""), ("DELETE", ""), ("POST", "substitute/")])
def test_repeated_change_gets_the_same_answer_though_the_row_has_changed(
    method: str, rest: str, program: Program, member: Membership
) -> None:
    body = {"function": "Adviser"} if method == "PATCH" else person(2) if rest else None
    headers = {"Idempotency_Key": "one", "If_Match": program.etag(path_of(member))}

    first = program.send(method, path_of(member) + rest, body, **headers)
    again = program.send(method, path_of(member) + rest, body, **headers)

    assert first.status_code in {201, 204}
    assert (again.status_code, again.content) == (first.status_code, first.content)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_it_once(delegation: Delegation) -> None:
    secret = token(delegation)
    start = threading.Barrier(2)
    said: list[tuple[int, bytes]] = []

    def send() -> None:
        program = Program(secret)
        start.wait()
        answer = program.post("/participants/", person(), Idempotency_Key="one")
        said.append((answer.status_code, answer.content))
        connection.close()

    threads = [threading.Thread(target=send) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert said[0] == said[1]
    assert said[0][0] == 201
    assert Membership.objects.count() == 1
