"""Loading the demo: each part once, so that a second start keeps what people have done with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

import events
from accounts.models import ActorKind, User
from alliance import crypto
from events import countries, programme_file
from events.models import Conference, Country, Organisation, Session
from events.releases import publishing
from outbox.models import Message, MessageState
from registration import services
from registration.demo import delegation, login, questions, states
from registration.demo.people import Invented, invented_people
from registration.letters import messages
from registration.models import (
    Admission,
    AttendanceMode,
    Category,
    IdentityKey,
    Participant,
    Registration,
    RegistrationStatus,
)
from registration.models.participant import Identity, email_index
from video.adapters.static import address_host
from video.models import Meeting, MeetingState

DATA = Path(events.__file__).parent / "data"
CONFERENCE = "alliance-20"
SIDE_EVENT = "a20-side-1"
WORKSHOP = "workshop-online-traces"
MEETING_PATH = "/demo/meeting/"
_FOREVER = datetime(2099, 12, 31, tzinfo=UTC)


def load(*, now: datetime) -> list[str]:
    """Bring in what is not there yet; one line for each part that was loaded, none at a second start.

    now: the instant of the start (aware); the workshop lies some weeks after the first one.
    """
    done = []
    if countries.load() != (0, 0):
        done.append("countries")
    if not Conference.objects.filter(slug=CONFERENCE).exists():
        _load_conference(now)
        done.append("the 20th conference with 180 people at its first side event")
    if not Conference.objects.filter(slug=WORKSHOP).exists():
        _load_workshop(now)
        done.append("a workshop to come with a delegation")
    _move_meetings()
    return done


def _load_conference(now: datetime) -> None:
    """The conference of 2020. Its doors are open now, so that join links can be tried."""
    with transaction.atomic():
        programme_file.load((DATA / "alliance-20.yaml").read_bytes())
        conference = Conference.objects.get(slug=CONFERENCE)
        publishing.publish(conference, by=None, now=now)
        session = Session.objects.get(conference=conference, key=SIDE_EVENT)
        opens_at = now - timedelta(days=1)
        _open_meeting(conference=conference, opens_at=opens_at, closes_at=_FOREVER)
        _open_meeting(session=session, opens_at=opens_at, closes_at=_FOREVER)
        admission = _admission(conference, SIDE_EVENT)
        people = _register_in_bulk(admission, invented_people(), now=now)
        states.attended(conference, people)
    # Two from outside the audience, so that an organiser finds somebody to decide about.
    for number, (given, family, language) in enumerate((("Odile", "Marchetti", "fr"), ("Павел", "Ронин", "ru"))):
        _apply(
            _admission(conference, SIDE_EVENT),
            services.Applicant(
                given_name=given,
                family_name=family,
                email=f"applicant.{number}@ngo.example",
                language=language,
                category=Category.CIVIL_SOCIETY,
                organisation_text="La Lanterna, an invented NGO",
                function="Volunteer",
            ),
            now=now,
        )
    states.rejected(_admission(conference, SIDE_EVENT), now=now)


def _load_workshop(now: datetime) -> None:
    """Two days in the fourth week from now, with one place left in the room, and a delegation."""
    first = _tuesday_after(now.date() + timedelta(days=24))
    text = (DATA / "workshop.yaml").read_text(encoding="utf-8")
    text = text.replace("DAY1", f"{first}").replace("DAY2", f"{first + timedelta(days=1)}")
    with transaction.atomic():
        programme_file.load(text.encode())
        conference = Conference.objects.get(slug=WORKSHOP)
        publishing.publish(conference, by=None, now=now)
        times = [session for session in conference.sessions.all() if session.starts_at and session.ends_at]
        opens_at = min(session.starts_at for session in times if session.starts_at)
        closes_at = max(session.ends_at for session in times if session.ends_at)
        _open_meeting(conference=conference, opens_at=opens_at - timedelta(minutes=15), closes_at=closes_at)
        questions.load(conference)
    admission = Admission.objects.get(conference=conference, session=None, mode=AttendanceMode.IN_PERSON)
    people = [
        ("Sinéad", "Ó Laoire", "en"),
        ("Käthe", "Brömmel", "de"),
        ("Светлана", "Юрьева", "ru"),
        ("Íñigo", "Sanz", "es"),
    ]
    for number, (given, family, language) in enumerate(people):
        _apply(
            admission,
            services.Applicant(
                given_name=given,
                family_name=family,
                email=f"trainee.{number}@academy.example",
                language=language,
                category=Category.DELEGATION,
                country=Country.objects.get(iso2=("IE", "AT", "KG", "ES")[number]),
                organisation_text="Police academy",
                function="Investigator",
            ),
            now=now,
        )

    focal_point, _is_new = User.objects.get_or_create(email=login.FOCAL_POINT, defaults={"name": "Demo focal point"})
    delegation.load(conference, focal_point, now=now)
    states.load(conference, now=now)


def _tuesday_after(day: date) -> date:
    return day + timedelta(days=(1 - day.weekday()) % 7)


def _admission(conference: Conference, session: str) -> Admission:
    """The on-line admission of a session, loaded as services want it."""
    return (
        Admission.objects.with_meeting()
        .select_related("conference", "session")
        .prefetch_related("audience_organisations")
        .get(conference=conference, session__key=session, mode=AttendanceMode.ONLINE)
    )


def _apply(admission: Admission, applicant: services.Applicant, *, now: datetime) -> None:
    """Register one person by the ordinary way, mails included: the mailbox of the demo is not empty then."""
    services.register(
        conference=admission.conference,
        admissions=[admission],
        applicant=applicant,
        form_token=crypto.derive_token("demo-form", applicant.email),
        now=now,
    )


# --- meetings -------------------------------------------------------------------------------------------------------


def _meeting_address() -> str:
    return f"{settings.SITE_URL}{MEETING_PATH}"


def _open_meeting(
    *, opens_at: datetime, closes_at: datetime, conference: Conference | None = None, session: Session | None = None
) -> None:
    """A room behind the door: our own page that says so."""
    address = _meeting_address()
    Meeting.objects.create(
        conference=conference,
        session=session,
        address=address,
        allowed_hosts=[address_host(address)],
        state=MeetingState.READY,
        opens_at=opens_at,
        closes_at=closes_at,
    )


def _move_meetings() -> None:
    """Follow the site to another port: the demo may be started with --port."""
    address = _meeting_address()
    for meeting in Meeting.objects.filter(state=MeetingState.READY):
        if meeting.address.endswith(MEETING_PATH) and meeting.address != address:
            meeting.address = address
            meeting.allowed_hosts = [address_host(address)]
            meeting.save(update_fields=["address", "allowed_hosts", "updated_at"])


# --- people ---------------------------------------------------------------------------------------------------------


def _register_in_bulk(admission: Admission, people: list[Invented], *, now: datetime) -> list[Participant]:
    """Confirmed registrations in a few statements. Returns who they are.

    No mail leaves: what they would have been sent counts as sent.
    """
    countries_by_code = {country.iso2: country for country in Country.objects.all()}
    known = {organisation.key: organisation for organisation in Organisation.objects.filter(key__in=["tntd", "hcnm"])}
    participants, keys, registrations, letters = [], [], [], []
    for number, person in enumerate(people):
        at = now - timedelta(days=30) + timedelta(minutes=203 * number)
        participant = Participant(
            conference=admission.conference,
            display_name=person.alias or f"{person.given_name} {person.family_name}",
            has_alias=bool(person.alias),
            email_index=email_index(person.email),
            language=person.language,
            category=person.category,
            # Institutions have no country (docs/design.md section 3).
            country=countries_by_code[person.country] if person.category == Category.DELEGATION else None,
            organisation=known.get("tntd") if person.category == Category.EXECUTIVE_STRUCTURE else None,
            organisation_text=person.organisation,
            function=person.function,
            interpretation_language="ru" if person.language == "ru" else "",
            created_at=at,
        )
        key, wrapped = crypto.new_person_key()
        participant.seal(Identity(person.given_name, person.family_name, person.email), key)
        participant.link_hash = crypto.token_hash(participant.personal_token)
        registration = Registration(
            admission=admission,
            participant=participant,
            status=RegistrationStatus.CONFIRMED,
            created_at=at,
            decided_at=at,
            decided_by_kind=ActorKind.SYSTEM if person.is_audience else ActorKind.ORGANISER,
        )
        registration.join_hash = crypto.token_hash(registration.join_token)
        participants.append(participant)
        keys.append((participant, wrapped))
        registrations.append(registration)
        letters += _letters_sent(registration, now=now)
    Participant.objects.bulk_create(participants)
    IdentityKey.objects.bulk_create([IdentityKey(participant=owner, wrapped=wrapped) for owner, wrapped in keys])
    Registration.objects.bulk_create(registrations)
    Message.objects.bulk_create(letters)
    return participants


def _letters_sent(registration: Registration, *, now: datetime) -> list[Message]:
    """The join link as a message that has left already; else the sweep would send 180 of them at once."""
    letters = list(messages.join_link(registration, version=registration.version, now=now))
    for letter in letters:
        letter.state = MessageState.SENT
        letter.finished_at = now
    return letters
