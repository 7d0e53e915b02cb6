"""The recipes of docs/api.md, run as they are written there against a real server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from django.utils import timezone

from alliance.api.router import ROUTES
from registration.models import Admission, Membership, WebhookDelivery, WebhookSubscription
from registration.webhooks import deliveries as webhooks
from tests.factories import (
    AdmissionFactory,
    ConferenceFactory,
    ContributionFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.registration.tokens import a_delegation, token

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def recipe(title: str, language: str) -> str:
    """The code of a recipe."""
    section = GUIDE.partition(f"## Recipe: {title}\n")[2].partition("\n## ")[0]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found, f"no {language} under {title}"
    return found[1]


@pytest.fixture
def api(transactional_db: None, live_server: Any, settings: Any) -> str:
    """A real server with a conference of two side events, one of which has a limit; the API's address."""
    settings.SITE_URL = live_server.url
    conference = ConferenceFactory(slug="alliance-20", title={"en": "20th Conference", "fr": "20e Conférence"})
    limited = SideEventFactory(conference=conference, position=1, title={"en": "Trust", "fr": "Confiance"})
    open_to_all = SideEventFactory(
        conference=conference, position=2, title={"en": "Survey"}, starts_at=None, ends_at=None
    )
    ContributionFactory(session=limited, person__display_name="Ada Speaker", status="tbc")
    ContributionFactory(session=limited, person=None, unnamed_label={"en": "Representative of local authorities"})
    RegistrationFactory(admission=AdmissionFactory(session=limited, capacity=3))
    AdmissionFactory(session=open_to_all)
    AdmissionFactory(session=None, conference=conference, is_closed=True)
    return f"{live_server.url}/api/v1"


def run(command: list[str], code: str, directory: Path, api: str) -> str:
    """What the program prints. Fails when it does."""
    done = subprocess.run(
        command,
        input=code,
        cwd=directory,
        env={**os.environ, "API": api},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_mirror_in_python_prints_the_programme_and_asks_conditionally(api: str, tmp_path: Path) -> None:
    code = recipe("mirror the programme", "python").replace("page_size=50", "page_size=1")

    first = run([sys.executable, "-"], code, tmp_path, api)
    again = run([sys.executable, "-"], code, tmp_path, api)

    assert first.splitlines() == [
        "2030-07-15  2030-07-15T11:00:00+02:00  Confiance",
        "    Ada Speaker (tbc)",
        "    Representative of local authorities ",
        "2030-07-15  time not known  Survey",
    ]
    assert again == first


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_mirror_with_curl_keeps_the_file_while_nothing_changed(api: str, tmp_path: Path) -> None:
    code = recipe("mirror the programme", "bash")

    run(["bash", "-s"], code, tmp_path, api)
    first = (tmp_path / "programme.json").read_text(encoding="utf-8")
    run(["bash", "-s"], code, tmp_path, api)

    assert [row["title"]["text"] for row in json.loads(first)["results"]] == ["Trust", "Survey"]
    assert (tmp_path / "programme.json").read_text(encoding="utf-8") == first


def test_watching_prints_a_line_whenever_something_changed_until_all_is_taken(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = Admission.objects.get(places__capacity=3)
    monkeypatch.setenv("SESSION", str(admission.session.public_id if admission.session else ""))
    monkeypatch.setenv("EVERY", "0.2")
    program = subprocess.Popen(
        [sys.executable, "-c", recipe("watch a side event fill up", "python")],
        cwd=tmp_path,
        env={**os.environ, "API": api},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    lines = [program.stdout.readline()]

    RegistrationFactory.create_batch(2, admission=admission)
    lines += program.communicate(timeout=30)[0].splitlines()

    assert lines[0] == "Trust (online): 2 of 3 left, 0 waiting\n"
    assert lines[-1] == "Trust (online): 0 of 3 left, 0 waiting"
    assert program.returncode == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_watching_with_curl_is_json(api: str, tmp_path: Path) -> None:
    printed = run(["bash", "-s"], recipe("watch a side event fill up", "bash"), tmp_path, api)

    assert [row["places_left"] for row in json.loads(printed)["results"]] == [None, 2, None]


def test_paging_in_python_brings_every_list(api: str, tmp_path: Path) -> None:
    code = recipe("page through everything", "python").replace("page_size=200", "page_size=1")

    printed = run([sys.executable, "-"], code, tmp_path, api)

    counts = dict(line.rsplit(" ", 1) for line in printed.splitlines())
    assert (counts["sessions"], counts["speakers"], counts["admissions"]) == ("2", "1", "3")
    assert set(counts) == {name for name, _view in ROUTES}
    titles = [json.loads(line)["title"]["text"] for line in (tmp_path / "sessions.jsonl").read_text().splitlines()]
    assert titles == ["Trust", "Survey"]


@pytest.mark.skipif(not all(map(shutil.which, ["curl", "jq"])), reason="needs curl and jq")
def test_paging_with_curl_ends_and_brings_every_row(api: str, tmp_path: Path) -> None:
    code = recipe("page through everything", "bash").replace("speakers/?page_size=200", "admissions/?page_size=1")

    printed = run(["bash", "-s"], code, tmp_path, api)

    assert len({json.loads(line)["id"] for line in printed.splitlines()}) == 3


# --- being told -------------------------------------------------------------------------------------------------------


@pytest.fixture
def receiving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The receiver of the recipe, running; its address and its secret."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = webhooks.new_secret()
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("RECEIVER", f"http://127.0.0.1:{port}/")
    code = recipe("receive a webhook and verify it", "python")
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as program:
        for _attempt in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield program, f"http://127.0.0.1:{port}/", secret
        program.kill()


def test_receiver_prints_what_was_signed_once_and_refuses_what_was_not(
    receiving: tuple[subprocess.Popen[str], str, str],
) -> None:
    program, address, secret = receiving
    delivery = WebhookDelivery(event="programme.released", data={"number": 2}, happened_at=timezone.now())
    body = webhooks.body_of(delivery)

    def send(secret: str, **changed: str) -> int:
        signed = WebhookSubscription(secret=webhooks.new_secret(), old_secret=secret)
        headers = webhooks.headers_of(signed, delivery, body, now=timezone.now()) | changed
        return httpx2.post(address, content=body, headers=headers, trust_env=False).status_code

    assert send(webhooks.new_secret()) == 400
    assert send(secret, **{"webhook-timestamp": "1793350800"}) == 400
    assert send(secret, **{"webhook-signature": "v1,"}) == 400
    assert [send(secret), send(secret)] == [204, 204]
    program.terminate()
    assert program.stdout is not None
    assert program.stdout.read() == 'programme.released {"number": 2}\n'


@pytest.mark.skipif(not all(map(shutil.which, ["curl", "openssl"])), reason="needs curl and openssl")
def test_message_signed_in_the_shell_is_taken(
    receiving: tuple[subprocess.Popen[str], str, str], tmp_path: Path
) -> None:
    run(["bash", "-s"], recipe("receive a webhook and verify it", "bash"), tmp_path, "")

    program, _address, _secret = receiving
    assert program.stdout is not None
    assert program.stdout.readline() == "webhook.test {}\n"


# --- with a token -----------------------------------------------------------------------------------------------------


@pytest.fixture
def nominating(transactional_db: None, live_server: Any, settings: Any, tmp_path: Path) -> tuple[str, str]:
    """A real server with a delegation of no members, and the list of the recipe; the API's address and a token."""
    settings.SITE_URL = live_server.url
    (tmp_path / "members.csv").write_text(recipe("nominate a delegation from a CSV", "csv"), encoding="utf-8")
    now = timezone.now()
    secret = token(a_delegation(), expires_at=now + timedelta(days=1), now=now)
    return f"{live_server.url}/api/v1", secret


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_nominating_with_curl_tells_an_outcome_for_each_row_and_again_the_same(
    nominating: tuple[str, str], tmp_path: Path
) -> None:
    api, secret = nominating
    (tmp_path / "authorization.txt").write_text(f"Authorization: Bearer {secret}\n", encoding="utf-8")
    code = recipe("nominate a delegation from a CSV", "bash")

    first = run(["bash", "-s"], code, tmp_path, api)
    again = run(["bash", "-s"], code, tmp_path, api)

    assert [(row["row"], row["place"]) for row in json.loads(first)["outcomes"]] == [(2, "held"), (3, "held")]
    assert again == first
    assert Membership.objects.count() == 2


def test_nominating_in_python_prints_places_and_answers_and_fills_in_a_function(
    nominating: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, secret = nominating
    monkeypatch.setenv("TOKEN", secret)
    with (tmp_path / "members.csv").open("a", encoding="utf-8") as file:
        file.write("Jo,Plain,jo@state.example,,,\n")

    printed = run([sys.executable, "-"], recipe("nominate a delegation from a CSV", "python"), tmp_path, api)

    lines = printed.splitlines()
    assert lines[:3] == ["Example held ", "Sample held ", "Plain held "]
    assert sorted(lines[3:]) == ["Ada Sample nominated", "Jo Plain nominated", "Lena Example nominated"]
    assert Membership.objects.get(participant__display_name="Jo Plain").participant.function == "Adviser"


@pytest.mark.skipif(not all(map(shutil.which, ["curl", "jq"])), reason="needs curl and jq")
def test_member_is_corrected_replaced_and_withdrawn_with_curl(
    nominating: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, secret = nominating
    (tmp_path / "authorization.txt").write_text(f"Authorization: Bearer {secret}\n", encoding="utf-8")
    nominated = json.loads(run(["bash", "-s"], recipe("nominate a delegation from a CSV", "bash"), tmp_path, api))
    first, second = (row["participant"] for row in nominated["outcomes"])
    monkeypatch.setenv("MEMBER", first)

    printed = run(["bash", "-es"], recipe("correct, replace and withdraw", "bash"), tmp_path, api)

    assert json.loads(printed)["results"] == []
    states = dict(Membership.objects.values_list("participant__display_name", "state"))
    assert states == {"Lena Example": "replaced", "Ada Sample": "nominated", "Jo Plain": "withdrawn"}
    assert Membership.objects.get(public_id=first).participant.function == "First Secretary"
    assert Membership.objects.get(state="nominated").public_id == UUID(second)


def test_nominating_in_python_says_which_row_is_wrong(
    nominating: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, secret = nominating
    monkeypatch.setenv("TOKEN", secret)
    (tmp_path / "members.csv").write_text("family_name,email\nPlain,no address\n", encoding="utf-8")

    with pytest.raises(AssertionError, match=r"400 urn:alliance:problem:invalid-parameters[^#]*#/members/0/email"):
        run([sys.executable, "-"], recipe("nominate a delegation from a CSV", "python"), tmp_path, api)
