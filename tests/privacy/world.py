"""A conference in which everything is filled in, for somebody who may be named and for those who may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import outbox.services
from accounts.actors import Actor
from accounts.models import Role
from events import page_cache
from events.models import Conference, Session
from events.releases import publishing
from events.removals import services as removals
from events.removals import subjects
from registration import selectors
from registration.delegations import listing
from registration.models import Delegation, Participant
from registration.services import delegations
from tests import factories
from tests.factories import NOW
from tests.registration import people, tokens
from tests.registration.test_delegations import nominate, nominee

HOSTILE = "\"'><b onx=1>&{{7*7}}"


@dataclass(frozen=True)
class World:
    """A conference in which everything is filled in, for somebody who may be named and for those who may not."""

    conference: Conference
    session: Session
    hidden: Session
    delegation: Delegation
    alias: Participant
    token: str
    focal_point: Any
    convenor: Any
    paths: list[str]  # of what was taken down


def build() -> World:
    """Everything planted, published twice, mails sent, then taken down."""
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
            nominee(
                number, given_name=f"{prefix}guest", family_name=f"{prefix}member", function=_said(prefix, "function")
            ),
        )
        delegations.confirm(membership_id=made.membership.pk, is_listed=listed, now=NOW)
    guest = Participant.objects.get(display_name__startswith="Qvxguest")
    for person in Participant.objects.all():
        factories.RegistrationFactory(admission=session.admissions.get(), participant=person)
    side_event = session.admissions.get()
    people.register(
        house, side_event, token="open", given_name="Wqzname", family_name="Wqzfamily", email="wqz@mail.example"
    )
    people.register(
        house,
        side_event,
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
    alias = Participant.objects.get(has_alias=True)
    return World(conference, session, hidden, delegation, alias, secret, focal_point, role.user, paths)


def _said(prefix: str, word: str) -> str:
    """A text; that of somebody who may be named is what no page may take for its own."""
    return f"{HOSTILE}{prefix}{word}" if prefix == "Wqz" else f"{prefix}{word}"


def _session(prefix: str, slug: str, **more: Any) -> Session:
    values: dict[str, Any] = {"conference__slug": "summit"} if "conference" not in more else more
    session: Session = factories.SideEventFactory(
        key=f"{prefix.lower()}key",
        slug=f"{prefix.lower()}-{slug}",
        title={"en": _said(prefix, "title")},
        summary={"en": _said(prefix, "summary")},
        call_to_action={"en": _said(prefix, "call")},
        audience={"en": _said(prefix, "audience")},
        platform_label=_said(prefix, "platform"),
        **values,
    )
    factories.TextSectionFactory(session=session, text={"en": _said(prefix, "text")})
    factories.SegmentFactory(session=session, heading={"en": _said(prefix, "heading")})
    factories.RecommendationFactory(session=session, text={"en": _said(prefix, "result")})
    factories.MaterialFactory(
        conference=session.conference,
        session=session,
        title={"en": _said(prefix, "paper")},
        url=f"https://x.example/{prefix}",
    )
    factories.ConvenorshipFactory(session=session, organisation__name={"en": _said(prefix, "convenor")})
    return session


def _speaker(prefix: str, session: Session) -> Any:
    return factories.ContributionFactory(
        session=session,
        person__key=f"{prefix.lower()}-person",
        person__display_name=_said(prefix, "speaker"),
        role_title={"en": _said(prefix, "role")},
        topic={"en": _said(prefix, "topic")},
        organisation=factories.OrganisationFactory(name={"en": _said(prefix, "body")}),
    ).person
