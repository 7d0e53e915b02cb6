"""No answer of the API tells a delegation, or a convenor, that somebody of its country came on their own.

Two conferences alike. In one the person whom the delegation nominates has registered on their own, under another name
and with the country withheld; in the other somebody else has. Every answer, down to lengths and orders of ids, and
whatever leaves the house for the delegation's servers, must be the same.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind
from registration.models import Delegation, FocalPoint, Participant, Places, WebhookDelivery
from registration.models.webhook import OF_MEMBERS
from registration.services import protection, webhooks
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, CountryFactory, SideEventFactory
from tests.registration.people import register
from tests.registration.tokens import Program, a_delegation, person, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]

_RANDOM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"[0-9a-f]{32}\"|cursor=[\w%:.-]+")
TOLD = ("ETag", "Location", "Allow", "Cache-Control", "Content-Language", "Content-Type", "Content-Length", "Vary")


class Walk:
    """What a delegation's program sends, and every answer with what is random made the same: ids, ETags and cursors by
    the order in which they come. How many requests are left is left out: both worlds share an address.
    """

    def __init__(self, delegation: Delegation) -> None:
        self.program = Program(token(delegation))
        self.slug = delegation.conference.slug
        self.seen: dict[str, str] = {}
        self.answers: list[tuple[str, int, str]] = []

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """An answer, which is noted."""
        answer = self.program.send(method, path, body, **headers)
        told = b"".join(answer.streaming_content).decode() if answer.streaming else answer.text
        listed = [] if answer.streaming or not told else answer.json().get("results", [])
        rows = told.splitlines() if answer.streaming else [json.dumps(row) for row in listed]
        if rows := sorted(rows, key=lambda row: str(json.loads(row).get("name"))):  # they come in the order of ids
            told = "\n".join(rows)
        told = "\n".join([told, *(answer.headers.get(name, "-") for name in TOLD)])
        self.answers.append((f"{method} {self.alike(path)}", answer.status_code, self.alike(told)))
        return answer

    def alike(self, text: str) -> str:
        """A text without what is random."""
        return _RANDOM.sub(self._name, text.replace(self.slug, "slug"))

    def _name(self, found: re.Match[str]) -> str:
        return self.seen.setdefault(found[0], f"<{len(self.seen)}>")

    def look(self) -> None:
        """Everything there is to read."""
        for path in ("/delegations/", "/participants/", "/registrations/", "/registrations/export/"):
            self.ask("GET", path)
        for query in ("mode=in_person", "place=waiting&ordering=-nominated_at", "place=none"):
            self.ask("GET", f"/participants/?{query}")
        self.ask("GET", f"/admissions/?conference={self.slug}&fields=places_left,waiting,is_open")

    def go(self) -> None:
        """Nominate, correct, replace, withdraw and nominate again the person whom it is about."""
        self.ask("POST", "/participants/bulk/", {"members": [person(1), person(1)]})
        made = self.ask("POST", "/participants/", person(1), Idempotency_Key="one")
        for again in (person(1), person(1, family_name="Otherwise")):
            self.ask("POST", "/participants/", again, Idempotency_Key="one")
        self.ask("POST", "/participants/", person(1))
        self.look()
        path = f"/participants/{made.json()['participant']}/"
        self.ask("PATCH", path, {"given_name": "Jo", "family_name": "Plain"}, If_Match="*")
        second = self.ask("POST", f"{path}substitute/", person(2), If_Match=self.program.etag(path)).json()
        path = f"/participants/{second['participant']}/"
        third = self.ask("POST", f"{path}substitute/", person(1), If_Match="*").json()
        path = f"/participants/{third['participant']}/"
        self.ask("DELETE", path, If_Match=self.program.etag(path))
        self.ask("GET", path)
        self.ask("POST", "/participants/bulk/", {"members": [person(3), person(1), person(2)]})
        self.look()


def test_nothing_tells_that_a_nominated_person_came_on_their_own() -> None:
    country = CountryFactory()
    worlds: list[list[tuple[str, int, str]]] = []
    told: list[list[tuple[str, str]]] = []
    for own_address in ("member1@state.example", "somebody@else.example"):
        conference = ConferenceFactory(title={"en": "Conference"}, slug=f"conference-{len(worlds)}", edition=None)
        delegation = a_delegation(conference=conference, country=country)
        room = conference.admissions.get(mode="in_person")
        Places.objects.filter(pk=room.pk).update(capacity=2)
        register(room, token=own_address, email=own_address, alias="Swallow", country=country)
        own = Participant.objects.get(conference=conference)
        protection.protect(
            participant_id=own.pk, wanted=protection.Wanted(hides_country=True), by=actors.PARTICIPANT, now=NOW
        )
        focal_point = FocalPoint.objects.get(delegation=delegation)
        webhooks.make(
            conference=conference, delegation=delegation, label="Ours", url="https://receiver.example/",
            events=[event.value for event in OF_MEMBERS], by=Actor(ActorKind.DELEGATION, focal_point.user), now=NOW,
        )  # fmt: skip
        walk = Walk(delegation)
        walk.go()
        worlds.append(walk.answers)
        sent = WebhookDelivery.objects.filter(subscription__delegation=delegation).order_by("pk")
        told.append([(one.event, walk.alike(json.dumps(one.data, sort_keys=True))) for one in sent])
        assert "Swallow" not in str(walk.answers) + str(told[-1])
        own.refresh_from_db()
        assert (own.display_name, own.country, own.registrations.get().status) == ("Swallow", None, "confirmed")

    for one, other in zip(*worlds, strict=True):
        assert one == other
    assert {status for _asked, status, _told in worlds[0]} >= {200, 201, 204, 404, 409}
    assert told[0] == told[1] != []


def test_convenors_program_sees_no_country_and_no_name_behind_the_alias() -> None:
    session = SideEventFactory()
    admission = AdmissionFactory(session=session)
    register(admission, token="t", email="a@mail.example", given_name="Own", alias="Swallow", country=CountryFactory())
    program = Program(token(session))
    before = program.get("/registrations/")
    protection.protect(
        participant_id=Participant.objects.get().pk,
        wanted=protection.Wanted(hides_country=True, no_photo=True),
        by=actors.PARTICIPANT,
        now=NOW,
    )

    after = program.get("/registrations/")

    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])
    assert "Own" not in after.text
