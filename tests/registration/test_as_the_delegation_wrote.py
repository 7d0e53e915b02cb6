"""Towards its delegation a member stands as the delegation wrote it, whatever the person does on their own page."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind
from outbox.models import Message
from outbox.results import Mail
from registration.delegations import views
from registration.letters import digests
from registration.models import Delegation, FocalPoint, Membership, Participant, WebhookDelivery
from registration.models.webhook import OF_MEMBERS
from registration.services import corrections, delegations, erasure, own_corrections, own_data, protection, webhooks
from registration.services.corrections import Correction
from tests.factories import NOW, ConferenceFactory, CountryFactory, RegistrationFactory
from tests.registration.test_api_secrets import Walk
from tests.registration.test_delegations import by, nominate, nominee
from tests.registration.test_erasure import tables_with
from tests.registration.tokens import Program, a_delegation, path_of, person, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]

ALIASES = ("Kestrel", "Merlin", "Osprey", "Otherwise")
_CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"|nonce[-=]"?[\w+/=-]+')
LATER = NOW + timedelta(days=1)


def protect(member: Membership, alias: str, **more: Any) -> None:
    """The person protects themselves on their own page."""
    values: dict[str, Any] = {"alias": alias, "no_photo": True}
    wanted = protection.Wanted(**(values | more))
    protection.protect(participant_id=member.participant_id, wanted=wanted, by=actors.PARTICIPANT, now=NOW)


def correct(member: Membership, **changes: Any) -> None:
    """The person corrects their own data, where they may."""
    own = Participant.objects.select_related("identity_key", "country").get(pk=member.participant_id)
    wanted = dataclasses.replace(own_corrections.own_data(own), **changes)
    own_corrections.correct(participant_id=own.pk, wanted=wanted, now=NOW)


def doors(delegation: Delegation, members: list[Membership]) -> dict[str, Any]:
    """Everything that a delegation reads: pages, files, the daily mail, the API with its ETags, what webhooks told."""
    focal_point = FocalPoint.objects.select_related("user").get(delegation=delegation)
    client, program = Client(), Program(token(delegation))
    client.force_login(focal_point.user)
    own = f"/en/delegations/{delegation.public_id}/"
    found: dict[str, Any] = {}
    for path in (own, f"{own}members.csv", *(f"{own}members/{one.public_id}/" for one in members)):
        answer = client.get(path)
        found[path] = (answer.status_code, _CSRF.sub(b"", answer.content), answer.headers.get("ETag"))
    book = load_workbook(io.BytesIO(client.get(f"{own}members.xlsx").content))
    found["xlsx"] = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    paths = ["/delegations/", "/participants/", "/participants/?ordering=-nominated_at", "/participants/?place=held",
             "/registrations/", "/registrations/?category=delegation", *map(path_of, members)]  # fmt: skip
    rows = program.get("/registrations/").json()["results"]
    for path in [*paths, *(f"/registrations/{row['id']}/" for row in rows)]:
        answer = program.get(path)
        found[path] = (answer.status_code, re.sub(r"cursor=[^\"&]+", "", answer.text), answer.headers.get("ETag"))
    found["export"] = b"".join(program.get("/registrations/export/").streaming_content)
    message = Message.objects.filter(topic=digests.TOPIC).first()
    if message is None:
        digests.queue_due(now=LATER)
        message = Message.objects.get(topic=digests.TOPIC)
    mail = digests.send(message, now=LATER)
    assert isinstance(mail, Mail)
    found["digest"] = (mail.subject, mail.text, mail.html)
    told = WebhookDelivery.objects.filter(subscription__delegation=delegation).order_by("pk")
    found["webhooks"] = [(one.event, one.data) for one in told]
    return found


def test_nothing_that_a_delegation_reads_changes_when_its_members_hide() -> None:
    delegation = a_delegation()
    webhooks.make(
        conference=delegation.conference, delegation=delegation, label="Ours", url="https://receiver.example/",
        events=[event.value for event in OF_MEMBERS],
        by=Actor(ActorKind.DELEGATION, FocalPoint.objects.get(delegation=delegation).user), now=NOW,
    )  # fmt: skip
    made = nominate(delegation, *[nominee(number, function=f"Function {number}") for number in (1, 2, 3, 4)])
    confirmed, silent, declined, renamed = members = [one.membership for one in made]
    delegations.confirm(membership_id=confirmed.pk, is_listed=True, now=NOW)
    for one in (declined, renamed):
        delegations.decline(membership_id=one.pk, now=NOW)
    before = doors(delegation, members)
    assert before["xlsx"][1][0] == "Lena Member1"
    assert "Lena Member3: Declined" in before["digest"][1]
    assert before["webhooks"] != []

    protect(confirmed, "Kestrel")
    protect(silent, "Merlin", no_recording=True)
    protect(declined, "Osprey", hides_country=True, hides_organisation=True)
    correct(renamed, given_name="Otherwise", family_name="Named", function="Otherwise")

    after = doors(delegation, members)
    assert {name for name in before if before[name] != after[name]} == set()
    assert set(after) == set(before)
    assert not [alias for alias in ALIASES if alias in str(after)]
    assert set(Participant.objects.values_list("display_name", flat=True)) == {*ALIASES[:3], "Otherwise Named"}


def test_what_a_delegation_writes_is_answered_the_same_and_leaves_the_alias() -> None:
    country = CountryFactory()
    worlds: list[list[tuple[str, int, str]]] = []
    for hides in (False, True):
        conference = ConferenceFactory(title={"en": "Conference"}, slug=f"conference-{len(worlds)}", edition=None)
        walk = Walk(a_delegation(conference=conference, country=country))
        path = f"/participants/{walk.ask('POST', '/participants/', person(1)).json()['participant']}/"
        etag = walk.program.etag(path)
        member = Membership.objects.select_related("participant").get(delegation__conference=conference)
        if hides:
            protect(member, "Kestrel")
        same, other = {"given_name": "Lena", "family_name": "Member1"}, {"given_name": "Lea", "family_name": "Member"}
        walk.ask("PATCH", path, same, If_Match=etag)
        walk.ask("PATCH", path, other | {"function": "Envoy"}, If_Match=etag)
        walk.ask("PATCH", path, {"function": "Adviser"}, If_Match=etag)  # stale
        walk.ask("PATCH", path, {"function": "Adviser"}, If_Match=walk.program.etag(path))
        walk.ask("POST", "/participants/", person(1))
        delegations.confirm(membership_id=member.pk, is_listed=False, now=NOW)
        walk.ask("PATCH", path, same, If_Match="*")
        walk.look()
        own = Participant.objects.select_related("identity_key").get(pk=member.participant_id)
        assert (own.display_name, own.function) == ("Kestrel" if hides else "Lea Member", "Adviser")
        assert own.open_identity().full_name == "Lea Member"
        walk.ask("POST", f"{path}substitute/", person(2), If_Match="*")
        walk.look()
        worlds.append(walk.answers)

    for one, two in zip(*worlds, strict=True):
        assert one == two
    assert {status for _asked, status, _told in worlds[0]} >= {200, 201, 204, 409, 412}
    assert "Lea Member" in str(worlds[1])
    assert "Kestrel" not in str(worlds[1])


def test_correction_by_the_delegation_leaves_the_name_that_the_person_corrected() -> None:
    (made,) = nominate(a_delegation(), nominee())
    member = Membership.objects.select_related("participant__identity_key").get(pk=made.membership.pk)
    own = member.participant
    own_corrections.reseal(own, dataclasses.replace(own.open_identity(), given_name="Helena"))
    own.display_name = "Helena Member1"
    own.save()

    corrections.correct(membership_id=member.pk, change=Correction(names=("Leni", "Member1")), by=by(), now=NOW)

    member = Membership.objects.select_related("participant__identity_key").get(pk=member.pk)
    assert (member.as_written.name, member.participant.display_name) == ("Leni Member1", "Helena Member1")


def test_what_the_delegation_wrote_is_sealed_told_to_its_owner_and_erased_with_them() -> None:
    (made, other) = nominate(
        a_delegation(), nominee(1, given_name="Canarina", function="Singmeisterin"), nominee(2, given_name="Meise")
    )
    protect(made.membership, "Kestrel")
    row = Membership.objects.select_related("participant__identity_key", "participant__conference").get(
        pk=made.membership.pk
    )
    mark = bytes(row.sealed_as_written or b"").hex()
    assert tables_with(mark) == {"registration_membership"}
    assert tables_with("Canarina") == set()
    [[*facts]] = [one.records[0] for one in own_data.collect(row.participant, now=NOW) if one.key == "delegations"]
    told = {fact.key: fact.value for fact in facts}
    assert (told["name_as_nominated"], told["function_as_nominated"]) == ("Canarina Member1", "Singmeisterin")
    # The bytes of somebody else's row, and no key at all, open nothing.
    Membership.objects.filter(pk=other.membership.pk).update(sealed_as_written=row.sealed_as_written)
    assert Membership.objects.get(pk=other.membership.pk).as_written.shown == "(name not shown)"

    erasure.erase(participant_id=row.participant_id, by=actors.SYSTEM, now=NOW)

    assert Membership.objects.get(pk=row.pk).sealed_as_written is None
    Membership.objects.filter(pk=other.membership.pk).update(sealed_as_written=None)
    assert tables_with(mark, "Canarina", "Singmeisterin") == set()


def test_members_who_protect_themselves_are_told_what_their_delegation_reads_on(client: Client) -> None:
    conference = ConferenceFactory()
    (made,) = nominate(a_delegation(conference=conference), nominee())
    words = "goes on reading the name and the function that it wrote itself"

    def said(someone: Participant) -> bool:
        page = client.get(reverse("registration:protection", args=[someone.personal_token]))
        assert page.status_code == 200
        return words in page.content.decode()

    assert said(made.membership.participant)
    assert not said(RegistrationFactory(participant__conference=conference).participant)


def test_page_and_daily_mail_of_thirty_cost_what_those_of_one_cost() -> None:
    delegation = a_delegation()
    nominate(delegation, nominee(0))
    digests.queue_due(now=LATER)
    message = Message.objects.get(topic=digests.TOPIC)

    def cost(read: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as found:
            assert read()
        return len(found)

    readers = (lambda: views.rows_of(delegation)[delegation.pk], lambda: digests.send(message, now=LATER))
    one = [cost(read) for read in readers]
    nominate(delegation, *(nominee(number) for number in range(1, 30)))

    assert len(views.rows_of(delegation)[delegation.pk]) == 30
    assert [cost(read) for read in readers] == one


def test_members_from_before_are_filled_where_the_name_still_is_the_delegations() -> None:
    delegation = a_delegation()
    made = nominate(delegation, *(nominee(number, function="Adviser") for number in range(1, 5)))
    plain, hidden, renamed, erased = (one.membership for one in made)
    protect(hidden, "Kestrel")
    delegations.decline(membership_id=renamed.pk, now=NOW)
    correct(renamed, given_name="Otherwise")
    erasure.erase(participant_id=erased.participant_id, by=actors.SYSTEM, now=NOW)
    Membership.objects.update(sealed_as_written=None)

    importlib.import_module("registration.migrations.0033_as_the_delegation_wrote").fill(apps, None)

    rows = [Membership.objects.get(pk=one.pk).as_written for one in (plain, hidden, renamed, erased)]
    assert [(row.name, row.function) for row in rows] == [
        ("Lena Member1", "Adviser"), ("", "Adviser"), ("", "Adviser"), ("", ""),
    ]  # fmt: skip
    shown = json.dumps(Program(token(delegation)).get("/participants/").json()["results"])
    assert ("Lena Member1" in shown, "Kestrel" in shown, "Otherwise" in shown) == (True, False, False)
