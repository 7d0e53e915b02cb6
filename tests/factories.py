"""One factory per model, valid with no arguments, no surprises."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import AuditEntry, Role, RoleKind, User
from alliance import crypto
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    Convenorship,
    Country,
    CountryStatus,
    Material,
    MaterialKind,
    Organisation,
    Recommendation,
    Reference,
    Room,
    Segment,
    SegmentKind,
    Series,
    Session,
    SessionKind,
    SessionState,
    TextSection,
    Venue,
)
from outbox.models import Message
from registration.models import (
    Admission,
    Delegation,
    Figure,
    Measure,
    Participant,
    Places,
    Question,
    Registration,
    RegistrationStatus,
)
from registration.models.figure import Breakdown, LiveMeasure, PublicFigure
from registration.models.participant import Identity, IdentityKey, email_index
from speakers.models import Affiliation, Contribution, ContributionStatus, Person
from video.models import Meeting, MeetingState

# A Tuesday in summer, before every session the factories make. Tests pass it as `now`.
NOW = datetime(2030, 7, 2, 9, 0, tzinfo=UTC)


class UserFactory(DjangoModelFactory[User]):
    """A user who can sign in but do nothing yet."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@office.example")
    name = factory.Sequence(lambda n: f"User {n}")


class StaffFactory(UserFactory):
    """An administrator."""

    is_staff = True
    is_superuser = True


class CountryFactory(DjangoModelFactory[Country]):
    """A participating State."""

    class Meta:
        model = Country
        django_get_or_create = ("iso2",)

    iso2 = factory.Sequence(lambda n: f"{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}")
    name = factory.LazyAttribute(lambda o: {"en": f"Country {o.iso2}"})
    status = CountryStatus.PARTICIPATING_STATE


class OrganisationFactory(DjangoModelFactory[Organisation]):
    """A body without a country."""

    class Meta:
        model = Organisation

    key = factory.Sequence(lambda n: f"organisation-{n}")
    name = factory.Sequence(lambda n: {"en": f"Organisation {n}"})


class VenueFactory(DjangoModelFactory[Venue]):
    """Vienna."""

    class Meta:
        model = Venue

    name = factory.Sequence(lambda n: {"en": f"Hall {n}"})
    city = factory.LazyFunction(lambda: {"en": "Vienna", "de": "Wien", "ru": "Вена"})


class RoomFactory(DjangoModelFactory[Room]):
    """A room with 100 seats."""

    class Meta:
        model = Room

    venue = factory.SubFactory(VenueFactory)
    name = factory.Sequence(lambda n: {"en": f"Room {n}"})
    capacity = 100


class SeriesFactory(DjangoModelFactory[Series]):
    """A series."""

    class Meta:
        model = Series

    key = factory.Sequence(lambda n: f"series-{n}")
    name = factory.Sequence(lambda n: {"en": f"Series {n}"})


class ConferenceFactory(DjangoModelFactory[Conference]):
    """A public hybrid conference in Vienna, 15 to 17 July 2030."""

    class Meta:
        model = Conference

    series = factory.SubFactory(SeriesFactory)
    edition = 1
    slug = factory.Sequence(lambda n: f"conference-{n}")
    title = factory.Sequence(lambda n: {"en": f"Conference {n}"})
    starts_on = date(2030, 7, 15)
    ends_on = date(2030, 7, 17)
    venue = factory.SubFactory(VenueFactory)
    state = ConferenceState.PUBLISHED


class ConferenceDayFactory(DjangoModelFactory[ConferenceDay]):
    """The first day."""

    class Meta:
        model = ConferenceDay

    conference = factory.SubFactory(ConferenceFactory)
    number = 1
    date = factory.LazyAttribute(lambda o: o.conference.starts_on + timedelta(days=o.number - 1))


class SessionFactory(DjangoModelFactory[Session]):
    """A scheduled panel, 09:00 to 10:00 UTC on the first day."""

    class Meta:
        model = Session

    conference = factory.SubFactory(ConferenceFactory)
    day = factory.LazyAttribute(
        lambda o: ConferenceDay.objects.get_or_create(
            conference=o.conference, number=1, defaults={"date": o.conference.starts_on}
        )[0]
    )
    key = factory.Sequence(lambda n: f"session-{n}")
    slug = factory.LazyAttribute(lambda o: o.key)
    kind = SessionKind.PANEL
    position = factory.Sequence(lambda n: n % 30000 + 1)
    title = factory.Sequence(lambda n: {"en": f"Session {n}"})
    starts_at = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
    ends_at = datetime(2030, 7, 15, 10, 0, tzinfo=UTC)
    state = SessionState.SCHEDULED


class SideEventFactory(SessionFactory):
    """A side event, with the same times."""

    kind = SessionKind.SIDE_EVENT
    registration_mode = "own_form"


class SegmentFactory(DjangoModelFactory[Segment]):
    """A panel block."""

    class Meta:
        model = Segment

    session = factory.SubFactory(SessionFactory)
    key = factory.Sequence(lambda n: f"segment-{n}")
    kind = SegmentKind.PANEL
    heading = factory.LazyFunction(lambda: {"en": "Speakers"})
    position = factory.Sequence(lambda n: n % 30000 + 1)


class ConvenorshipFactory(DjangoModelFactory[Convenorship]):
    """An organisation that convenes."""

    class Meta:
        model = Convenorship

    session = factory.SubFactory(SideEventFactory)
    organisation = factory.SubFactory(OrganisationFactory)


class TextSectionFactory(DjangoModelFactory[TextSection]):
    """A description."""

    class Meta:
        model = TextSection

    session = factory.SubFactory(SessionFactory)
    text = factory.LazyFunction(lambda: {"en": "What it is about."})


class RecommendationFactory(DjangoModelFactory[Recommendation]):
    """A recommendation."""

    class Meta:
        model = Recommendation

    session = factory.SubFactory(SessionFactory)
    number = factory.Sequence(lambda n: n + 1)
    text = factory.LazyFunction(lambda: {"en": "Do this."})


class ReferenceFactory(DjangoModelFactory[Reference]):
    """A footnote."""

    class Meta:
        model = Reference

    conference = factory.SubFactory(ConferenceFactory)
    number_printed = factory.Sequence(lambda n: str(n + 1))
    document = "programme"
    citation = "A source"


class MaterialFactory(DjangoModelFactory[Material]):
    """A video."""

    class Meta:
        model = Material

    conference = factory.SubFactory(ConferenceFactory)
    kind = MaterialKind.VIDEO
    url = factory.Sequence(lambda n: f"https://video.example/{n}")


class PersonFactory(DjangoModelFactory[Person]):
    """A person who speaks."""

    class Meta:
        model = Person

    key = factory.Sequence(lambda n: f"person-{n}")
    is_pseudonym = False
    given_name = factory.LazyAttribute(lambda o: "" if o.is_pseudonym else "Ada")
    family_name = factory.LazyAttributeSequence(lambda o, n: "" if o.is_pseudonym else f"Speaker{n}")
    display_name = factory.LazyAttributeSequence(
        lambda o, n: f"Alias{n}" if o.is_pseudonym else f"{o.given_name} {o.family_name}"
    )


class AffiliationFactory(DjangoModelFactory[Affiliation]):
    """What a person is."""

    class Meta:
        model = Affiliation

    person = factory.SubFactory(PersonFactory)
    role_title = factory.LazyFunction(lambda: {"en": "Adviser"})


class ContributionFactory(DjangoModelFactory[Contribution]):
    """A confirmed speaker."""

    class Meta:
        model = Contribution

    session = factory.SubFactory(SessionFactory)
    person = factory.SubFactory(PersonFactory)
    position = factory.Sequence(lambda n: n % 30000 + 1)
    status = ContributionStatus.CONFIRMED
    role_title = factory.LazyFunction(lambda: {"en": "Adviser"})


class MeetingFactory(DjangoModelFactory[Meeting]):
    """A ready meeting at a fixed address. The address is a canary: it must appear nowhere but in the redirect."""

    class Meta:
        model = Meeting

    session = factory.SubFactory(SideEventFactory)
    state = MeetingState.READY
    address = "https://meet.provider.example/canary-room"
    allowed_hosts = factory.LazyFunction(lambda: ["meet.provider.example"])


class AdmissionFactory(DjangoModelFactory[Admission]):
    """On-line admission to a side event, open to everybody. capacity=... sets the places."""

    class Meta:
        model = Admission
        skip_postgeneration_save = True

    session = factory.SubFactory(SideEventFactory)
    conference = factory.LazyAttribute(lambda o: o.session.conference if o.session else ConferenceFactory())

    @factory.post_generation
    def capacity(self, create: bool, extracted: int | None, **kwargs: Any) -> None:
        """Set the capacity of the places row that the database made."""
        if create and extracted is not None:
            Places.objects.filter(admission_id=self.pk).update(capacity=extracted)


class QuestionFactory(DjangoModelFactory[Question]):
    """An optional question with one line to answer, kept for thirty days."""

    class Meta:
        model = Question

    conference = factory.SubFactory(ConferenceFactory)
    kind = "text"
    label = factory.Sequence(lambda n: {"en": f"Question {n}"})
    help = factory.LazyFunction(lambda: {"en": "We need it."})
    position = factory.Sequence(lambda n: n % 30000 + 1)
    retention_days = 30


class DelegationFactory(DjangoModelFactory[Delegation]):
    """The delegation of a State."""

    class Meta:
        model = Delegation

    conference = factory.SubFactory(ConferenceFactory)
    country = factory.SubFactory(CountryFactory)


class ParticipantFactory(DjangoModelFactory[Participant]):
    """A participant with a sealed identity. email=, given_name=, family_name= go into the seal."""

    class Meta:
        model = Participant

    conference = factory.SubFactory(ConferenceFactory)
    display_name = factory.LazyAttribute(lambda o: f"{o.given_name} {o.family_name}")
    created_at = NOW

    class Params:
        given_name = "Grace"
        family_name = factory.Sequence(lambda n: f"Guest{n}")
        email = factory.Sequence(lambda n: f"guest{n}@mail.example")

    @classmethod
    def _adjust_kwargs(cls, **kwargs: Any) -> dict[str, Any]:
        return kwargs

    @classmethod
    def _create(cls, model_class: type[Participant], *args: Any, **kwargs: Any) -> Participant:
        identity: Identity = kwargs.pop("identity")
        key, wrapped = crypto.new_person_key()
        participant = model_class(**kwargs)
        participant.email_index = email_index(identity.email)
        participant.seal(identity, key)
        participant.link_hash = crypto.token_hash(participant.personal_token)
        participant.save()
        IdentityKey.objects.create(participant=participant, wrapped=wrapped)
        return participant

    identity = factory.LazyAttribute(lambda o: Identity(o.given_name, o.family_name, o.email))


class RegistrationFactory(DjangoModelFactory[Registration]):
    """A confirmed registration."""

    class Meta:
        model = Registration

    admission = factory.SubFactory(AdmissionFactory)
    participant = factory.LazyAttribute(lambda o: ParticipantFactory(conference=o.admission.conference))
    status = RegistrationStatus.CONFIRMED
    created_at = NOW

    @classmethod
    def _create(cls, model_class: type[Registration], *args: Any, **kwargs: Any) -> Registration:
        registration = model_class(**kwargs)
        if registration.status == RegistrationStatus.WAITLISTED and registration.position is None:
            registration.position = Places.objects.get(admission_id=registration.admission_id).next_position
        if registration.status == RegistrationStatus.CANCELLED and registration.cancelled_at is None:
            registration.cancelled_at = NOW
        registration.join_hash = crypto.token_hash(registration.join_token)
        registration.save()
        return registration


class FigureFactory(DjangoModelFactory[Figure]):
    """A reported number."""

    class Meta:
        model = Figure

    conference = factory.SubFactory(ConferenceFactory)
    measure = Measure.REGISTERED
    value = 700


class PublicFigureFactory(DjangoModelFactory[PublicFigure]):
    """A number that was released."""

    class Meta:
        model = PublicFigure

    conference = factory.SubFactory(ConferenceFactory)
    measure = LiveMeasure.REGISTERED
    breakdown = Breakdown.TOTAL
    position = factory.Sequence(lambda n: n % 30000)
    value = 700
    counted_at = NOW


class MessageFactory(DjangoModelFactory[Message]):
    """A queued mail."""

    class Meta:
        model = Message

    topic = "test.mail"
    key = factory.Sequence(lambda n: f"test:{n}")
    about_kind = "test"
    about_id = factory.Faker("uuid4")
    due_at = NOW
    next_attempt_at = NOW
    deadline_at = NOW + timedelta(days=7)
    created_at = NOW


class RoleFactory(DjangoModelFactory[Role]):
    """An organiser of one conference."""

    class Meta:
        model = Role

    user = factory.SubFactory(UserFactory)
    conference = factory.SubFactory(ConferenceFactory)
    kind = RoleKind.ORGANISER


class AuditEntryFactory(DjangoModelFactory[AuditEntry]):
    """A line of the trail."""

    class Meta:
        model = AuditEntry

    at = NOW
    actor_kind = "system"
    action = "test"
    about_kind = "test"
    about_id = factory.Faker("uuid4")
