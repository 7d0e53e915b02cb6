"""The recipes of docs/api.md, run as they are written there against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from registration.models import Membership
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


def test_places_left_in_python_is_a_table(api: str, tmp_path: Path) -> None:
    printed = run([sys.executable, "-"], recipe("places left", "python"), tmp_path, api)

    assert printed.splitlines() == [
        "20th Conference (online): closed",
        "Trust (online): 2 of 3 left, 0 waiting",
        "Survey (online): no limit",
    ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_places_left_with_curl_is_json(api: str, tmp_path: Path) -> None:
    printed = run(["bash", "-s"], recipe("places left", "bash"), tmp_path, api)

    assert [row["places_left"] for row in json.loads(printed)["results"]] == [None, 2, None]


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


def test_nominating_in_python_says_which_row_is_wrong(
    nominating: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, secret = nominating
    monkeypatch.setenv("TOKEN", secret)
    (tmp_path / "members.csv").write_text("family_name,email\nPlain,no address\n", encoding="utf-8")

    with pytest.raises(AssertionError, match=r"400 urn:alliance:problem:invalid-parameters[^#]*#/members/0/email"):
        run([sys.executable, "-"], recipe("nominate a delegation from a CSV", "python"), tmp_path, api)
