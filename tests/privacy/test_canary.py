"""Canaries: names of people who must not be found are planted, and every way out of the house is searched for them.

Every word of somebody under an alias, or taken down, begins with "qvx"; the same words of people who may be named begin
with "wqz". The search of a channel counts only because it finds the latter there: CONTROLS says where they stand, and
test_the_search_finds_what_is_planted plants one in every kind of container.
"""

from __future__ import annotations

import base64
import html
import io
import logging
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

import pypdf
import pytest
import structlog
import time_machine
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.module_loading import import_string

import outbox.services
from accounts.actors import Actor
from accounts.models import AuditEntry, Role
from alliance.api.router import ROUTES, WITH_TOKEN
from events import documents, page_cache, programme_file
from events.documents import Kind
from events.models import Conference, Session
from events.releases import publishing
from events.removals import services as removals
from events.removals import subjects
from outbox.models import Message
from registration import selectors
from registration.delegations import listing
from registration.door import badges
from registration.models import Delegation, Participant
from registration.services import delegations
from tests import factories
from tests.factories import NOW
from tests.registration import at_rest, people, tokens
from tests.registration.test_delegations import nominate, nominee

SECRET, OPEN = "qvx", "wqz"
# What only its owner may see; the others stand in the database and in the admin, where organisers work with them.
SEALED = ("qvxalias", "qvxhidden", "qvxcanary", "qvxneeds", "qvxsupport")
# Channels in which somebody who may be named must be found by the very search that finds no canary.
CONTROLS = {
    "pages", "feeds", "documents", "page cache", "api", "api of a delegation", "page of a delegation", "list",
    "badges", "convenor", "mails", "files", "admin", "exports", "jobs", "audit", "logs",
}  # fmt: skip


# --- searching ------------------------------------------------------------------------------------------------------


def found(content: bytes | str, word: str, *, kind: str = "") -> set[str]:
    """Words that begin so, in whatever wrapping: PDF, packed files, base64, percent signs, entities, capitals.

    Three letters alone come about by chance in packed bytes, so a word has to go on.
    """
    return {one.casefold() for text in _texts(content, kind) for one in re.findall(rf"(?i){word}\w{{3,}}", text)}


def _texts(content: bytes | str, kind: str) -> Iterator[str]:
    if isinstance(content, bytes):
        if content.startswith(b"%PDF"):
            reader = pypdf.PdfReader(io.BytesIO(content))
            yield "\n".join(page.extract_text() for page in reader.pages).replace("\u200b", "")
            yield str(reader.metadata)
        elif content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield name
                    yield from _texts(re.sub(rb"<[^>]*>", b"", archive.read(name)), "")
                    yield archive.read(name).decode("utf-8", "replace")
            return
        content = content.decode("utf-8", "replace")
    yield content
    yield content.replace("\r\n ", "").replace("=\r\n", "").replace("=\n", "")  # folded lines
    yield unquote(html.unescape(content))
    for packed in re.findall(r"[A-Za-z0-9+/=_-]{16,}", content):
        try:
            yield base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_").decode("utf-8", "ignore")
        except ValueError:
            continue


@pytest.mark.parametrize(
    "planted",
    [
        "Qvxname",
        "%51vxname",
        "&#81;vxname",
        base64.b64encode(b"She is Qvxname, they say").decode(),
        "BEGIN:VCALENDAR\r\nSUMMARY:Qv\r\n xname",
        "Content-Transfer-Encoding: quoted-printable\n\nQv=\nxname",
    ],
)
def test_the_search_finds_what_is_planted(planted: str) -> None:
    assert found(planted, SECRET) == {"qvxname"}
    assert found(planted.encode(), SECRET) == {"qvxname"}


def test_the_search_finds_what_is_planted_in_a_packed_file() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<w:t>Qvx</w:t><w:t>name</w:t>")

    assert "qvxname" in found(packed.getvalue(), SECRET)


# --- the world ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A conference in which everything is filled in, for somebody who may be named and for those who may not."""

    conference: Conference
    session: Session
    hidden: Session
    delegation: Delegation
    token: str
    focal_point: Any
    convenor: Any
    paths: list[str]  # of what was taken down


@pytest.fixture
def world(transactional_db: None, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    """Everything planted, published twice, mails sent, then taken down."""
    for name in ("", "alliance", "django", "celery", "outbox"):
        caplog.set_level(logging.DEBUG, logger=name)
    with time_machine.travel(NOW, tick=False):
        yield _build()
    page_cache.forget()
    selectors.forget()


def _build() -> World:
    by = Actor.organiser(factories.StaffFactory())
    session = _session("Wqz", "open")
    conference = session.conference
    hidden = _session("Qvx", "hidden", conference=conference)
    _speaker("Wqz", session)
    speaker = _speaker("Qvx", session)
    for one in (session, hidden, None):
        factories.AdmissionFactory(session=one, conference=conference, mode="in_person")
    delegation = tokens.a_delegation(conference=conference)
    secret = tokens.token(delegation)
    house = conference.admissions.get(session=None, mode="in_person")
    for number, (prefix, listed) in enumerate((("Wqz", True), ("Qvx", True)), start=1):
        (made,) = nominate(
            delegation,
            nominee(number, given_name=f"{prefix}guest", family_name=f"{prefix}member", function=f"{prefix}function"),
        )
        delegations.confirm(membership_id=made.membership.pk, is_listed=listed, now=NOW)
    guest = Participant.objects.get(display_name__startswith="Qvxguest")
    for person in Participant.objects.all():
        factories.RegistrationFactory(admission=session.admissions.get(), participant=person)
    people.register(house, token="open", given_name="Wqzname", family_name="Wqzfamily", email="wqz@mail.example")
    people.register(
        house,
        token="alias",
        alias="Friend",
        given_name="Qvxalias",
        family_name="Qvxhidden",
        email="qvxhidden@qvxcanary.example",
        accessibility_needs="Qvxneeds; comes with Qvxsupport",
    )
    people.register(house, token="again", email="qvxhidden@qvxcanary.example")  # a known address
    outbox.services.drain("mail", now=NOW)
    listing.stamp(conference=conference, is_final=True, is_published=True, by=by, now=NOW)
    publishing.publish(conference, by=None, now=NOW, check=False)
    paths = [hidden.get_absolute_url(), speaker.get_absolute_url()]
    paths += [f"/en/summit/sessions/{hidden.slug}{ending}" for ending in (".ics", ".pdf")]
    for kind, row in (("session", hidden), ("person", speaker), ("participant", guest)):
        subject = subjects.get(kind, row.public_id)
        assert subject is not None
        removals.take_down(subject, conference=conference, by=by, now=NOW)
    focal_point = delegation.focal_points.get().user
    role = Role.objects.create(user=factories.UserFactory(), kind="convenor", session=session)
    page_cache.forget()
    selectors.forget()
    return World(conference, session, hidden, delegation, secret, focal_point, role.user, paths)


def _session(prefix: str, slug: str, **more: Any) -> Session:
    values: dict[str, Any] = {"conference__slug": "summit"} if "conference" not in more else more
    session: Session = factories.SideEventFactory(
        key=f"{prefix.lower()}key",
        slug=f"{prefix.lower()}-{slug}",
        title={"en": f"{prefix}title"},
        summary={"en": f"{prefix}summary"},
        call_to_action={"en": f"{prefix}call"},
        audience={"en": f"{prefix}audience"},
        platform_label=f"{prefix}platform",
        **values,
    )
    factories.TextSectionFactory(session=session, text={"en": f"{prefix}text"})
    factories.SegmentFactory(session=session, heading={"en": f"{prefix}heading"})
    factories.RecommendationFactory(session=session, text={"en": f"{prefix}result"})
    factories.MaterialFactory(
        conference=session.conference,
        session=session,
        title={"en": f"{prefix}paper"},
        url=f"https://x.example/{prefix}",
    )
    factories.ConvenorshipFactory(session=session, organisation__name={"en": f"{prefix}convenor"})
    return session


def _speaker(prefix: str, session: Session) -> Any:
    return factories.ContributionFactory(
        session=session,
        person__key=f"{prefix.lower()}-person",
        person__display_name=f"{prefix}speaker",
        role_title={"en": f"{prefix}role"},
        topic={"en": f"{prefix}topic"},
        organisation=factories.OrganisationFactory(name={"en": f"{prefix}body"}),
    ).person


# --- the ways out ---------------------------------------------------------------------------------------------------


Found = Iterator[tuple[str, str, bytes]]  # channel, where, what


def _answer(channel: str, path: str, answer: Any) -> tuple[str, str, bytes]:
    """Body and headers; what an answer says of other addresses and versions counts as said."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.items())
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return channel, path, body if body[:4] in (b"%PDF", b"PK\x03\x04") else headers.encode() + b"\n\n" + body


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
        yield _answer(channel or _channel_of(path), path, answer)
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
            yield _answer(channel, path, answer)
            for row in answer.json().get("results", []) if answer.status_code == 200 else []:
                if "id" in row:
                    one = f"/api/v1/{name}/{row['id']}/"
                    yield _answer(channel, one, client.get(one, headers=headers))


def exports(world: World) -> Found:
    """All registrations that the programs of a delegation and of a side event may have, in one answer."""
    for target in (world.delegation, world.session):
        secret = tokens.token(target)
        answer = Client().get("/api/v1/registrations/export/", headers={"Authorization": f"Bearer {secret}"})
        yield _answer("exports", str(target.pk), answer)


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
    yield _answer("convenor", page, convenor.get(page))
    for path in ("/admin/registration/participant/", "/admin/registration/registration/", "/admin/outbox/message/"):
        for query in ("", "?q=Wqzname", "?q=Qvxalias", "?q=qvxhidden@qvxcanary.example"):
            yield _answer("admin", path + query, organiser.get(path + query))
    for person in Participant.objects.all():
        path = f"/admin/registration/participant/{person.pk}/change/"
        yield _answer("admin", path, organiser.get(path))


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
                own = re.sub(rb"(?m)^ATTENDEE.*$", b"", body)  # to whom the entry is, as the line To
                yield "mails", f"{number} {part.get_content_type()}", own


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


def _line(record: logging.LogRecord) -> str:
    """A record as the house's own handler writes it."""
    handlers = logging.getLogger().handlers
    written = next(one for one in handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter))
    return written.format(record)


# --- the test -------------------------------------------------------------------------------------------------------


def test_no_canary_leaves_the_house(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list(crawl(Client(), "/en/", "/sitemap.xml", "/en/summit/programme.ics", "/en/summit/changes.atom"))
    said += [_answer("pages", path, Client().get(path)) for path in world.paths]
    kept = [
        (path, page.body)
        for memory in (page_cache._plain, page_cache._with_query)
        for path, page in memory.pages.items()
    ]
    said += [("page cache", path, body) for path, body in kept]
    with translation.override("en"):
        said += [*programs(world), *exports(world), *by_people(world), *on_paper(world), *letters()]
    # Where nobody's name belongs there is none to find; so one is put there for the search to find.
    factories.MessageFactory(details={"planted": "Wqzjob"})
    factories.AuditEntryFactory(details={"planted": "Wqzaudit"})
    logging.getLogger("alliance.canary").debug("Wqzlogged")
    said += [("jobs", "messages", str(list(Message.objects.values())).encode())]
    said += [("audit", "entries", str(list(AuditEntry.objects.values())).encode())]
    said += trouble(monkeypatch)
    records = "\n".join(_line(record) for record in caplog.records)
    said += [("logs", "debug", records.encode())]
    assert "route" in records

    leaks = {(channel, where): words for channel, where, what in said if (words := _secret(channel, where, what))}
    assert leaks == {}
    assert {channel for channel, _where, what in said if found(what, OPEN)} >= CONTROLS
    assert {Client().get(path).status_code for path in world.paths} == {404}

    kept_at_rest = at_rest.everything()  # what a backup is made of
    assert [word for word in SEALED if at_rest.holds(kept_at_rest, word)] == []
    assert at_rest.holds(kept_at_rest, "wqztitle")


def _secret(channel: str, where: str, what: bytes) -> set[str]:
    """The canaries in an answer but for those in its own address: a list repeats the question, a 404 the path."""
    words = found(what, SECRET) - found(where, SECRET)
    return words & set(SEALED) if channel == "admin" else words
