"""What the adapters say to Zoom and Webex, judged by Prism with the platforms' own documents.

    ./run prism

A second opinion beside openapi-core, which judges the same in ./run test: Prism stands between the adapter and a fake
of the platform, and answers in its stead whenever a request or an answer is not as the document demands. The documents
are no part of this repository; without them, or without Node.js, the command says so and does not fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests import npm
from tests.house import house
from tests.services import servers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / "var" / "prism"
SPECS = ROOT.parent / "shared" / "specs"
OLDEST_NODE = (18, 20)
START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
DOCUMENTS = {
    "Zoom webinars": ("zoom/zoom-meetings-webinars", "/v2"),
    "Zoom meetings": ("zoom/zoom-meetings-webinars", "/v2"),
    "Webex meetings": ("webex/webex-meetings", "/v1"),
}


@contextlib.contextmanager
def prism(program: Path, name: str, prefix: str, upstream: str) -> Iterator[str]:
    """Prism before a fake; its address. It knows no base path, so the document gets one in every path."""
    document = json.loads((SPECS / f"{name}.strict.openapi.json").read_text(encoding="utf-8"))
    document["paths"] = {f"{prefix}{path}": value for path, value in document["paths"].items()}
    document.pop("servers", None)
    _forget_charsets(document)
    with tempfile.TemporaryDirectory(prefix="alliance-prism-") as directory:
        file, log = Path(directory, "document.json"), Path(directory, "log")
        file.write_text(json.dumps(document), encoding="utf-8")
        port = servers.free_port()
        command = ["node", str(program), "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors", str(file), upstream]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=output)
            try:
                until = time.monotonic() + 90
                while b"listening" not in log.read_bytes():
                    if process.poll() is not None or time.monotonic() > until:
                        sys.exit(f"Prism does not start:\n{servers.tail(log)}")
                    time.sleep(0.1)
                yield f"http://127.0.0.1:{port}"
            except Exception:
                print(servers.tail(log, 12))
                raise
            finally:
                process.terminate()
                process.wait(20)


def _forget_charsets(node: Any) -> None:
    """Prism takes a charset for part of a content type's name, and no answer would ever have the right one."""
    if isinstance(node, dict):
        if isinstance(content := node.get("content"), dict):
            node["content"] = {kind.partition(";")[0]: value for kind, value in content.items()}
        for value in node.values():
            _forget_charsets(value)
    elif isinstance(node, list):
        for value in node:
            _forget_charsets(value)


def walk(adapter: Any, meeting: Any, spec: Any) -> None:
    """All that is ever said: make, move, find, add, list, take off, let in again, cancel."""
    from video.adapters import base

    people = [base.Attendee(uuid.UUID(int=n), f"Guest {n}", f"guest{n}@relay.example") for n in range(1, 4)]
    meeting.provider_id = adapter.create_session(meeting, spec, key="key").provider_id
    adapter.update(meeting, spec)
    assert adapter.find_session(meeting, key="key") is not None
    added = [adapter.add_registrant(meeting, person) for person in people]
    assert len(list(adapter.registrants(meeting))) == len(people)
    adapter.set_status(meeting, added[2:], base.RegistrantAction.CANCEL)
    adapter.find_registrant(meeting, email=people[2].email)
    adapter.cancel(meeting)


def control(adapter: Any, meeting: Any) -> None:
    """What no document allows must be refused, or all of the above proves nothing."""
    from video.adapters.errors import VideoError

    meeting.provider_id = "90000000001"
    try:
        adapter._call("POST", f"{adapter._path(meeting)}/registrants", body={"e-mail": "wrong@relay.example"})
    except VideoError:
        return
    raise AssertionError("Prism let pass what the document does not know")


def main() -> int:
    """Every document in turn, or those named; the exit code."""
    wanted = sys.argv[1:] or list(DOCUMENTS)
    if not SPECS.is_dir():
        print(f"Left out: the platforms' own OpenAPI documents are not beside the checkout ({SPECS.name}).")
        return 0
    try:
        modules = npm.installed(HERE, PLACE, name="Prism", oldest=OLDEST_NODE)
    except npm.NoNode as error:
        print(f"Left out: {error}")
        return 0
    program = modules / "@stoplight" / "prism-cli" / "dist" / "index.js"
    failed = False
    with house() as running:
        os.environ.update(running.environment)
        import django

        django.setup()
        for name, judge in _judges().items():
            if name not in wanted:
                continue
            document, prefix = DOCUMENTS[name]
            began = time.monotonic()
            try:
                count = judge(lambda upstream, d=document, p=prefix: prism(program, d, p, upstream))
            except Exception as error:  # each is told, whatever it is
                failed = True
                print(f"{name}: FAILED: {type(error).__name__}: {error}")
            else:
                print(f"{name}: {count} calls as the document demands, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _judges() -> dict[str, Callable[[Any], int]]:
    """By name, what walks through an adapter and says how many calls were made."""
    from tests.video.fakes.webex import FakeWebex
    from tests.video.fakes.zoom import FakeZoom
    from video.adapters import base
    from video.adapters.webex import Webex
    from video.adapters.zoom import ZoomMeeting, ZoomWebinar
    from video.models import AccessToken, HostAccount, Meeting, Platform, Service

    def judged(fake_of: Any, adapter_of: Any, service: Service, platform: Platform, languages: tuple[str, ...]) -> Any:
        def judge(before: Any) -> int:
            AccessToken.objects.all().delete()
            spec = base.SessionSpec("Opening", START, START + timedelta(hours=1), "Europe/Vienna", "en", languages)
            fake = fake_of()
            try:
                direct = fake.base
                with before(direct) as address:
                    fake.base = address  # what its token names, and what its list of pages does
                    credentials = fake.variables.replace(f"TOKEN_URL={address}", f"TOKEN_URL={direct}")
                    account = HostAccount(
                        service=service, label="Office", credentials=credentials, host="host@office.example"
                    )
                    adapter = adapter_of(account)
                    walk(adapter, Meeting(platform=platform), spec)
                    count = len([one for one in fake.exchanges if "token" not in one.path])
                    control(adapter, Meeting(platform=platform))
            finally:
                fake.close()
            return count

        return judge

    two = ("en", "fr")
    return {
        "Zoom webinars": judged(FakeZoom, ZoomWebinar, Service.ZOOM, Platform.ZOOM_WEBINAR, two),
        "Zoom meetings": judged(FakeZoom, ZoomMeeting, Service.ZOOM, Platform.ZOOM_MEETING, two),
        "Webex meetings": judged(FakeWebex, Webex, Service.WEBEX, Platform.WEBEX, two),
    }


if __name__ == "__main__":
    sys.exit(main())
