"""The API against schemathesis: requests made up from the schema, good and bad ones, alone and in chains.

    ./run fuzz [--seconds 600] [--only public|delegation|convenor]

Every answer must be one that the schema names and be of the shape it promises; nothing may fail inside. Three readers:
without a token, with one of a delegation that may do everything, with one of a convenor. What they are given is made up
and thrown away. A failure prints the request as a curl command; the seed at the end repeats a run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

from tests.house import House, house

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "var" / "tools" / "bin" / "schemathesis"
CONFIG = Path(__file__).with_name("schemathesis.toml")
CLOSED = {"delegation": ("delegations", "participants", "registrations"), "convenor": ("registrations",)}


def main() -> int:
    """Start the house, make rows, and let the fuzzer at it."""
    parser = argparse.ArgumentParser(prog="./run fuzz")
    parser.add_argument("--seconds", type=int, default=600, help="for all readers together")
    parser.add_argument("--only", choices=["public", "delegation", "convenor"])
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    with house(more={"DJANGO_SETTINGS_MODULE": "tests.fuzz.settings"}) as running:
        os.environ.update(running.environment)
        import django

        django.setup()
        tokens = _rows()
        running.start_web()
        _nominate(running, tokens["delegation"])
        readers = [options.only] if options.only else ["public", "delegation", "convenor"]
        results = [
            _fuzz(running, reader, tokens.get(reader), options.seconds // len(readers), options.seed)
            for reader in readers
        ]
    return 1 if any(results) else 0


def _rows() -> dict[str, str]:
    """A published conference with everything the API shows; the secrets of tokens by reader."""
    from django.utils import timezone

    from events.releases import publishing
    from tests.factories import (
        AdmissionFactory,
        ContributionFactory,
        ConvenorshipFactory,
        MaterialFactory,
        PublicFigureFactory,
        RecommendationFactory,
        RegistrationFactory,
        RoomFactory,
        SegmentFactory,
        SessionFactory,
        SideEventFactory,
    )
    from tests.registration.tokens import a_delegation, token

    now = timezone.now()
    delegation = a_delegation(quota=200)
    conference = delegation.conference
    for _number in range(3):
        session = SessionFactory(conference=conference)
        ContributionFactory.create_batch(2, session=session, segment=SegmentFactory(session=session))
    conference.venue = RoomFactory().venue
    conference.save()
    over = SessionFactory(conference=conference, starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=2))
    RecommendationFactory(session=over, parent=RecommendationFactory(session=over))
    MaterialFactory(conference=conference, session=over)
    side_event = SideEventFactory(conference=conference)
    ConvenorshipFactory(session=side_event)
    RegistrationFactory.create_batch(3, admission=AdmissionFactory(session=side_event, capacity=5))
    publishing.publish(conference, by=None, now=now, check=False)
    PublicFigureFactory(conference=conference)
    until = {"now": now, "expires_at": now + timedelta(days=1)}
    return {"delegation": token(delegation, **until), "convenor": token(side_event, **until)}


def _nominate(running: House, secret: str) -> None:
    """Three members, as a program does it."""
    from tests.registration.tokens import person

    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    body = json.dumps({"members": [person(number) for number in range(3)]}).encode()
    address = f"{running.url}/api/v1/participants/bulk/"
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=30) as answer:
        answer.read()


def _fuzz(running: House, reader: str, secret: str | None, seconds: int, seed: int | None) -> int:
    """Requests by themselves, then in chains along the links of the schema; whether something was found."""
    print(f"\n=== {reader}, {seconds} s", flush=True)
    command = [
        str(PROGRAM), "--config-file", str(CONFIG), "run", f"{running.url}/api/v1/schema/", "--checks", "all",
        "--workers", "1", "--continue-on-failure", "--request-timeout", "20", "--no-color",
    ]  # fmt: skip
    command += ["--seed", str(seed)] if seed is not None else []
    rule = "--include-path-regex" if secret else "--exclude-path-regex"
    command += [rule, f"/({'|'.join(CLOSED.get(reader, CLOSED['delegation']))})/"]
    command += ["--header", f"Authorization: Bearer {secret}"] if secret else []
    parts = {"examples,coverage,fuzzing": seconds * 2 // 3, "stateful": seconds - seconds * 2 // 3}
    codes = [
        subprocess.run([*command, "--phases", phases, "--max-time", str(most)], cwd=ROOT, check=False).returncode
        for phases, most in parts.items()
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
