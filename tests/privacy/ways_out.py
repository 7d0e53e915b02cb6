"""The ways out of the house: what each of them says, piece by piece."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import structlog
import time_machine
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string

from accounts.actors import Actor
from alliance.api.router import ROUTES, WITH_TOKEN
from events import documents, page_cache, programme_file
from events.documents import Kind
from registration.delegations import listing
from registration.door import badges
from registration.door import codes as door_codes
from registration.door.certificates import issue
from registration.models import Participant
from registration.services import attendance
from tests import factories
from tests.factories import NOW
from tests.privacy.searching import SECRET, found
from tests.privacy.world import World
from tests.registration import tokens

Found = Iterator[tuple[str, str, bytes]]  # channel, where, what


def answered(channel: str, path: str, answer: Any) -> tuple[str, str, bytes]:
    """Body, headers and cookies; what an answer says of other addresses and versions counts as said."""
    headers = "\n".join([*(f"{name}: {value}" for name, value in answer.items()), answer.cookies.output()])
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if body[:4] in (b"%PDF", b"PK\x03\x04"):
        assert not found(headers, SECRET) - found(path, SECRET), (path, "its name")
        return channel, path, body
    return channel, path, headers.encode() + b"\n\n" + body


def _channel_of(path: str) -> str:
    if path.endswith((".pdf", ".docx")):
        return "documents"
    return "feeds" if path.endswith((".ics", ".xml", ".json", ".atom")) else "pages"


def crawl(client: Client, *begin: str, channel: str = "", most: int = 120) -> Found:
    """Every page that links lead to from these, one language, without questions and without the admin."""
    waiting, seen = list(begin), set(begin)
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        answer = client.get(path)
        yield answered(channel or _channel_of(path), path, answer)
        for link in re.findall(r'(?:href|src|action)="(/[^"#?]*)', answer.content.decode("utf-8", "replace")):
            is_ours = not link.startswith(("/static/", "/admin/", "/de/", "/fr/", "/it/", "/es/", "/ru/"))
            is_another = re.search(r"logout|(agenda|side-events)[\w-]*\.(pdf|docx)", link)  # one of each kind is enough
            if is_ours and not is_another and link not in seen:
                seen.add(link)
                waiting.append(link)


def programs(world: World) -> Found:
    """The API: every list with everything it can expand, each row by itself, without and with a token."""
    client = Client()
    sent = {"Authorization": f"Bearer {world.token}"}
    for channel, routes, headers in (("api", ROUTES, {}), ("api of a delegation", WITH_TOKEN, sent)):
        for name, view in routes:
            expand = ",".join(getattr(import_string(view), "expansions", {}))
            path = f"/api/v1/{name}/?{f'expand={expand}' if expand else ''}"
            answer = client.get(path, headers=headers)
            yield answered(channel, path, answer)
            for row in answer.json().get("results", []) if answer.status_code == 200 else []:
                if "id" in row:
                    one = f"/api/v1/{name}/{row['id']}/"
                    yield answered(channel, one, client.get(one, headers=headers))


def exports(world: World) -> Found:
    """All registrations that the programs of a delegation and of a side event may have, in one answer."""
    for target in (world.delegation, world.session):
        secret = tokens.token(target)
        answer = Client().get("/api/v1/registrations/export/", headers={"Authorization": f"Bearer {secret}"})
        yield answered("exports", str(target.pk), answer)


def by_people(world: World) -> Found:
    """What focal points, convenors and organisers read."""
    focal, convenor, organiser = Client(), Client(), Client()
    focal.force_login(world.focal_point)
    convenor.force_login(world.convenor)
    role = factories.RoleFactory(conference=world.conference)
    organiser.force_login(role.user)
    own = reverse("registration:delegation", args=[world.delegation.public_id])
    yield from crawl(focal, own, f"{own}members.csv", channel="page of a delegation", most=12)
    page = reverse("registration:convenor-session", args=[world.session.public_id])
    yield answered("convenor", page, convenor.get(page))
    for path in ("/admin/registration/participant/", "/admin/registration/registration/", "/admin/outbox/message/"):
        for query in ("", "?q=Wqzname", "?q=Qvxalias", "?q=qvxhidden@qvxcanary.example"):
            yield answered("admin", path + query, organiser.get(path + query))
    for person in Participant.objects.all():
        path = f"/admin/registration/participant/{person.pk}/change/"
        yield answered("admin", path, organiser.get(path))


def on_paper(world: World) -> Found:
    """Documents and files that organisers make: of the draft, of the release, badges, lists, the programme file."""
    for release in (None, world.conference.releases.get()):
        made = documents.previewed(Kind.PROGRAMME, world.conference, release, now=NOW, language="en")
        yield "documents", "docx", documents.as_docx(made)
    yield (
        "badges",
        "pdf",
        badges.as_pdf(world.conference, badges.of_conference(world.conference), sheet=badges.Sheet.A4),
    )
    listed = listing.of(world.conference)
    yield "list", "pdf", listing.as_pdf(listed, world.conference)
    yield "list", "csv", listing.as_csv(listed)
    yield "files", "yaml", programme_file.export(world.conference)
    yield "files", "xlsx", programme_file.export_workbook(world.conference)


def letters() -> Found:
    """Mails as they left, without the line that says to whom: the address is its owner's."""
    for number, one in enumerate(mail.outbox):
        letter: EmailMessage = one.message()
        del letter["To"]
        for part in letter.walk():
            yield "mails", f"{number} headers", "\n".join(f"{key}: {value}" for key, value in part.items()).encode()
            if not part.is_multipart():
                body = part.get_payload(decode=True).replace(b"\r\n ", b"")  # type: ignore[union-attr]
                kind = part.get_content_type()
                own = re.sub(rb"(?m)^ATTENDEE.*$", b"", body)  # to whom the entry is, as the line To
                yield "calendars in mails" if kind == "text/calendar" else "mails", f"{number} {kind}", own


def certificates(world: World) -> Found:
    """Certificates of attendance when all is over, as their owners get them, and what strangers are told of them."""
    starts_at = world.session.starts_at
    assert starts_at is not None
    somebody = Participant.objects.get(display_name="Wqzname Wqzfamily")
    taken_down = Participant.objects.exclude(taken_down_at=None).get()
    by = Actor.organiser(factories.StaffFactory())
    for person in (somebody, world.alias, taken_down):
        attendance.check_in(
            conference=world.conference, typed=door_codes.ensure([person])[person.pk], session=world.session, room=None,
            nonce=uuid.uuid4(), at=starts_at, by=by, now=starts_at,
        )  # fmt: skip
    with time_machine.travel(starts_at + timedelta(days=30), tick=False):
        for person in (somebody, world.alias):
            answer = Client().get(f"/r/{person.personal_token}/certificate.pdf")
            assert answer.status_code == 200
            yield answered("certificates", f"of {person.pk}", answer)
        found = {}
        for person in (somebody, world.alias, taken_down):
            path = reverse("registration:verify", args=[issue(person, now=starts_at)])
            answer = Client().post(path, {"name": "Somebody"})
            yield answered("certificates", f"verify {person.pk}", answer)
            found[person] = answer.status_code
    assert found == {somebody: 200, world.alias: 200, taken_down: 404}


def trouble(monkeypatch: pytest.MonkeyPatch) -> Found:
    """A crash with a name in a local variable: what the page says and what is mailed; the log is read with all logs."""

    def crash(request: HttpRequest, **captured: Any) -> HttpResponse:
        somebody = "Qvxalias in a local variable"
        raise RuntimeError(len(somebody))

    page_cache.forget()
    monkeypatch.setattr("events.views.selectors.conference_list", lambda **_more: crash(HttpRequest()))
    before = len(mail.outbox)
    answer = Client(raise_request_exception=False).get("/en/")
    assert answer.status_code == 500
    yield "error report", "page", answer.content
    for one in mail.outbox[before:]:
        yield "error report", "mail", one.message().as_bytes()


def as_logged(record: logging.LogRecord) -> str:
    """A record as the house's own handler writes it."""
    handlers = logging.getLogger().handlers
    written = next(one for one in handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter))
    return written.format(record)
