"""Whose business a message or a line of the audit trail is: each kind of row they are about belongs somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps

from accounts import trail_words
from accounts.permissions import ABOUT, ABOUT_THE_HOUSE, PATHS
from accounts.role_kinds import RoleKind
from events.models import Conference
from outbox.models import Message
from registration.letters.workplace_mails import of_conference
from registration.models import Membership
from tests.factories import (
    NOW,
    ConferenceFactory,
    DelegationFactory,
    MessageFactory,
    ParticipantFactory,
    RoleFactory,
)

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "events", "speakers", "video", "registration")
_KIND = "about_kind"


def sources() -> Iterator[ast.Module]:
    """Everything that could write such a row."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ast.parse(path.read_text(encoding="utf-8"))


def named(node: ast.expr) -> set[str]:
    """The kind that an expression says outright; nothing when it is computed."""
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def kinds() -> set[str]:
    """All kinds that the code names: to the models themselves, and to helpers that hand one on."""
    found: set[str] = set()
    for module in sources():
        helpers: dict[str, tuple[int, str]] = {}
        for function in (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)):
            arguments = [argument.arg for argument in function.args.args]
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                for given in (one.value for one in call.keywords if one.arg == _KIND):
                    found |= named(given)
                    if isinstance(given, ast.Name) and given.id in arguments:
                        helpers[function.name] = (arguments.index(given.id), given.id)
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name in helpers:
                place, argument = helpers[name]
                given_ones = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg == argument)]
                found = found.union(*map(named, given_ones))
    return found


def test_every_kind_belongs_to_a_conference_or_to_the_house() -> None:
    found = kinds()

    assert {"webhook", "api_token", "user", "safe", "participant"} <= found, "the search finds them"
    assert found - set(ABOUT) - set(ABOUT_THE_HOUSE) == set()
    assert not set(ABOUT_THE_HOUSE) & set(ABOUT)


def test_what_is_written_to_the_trail_has_words() -> None:
    text = "".join(path.read_text(encoding="utf-8") for app in APPS for path in (ROOT / app).rglob("*.py"))
    given = r"(?:action=|_audit\((?:\w+, )?|_record\(|_account\(\w+, )\s*"
    written = set(re.findall(given + r'"([a-z_-]+\.[a-z_-]+)"', text))

    assert {"webhook.paused", "meeting.cancelled", "mail_text.reset"} <= written, "the search finds them"
    assert written - set(trail_words.ACTIONS) == set()
    assert trail_words.kind("take_down") == "withdrawn consent"
    assert trail_words.kind("of.an.older.version") == "of.an.older.version"


@pytest.mark.parametrize("kind", ABOUT)
def test_every_kind_leads_to_its_conference(kind: str) -> None:
    model = apps.get_model(ABOUT[kind])

    assert model._meta.get_field("public_id").unique
    assert ABOUT[kind] in PATHS
    for path in PATHS[ABOUT[kind]]:
        str(model._default_manager.filter(**{path: 1}).query)


def mail_to_member(conference: Conference) -> Message:
    """That somebody was nominated."""
    member = Membership.objects.create(
        delegation=DelegationFactory(conference=conference),
        participant=ParticipantFactory(conference=conference),
        mode="online",
        capacity="adviser",
        nominated_at=NOW,
        answer_hash=uuid4().bytes,
    )
    message: Message = MessageFactory(about_kind="membership", about_id=member.public_id)
    return message


@pytest.mark.django_db
def test_organisers_see_the_mails_to_members_of_their_conference() -> None:
    """Guard: ABOUT of accounts.permissions; a given-up mail to a member was on nobody's list."""
    conference = ConferenceFactory()
    own, _foreign = mail_to_member(conference), mail_to_member(ConferenceFactory())
    organiser = RoleFactory(conference=conference, kind=RoleKind.ORGANISER).user

    assert list(organiser.access.rows(Message.objects.all(), "outbox.view_message")) == [own]
    assert list(of_conference(Message.objects.all(), conference.pk)) == [own]
