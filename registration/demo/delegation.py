"""A delegation at the workshop with members in every state, a reserve, an offered place, and an open invitation."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind, User
from alliance import crypto
from events.models import Conference, Country
from registration import services
from registration.models import (
    Admission,
    AttendanceMode,
    Category,
    Delegation,
    DelegationCapacity,
    FocalPoint,
    Verification,
)
from registration.services import credentials, delegations, invitations
from registration.services.delegations import Nominee
from registration.services.invitations import Invitee

COUNTRY = "KG"
SESSION = "referral"  # has a room of its own with three places, one of them kept for delegations
_TIME_TO_ANSWER = timedelta(days=14)

# Given name, family name, function, capacity.
_MEMBERS = (
    ("Айжан", "Осмонова", "Deputy Minister", DelegationCapacity.HEAD),
    ("Темир", "Садыков", "Head of division", DelegationCapacity.ALTERNATE),
    ("Назгүл", "Токтогулова", "Investigator", DelegationCapacity.ADVISER),
    ("Азамат", "Исаков", "Investigator", DelegationCapacity.ADVISER),
    ("Чолпон", "Байсалова", "Case worker", DelegationCapacity.OBSERVER),
    ("Эркин", "Асанбеков", "Liaison officer", DelegationCapacity.ADVISER),
)
_GUESTS = (("Noor", "Haddad"), ("Luca", "Bianchetti"), ("Ana", "Kovačević"), ("Petr", "Dvořan"))


def load(conference: Conference, focal_point: User, *, now: datetime) -> None:
    """All of it, by the services that pages ask as well: mails are queued like anybody's."""
    _delegation(conference, focal_point, now=now)
    _room(conference, now=now)
    online = Admission.objects.get(conference=conference, session=None, mode=AttendanceMode.ONLINE)
    invitations.invite(
        conference=conference,
        admissions=[online],
        invitees=[Invitee("Marguerite", "Delorme", "invited@university.example", "fr")],
        expires_at=now + _TIME_TO_ANSWER,
        by=actors.SYSTEM,
        now=now,
    )


def _delegation(conference: Conference, focal_point: User, *, now: datetime) -> None:
    delegation = Delegation.objects.create(
        conference=conference, country=Country.objects.get(iso2=COUNTRY), quota=8, quota_in_person=2
    )
    FocalPoint.objects.create(delegation=delegation, user=focal_point)
    by = Actor(ActorKind.DELEGATION, focal_point)
    people = [
        Nominee(given, family, f"member.{row}@delegation.example", capacity, AttendanceMode.ONLINE, "ru", function, row)
        for row, (given, family, function, capacity) in enumerate(_MEMBERS, start=1)
    ]
    made = delegations.nominate(delegation_id=delegation.pk, nominees=people, by=by, now=now)
    head, alternate, investigator, other, observer, _nobody_yet = (one.membership.pk for one in made)
    for membership, is_listed in ((head, True), (alternate, True), (investigator, False)):
        delegations.confirm(membership_id=membership, is_listed=is_listed, now=now)
    delegations.decline(membership_id=observer, now=now)
    instead = Nominee(
        "Бермет", "Жумабекова", "member.7@delegation.example", DelegationCapacity.ADVISER, AttendanceMode.ONLINE, "ru"
    )
    delegations.replace(membership_id=other, nominee=instead, by=by, now=now)
    credentials.verify(
        membership_id=head,
        verification=Verification.VERIFIED,
        reason="",
        by=actors.SYSTEM,
        now=now,
    )


def _room(conference: Conference, *, now: datetime) -> None:
    """Two have the places for everybody, two wait; one gives the place back, and it is offered to the first in line."""
    admission = (
        Admission.objects.with_meeting()
        .select_related("conference", "session")
        .prefetch_related("audience_organisations")
        .get(conference=conference, session__key=SESSION)
    )
    for number, (given, family) in enumerate(_GUESTS):
        email = f"guest.{number}@referral.example"
        services.register(
            conference=conference,
            admissions=[admission],
            applicant=services.Applicant(
                given_name=given,
                family_name=family,
                email=email,
                language="en",
                category=Category.CIVIL_SOCIETY,
                organisation_text="La Lanterna, an invented NGO",
                function="Case worker",
            ),
            form_token=crypto.derive_token("demo-form", email),
            now=now,
        )
    first = admission.registrations.filter(status="confirmed").order_by("pk")[0]
    services.cancel(registration_id=first.pk, by=actors.PARTICIPANT, now=now)
