"""A client that is not ours: openapi-python-client makes one from the schema, and it nominates a delegation."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from alliance.api import schema
from registration.models import Membership
from tests.registration.tokens import a_delegation, token

TOOLS = Path(__file__).resolve().parents[2] / "var" / "tools" / "bin"
GENERATOR = TOOLS / "openapi-python-client"

# The recipe "nominate a delegation from a CSV" of docs/api.md, with the generated client.
PROGRAM = """
import csv, os, uuid
from client import AuthenticatedClient
from client.api.participants import (
    participants_bulk_create, participants_list, participants_partial_update, participants_retrieve,
)
from client.models import DelegationCapacity, Nominee, Nominees, PatchedCorrection

with open("members.csv", newline="") as file:
    members = [
        Nominee(given_name=row["given_name"], family_name=row["family_name"], email=row["email"],
                function=row["function"], capacity=DelegationCapacity(row["capacity"]))
        for row in csv.DictReader(file)
    ]
api = AuthenticatedClient(base_url=os.environ["SITE"], token=os.environ["TOKEN"], raise_on_unexpected_status=True)
key = str(uuid.uuid4())
with api:
    for _again in range(2):
        done = participants_bulk_create.sync(client=api, body=Nominees(members=members), idempotency_key=key)
        print([(outcome.row, outcome.place.value) for outcome in done.outcomes])
    for row in sorted(participants_list.sync(client=api).results, key=lambda row: row.name):
        print(row.name, row.function, row.state.value)
        if row.function is None:
            seen = participants_retrieve.sync_detailed(row.id, client=api)
            participants_partial_update.sync_detailed(
                row.id, client=api, body=PatchedCorrection(function="Adviser"), if_match=seen.headers["ETag"]
            )
    fault = participants_bulk_create.sync_detailed(client=api, body=Nominees(members=[members[0]]))
    print(fault.status_code.value, fault.parsed.type_)
"""


def run(*command: str, directory: Path, **environment: str) -> str:
    """What a program prints. Fails when it does."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"  # the generator formats with the ruff beside it, if there is one
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not GENERATOR.exists(), reason="needs the checkers: ./run slow brings them")
def test_generated_client_nominates_a_delegation(
    transactional_db: None, live_server: Any, settings: Any, tmp_path: Path
) -> None:
    settings.SITE_URL = live_server.url
    now = timezone.now()
    secret = token(a_delegation(), expires_at=now + timedelta(days=1), now=now)
    (tmp_path / "schema.json").write_bytes(schema.document())
    (tmp_path / "members.csv").write_text(
        "given_name,family_name,email,function,capacity\n"
        "Lena,Example,lena@state.example,Ambassador,head\n"
        "Ada,Sample,ada@state.example,,adviser\n",
        encoding="utf-8",
    )
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    generate = ("generate", "--path", "schema.json", "--output-path", "client", "--meta", "none")

    run(str(GENERATOR), *generate, directory=tmp_path)
    printed = run(str(TOOLS / "python"), "program.py", directory=tmp_path, SITE=live_server.url, TOKEN=secret)

    assert printed.splitlines() == [
        "[(1, 'held'), (2, 'held')]",
        "[(1, 'held'), (2, 'held')]",
        "Ada Sample None nominated",
        "Lena Example Ambassador nominated",
        "409 urn:alliance:problem:nomination-refused",
    ]
    assert Membership.objects.get(participant__display_name="Ada Sample").participant.function == "Adviser"
