"""The rarer states, one person each, so that every page of the admin has something to show on the first day."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db.models import QuerySet
from django.utils import timezone

from accounts import actors
from accounts.models import ActorKind, User
from alliance import crypto
from events import jobs
from events.models import Conference, Job, JobState
from outbox.models import Message, MessageState
from registration import services
from registration.exports import work as exports
from registration.models import (
    Admission,
    AttendanceMode,
    BounceKind,
    Category,
    CheckIn,
    Invitation,
    MailBounce,
    Membership,
    Participant,
    Purpose,
    Registration,
    RegistrationStatus,
    Verification,
)
from registration.services import consents, credentials, invitations, protection
from registration.services.invitations import Invitee
from registration.services.protection import Wanted

_CAME, _STAYED_AWAY = 12, 2  # of the people who registered for the room in 2020
_TIME_TO_ANSWER = timedelta(days=14)


def attended(conference: Conference, people: list[Participant]) -> None:
    """Some were there in person, and were let in at the entrance on the first day; two stayed away."""
    admission = Admission.objects.get(conference=conference, session=None, mode=AttendanceMode.IN_PERSON)
    if conference.starts_on is None:
        return
    doors = datetime.combine(conference.starts_on, time(8, 40), conference.zone)
    made = []
    for number, person in enumerate(people[: _CAME + _STAYED_AWAY]):
        one = Registration(
            admission=admission,
            participant=person,
            status=RegistrationStatus.ATTENDED if number < _CAME else RegistrationStatus.ABSENT,
            created_at=doors - timedelta(days=20),
            decided_at=doors - timedelta(days=20),
            decided_by_kind=ActorKind.SYSTEM,
        )
        one.join_hash = crypto.token_hash(one.join_token)
        made.append(one)
    Registration.objects.bulk_create(made)
    CheckIn.objects.bulk_create(
        CheckIn(
            conference=conference,
            participant=one.participant,
            registration=one,
            on_day=conference.starts_on,
            at=doors + timedelta(minutes=3 * number),
            received_at=doors + timedelta(minutes=3 * number, seconds=1),
            nonce=uuid5(NAMESPACE_URL, f"demo-check-in:{one.public_id}"),
        )
        for number, one in enumerate(made[:_CAME])
    )


def rejected(admission: Admission, *, now: datetime) -> None:
    """Somebody from outside the audience whom an organiser has turned away."""
    one = _registered(admission, "Valdis", "Krēsliņš", now=now)
    services.reject(
        registration_id=one.pk, by=actors.SYSTEM, now=now, reason="This side event is for delegations and staff."
    )


def load(conference: Conference, *, now: datetime) -> None:
    """What the workshop shows beside its delegation; mails are queued like anybody's."""
    online = Admission.objects.with_meeting().select_related("conference", "session")
    online = online.prefetch_related("audience_organisations")
    admission = online.get(conference=conference, session=None, mode=AttendanceMode.ONLINE)
    gone = _registered(admission, "Bruno", "Calvet", now=now)
    services.cancel(registration_id=gone.pk, by=actors.SYSTEM, now=now, reason="Registered twice, as the person says.")
    bounced = _registered(admission, "Tove", "Dahlin", now=now).participant
    MailBounce.objects.create(
        participant=bounced,
        kind=BounceKind.HARD,
        code="550 5.1.1",
        address_index=bounced.email_index,
        topic="registration.received",
        at=now,
    )
    held = _registered(admission, "Imre", "Szalai", now=now)
    dead = _registered(admission, "Lucia", "Ferraro", now=now)
    _of(held).update(state=MessageState.HELD)
    _of(dead).update(state=MessageState.DEAD, finished_at=now, attempts=12, last_error="450 4.2.2")
    hidden = _registered(admission, "Maren", "Holt", alias="Wren", now=now).participant
    protection.protect(
        participant_id=hidden.pk,
        wanted=Wanted(hides_country=True, hides_organisation=True, no_photo=True, no_recording=True),
        by=actors.SYSTEM,
        now=now,
    )
    _consent_taken_back(conference, now=now)
    _invitations(conference, admission, now=now)
    _refused_credentials(conference, now=now)


def _registered(admission: Admission, given: str, family: str, *, now: datetime, alias: str = "") -> Registration:
    """Somebody who registers like everybody else."""
    email = f"{given}.{family}@states.example".lower()
    applicant = services.Applicant(
        given_name=given,
        family_name=family,
        email=email,
        language="en",
        category=Category.CIVIL_SOCIETY,
        alias=alias,
        organisation_text="La Lanterna, an invented NGO",
        function="Volunteer",
    )
    token = crypto.derive_token("demo-form", email)
    services.register(
        conference=admission.conference, admissions=[admission], applicant=applicant, form_token=token, now=now
    )
    return Registration.objects.select_related("participant").filter(admission=admission).latest("pk")


def _of(registration: Registration) -> QuerySet[Message]:
    return Message.objects.filter(about_id=registration.public_id, state=MessageState.QUEUED)


def _consent_taken_back(conference: Conference, *, now: datetime) -> None:
    """Photographs were agreed to and are not any more: work for the organisers."""
    consents.ask_for(conference=conference, purposes=[Purpose.LIST, Purpose.PHOTO], by=actors.SYSTEM, now=now)
    seat = Registration.objects.filter(admission__conference=conference, admission__session=None).order_by("pk")[0]
    for act in (consents.give, consents.withdraw):
        act(participant_id=seat.participant_id, purpose=Purpose.PHOTO, language="en", now=now)


def _invitations(conference: Conference, admission: Admission, *, now: datetime) -> None:
    """Accepted, declined, withdrawn and expired; one that waits for its answer is there already."""
    names = (("Renée", "Astier"), ("Jonas", "Wieland"), ("Paola", "Serra"), ("Mikael", "Strand"))
    invitees = [
        Invitee(given, family, f"invited.{at}@states.example", "en", at) for at, (given, family) in enumerate(names, 1)
    ]
    accepted, declined, withdrawn, expired = invitations.invite(
        conference=conference,
        admissions=[admission],
        invitees=invitees,
        expires_at=now + _TIME_TO_ANSWER,
        by=actors.SYSTEM,
        now=now,
    )
    given, family = names[0]
    email = "invited.1@states.example"
    applicant = services.Applicant(
        given_name=given, family_name=family, email=email, language="fr", category=Category.ACADEMIA
    )
    token = crypto.derive_token("demo-form", email)
    services.register(
        conference=conference,
        admissions=[admission],
        applicant=applicant,
        form_token=token,
        now=now,
        invitation=accepted,
    )
    invitations.decline(invitation_id=declined.pk, word="I am in court on both days.", now=now)
    invitations.withdraw(invitation_id=withdrawn.pk, by=actors.SYSTEM, now=now)
    Invitation.objects.filter(pk=expired.pk).update(
        sent_at=now - _TIME_TO_ANSWER, created_at=now - _TIME_TO_ANSWER, expires_at=now - timedelta(hours=1)
    )


def _refused_credentials(conference: Conference, *, now: datetime) -> None:
    """One member does not stand in the credential letter; others are verified or not looked at yet."""
    members = Membership.objects.active().filter(
        delegation__conference=conference, verification=Verification.OPEN, listed_at=None
    )
    credentials.verify(
        membership_id=members.order_by("pk")[0].pk,
        verification=Verification.REFUSED,
        reason="Not named in the letter of the Permanent Delegation.",
        by=actors.SYSTEM,
        now=now,
    )


def job(conference: Conference, owner: User, *, now: datetime) -> None:
    """Long work that is done, with its file; made again when it has been deleted, as it is after some hours."""
    if Job.objects.filter(owner=owner, conference=conference).exists():
        return
    with timezone.override(conference.zone):
        made = jobs.kind(exports.FIGURES).run(jobs.Direct(owner, conference, {"kind": "xlsx"}))
    Job.objects.create(
        kind=exports.FIGURES,
        conference=conference,
        owner=owner,
        order={"kind": "xlsx"},
        state=JobState.DONE,
        done=1,
        total=1,
        starts=1,
        result=made.content,
        result_name=made.name,
        result_type=made.content_type,
        created_at=now,
        finished_at=now,
    )
