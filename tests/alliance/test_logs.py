"""What a log line may hold: types, places in the code, ids and routes; never a name, an address or a personal link."""

from __future__ import annotations

import io
import json
import logging
from logging.config import dictConfig
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.test import Client

from alliance import logs
from registration.models import Participant
from tests.factories import ParticipantFactory

CANARY = "Canaryname"


@pytest.fixture
def lines() -> Any:
    """The lines that the house's own formatter writes."""
    stream = io.StringIO()
    dictConfig(logs.configuration(as_json=True))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    dictConfig(settings.LOGGING)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x1b[2J", "\u2028", "\x85", "\0"])
def test_nobody_writes_a_line_of_their_own(lines: Any, end: str) -> None:
    forged = f'x{end}{{"event": "request", "status": 200}}'

    logging.getLogger("registration").warning("Refused %s", forged, extra={"kind": forged})

    [line] = lines()
    assert (line["event"], line["kind"]) == (f"Refused {forged}", forged)
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    assert not set(handler.stream.getvalue().rstrip("\n")) & set("\r\n\x1b\u2028\x85\0")


@pytest.mark.django_db
def test_failing_row_is_not_quoted(lines: Any) -> None:
    participant = ParticipantFactory(display_name=CANARY)

    with pytest.raises(IntegrityError, match=CANARY) as raised:  # PostgreSQL does quote the row
        Participant.objects.filter(pk=participant.pk).update(category="unknown")
    logging.getLogger("registration").error("A write failed", exc_info=raised.value)

    [line] = lines()
    assert CANARY not in json.dumps(line)
    assert line["event"] == "A write failed"
    assert line["exception"][0]["type"] == "IntegrityError"
    assert line["exception"][1]["constraint"] == "participant_category_is_known"


@pytest.mark.django_db
def test_failing_request_is_logged_without_its_path(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(token: str) -> None:
        raise RuntimeError(token)

    monkeypatch.setattr("registration.services.find_personal", broken)

    answer = Client(raise_request_exception=False).get("/r/secret-token-canary/?email=canary@mail.example")

    assert answer.status_code == 500
    written = lines()
    assert {line["logger"] for line in written} >= {"django.request", "alliance.request"}
    assert "canary" not in json.dumps(written)
    assert [line["route"] for line in written if line["event"] == "request"] == ["r/<str:token>/"]


def test_terminal_shows_types_and_places_without_words(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    dictConfig(logs.configuration(as_json=False))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    try:
        try:
            raise ValueError(CANARY)
        except ValueError:
            logging.getLogger("registration").exception("A write failed")
    finally:
        dictConfig(settings.LOGGING)

    lines = stream.getvalue().splitlines()
    assert "A write failed" in lines[0]
    assert lines[1] == "ValueError"
    assert "test_terminal_shows_types_and_places_without_words" in lines[2]
    assert CANARY not in stream.getvalue() + capsys.readouterr().err


def test_task_that_fails_is_logged_without_its_text(lines: Any) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("celery.app.trace").exception("Task failed: %s", CANARY, extra={"data": {"args": CANARY}})

    assert CANARY not in json.dumps(lines())
