"""What can never be false in the tables of registration, tried past the services."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from alliance import db
from registration.models import (
    Admission,
    Delegation,
    Figure,
    FocalPoint,
    IdempotencyKey,
    Participant,
    Registration,
    RegistrationStatus,
)
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    DelegationFactory,
    FigureFactory,
    OrganisationFactory,
    ParticipantFactory,
    RegistrationFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def broken_by(row: models.Model, **values: Any) -> str:
    """Change a row past all services; the name of the constraint that refuses it."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        type(row)._default_manager.filter(pk=row.pk).update(**values)
    return db.constraint_name(error.value)


def refused(make: Any) -> str:
    """Make a row that must be refused; the name of the constraint."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        make()
    return db.constraint_name(error.value)


# --- admission --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"mode": "by_post"}, "admission_mode_is_known"),
        ({"approval": "perhaps"}, "admission_approval_is_known"),
        ({"waiting": "lottery"}, "admission_waiting_is_known"),
        ({"opens_at": NOW, "closes_at": NOW}, "admission_closes_after_it_opens"),
        ({"audience_categories": ["academia", "aliens"]}, "admission_audience_categories_are_known"),
        ({"audience_country_statuses": ["empire"]}, "admission_audience_statuses_are_known"),
    ],
)
def test_admission_refuses(values: dict[str, Any], constraint: str) -> None:
    assert broken_by(AdmissionFactory(), **values) == constraint


def test_admission_stands_once_per_session_and_mode() -> None:
    admission = AdmissionFactory()

    constraint = refused(lambda: AdmissionFactory(session=admission.session, mode=admission.mode))

    assert constraint == "admission_unique_per_thing_and_mode"


def test_admission_to_the_conference_stands_once_per_mode() -> None:
    conference = ConferenceFactory()
    Admission.objects.create(conference=conference, mode="online")

    constraint = refused(lambda: Admission.objects.create(conference=conference, mode="online"))

    assert constraint == "admission_unique_per_thing_and_mode"


# --- participant ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"display_name": ""}, "participant_has_display_name"),
        ({"category": "alien"}, "participant_category_is_known"),
        ({"language": "tlh"}, "participant_language_is_known"),
        ({"delegation_capacity": "head"}, "participant_delegation_and_capacity_are_a_pair"),
    ],
)
def test_participant_refuses(values: dict[str, Any], constraint: str) -> None:
    assert broken_by(ParticipantFactory(), **values) == constraint


def test_participant_in_a_delegation_needs_a_capacity() -> None:
    delegation = DelegationFactory()
    participant = ParticipantFactory(conference=delegation.conference)

    constraint = broken_by(participant, delegation=delegation)

    assert constraint == "participant_delegation_and_capacity_are_a_pair"


def test_participant_stands_once_per_conference_and_address() -> None:
    conference = ConferenceFactory()
    ParticipantFactory(conference=conference, email="ada@mail.example")

    constraint = refused(lambda: ParticipantFactory(conference=conference, email="ADA@Mail.EXAMPLE"))

    assert constraint == "participant_email_unique_in_conference"


def test_participant_may_stand_in_two_conferences() -> None:
    ParticipantFactory.create_batch(2, email="ada@mail.example")

    assert Participant.objects.count() == 2


def test_personal_links_are_never_the_same() -> None:
    one, other = ParticipantFactory(), ParticipantFactory()

    assert broken_by(other, link_hash=one.link_hash).startswith("registration_participant_link_hash")


# --- registration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"decided_at": NOW}, "registration_decision_has_author_and_time"),
        ({"decided_by_kind": "organiser"}, "registration_decision_has_author_and_time"),
        ({"decided_at": NOW, "decided_by_kind": "oracle"}, "registration_decision_has_author_and_time"),
        ({"cancelled_at": NOW}, "registration_cancelled_at_a_time"),
        ({"status": "cancelled"}, "registration_cancelled_at_a_time"),
    ],
)
def test_registration_refuses(values: dict[str, Any], constraint: str) -> None:
    assert broken_by(RegistrationFactory(), **values) == constraint


def test_registration_refuses_an_unknown_status() -> None:
    admission = AdmissionFactory()

    constraint = refused(lambda: RegistrationFactory(admission=admission, status="maybe"))

    assert constraint == "registration_status_is_known"


def test_registration_waits_with_a_position() -> None:
    waiting = RegistrationFactory(status=RegistrationStatus.WAITLISTED)

    assert broken_by(waiting, position=None) == "registration_waits_with_position"


def test_registration_has_a_position_of_its_own() -> None:
    admission = AdmissionFactory()
    one, other = (RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED) for _n in range(2))

    assert broken_by(other, position=one.position) == "registration_position_given_once"


@pytest.mark.parametrize("status", ["pending", "confirmed", "waitlisted", "offered", "attended", "absent"])
def test_registration_lives_once_per_participant_and_admission(status: str) -> None:
    registration = RegistrationFactory()

    constraint = refused(
        lambda: RegistrationFactory(
            admission=registration.admission, participant=registration.participant, status=status
        )
    )

    assert constraint == "registration_one_live_per_participant"


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_registration_may_follow_one_that_has_ended(status: str) -> None:
    registration = RegistrationFactory(status=status)

    RegistrationFactory(admission=registration.admission, participant=registration.participant)

    assert Registration.objects.count() == 2


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_idempotency_key_is_used_once() -> None:
    IdempotencyKey.objects.create(scope="register", key_hash=b"k", body_hash=b"b", created_at=NOW)

    constraint = refused(
        lambda: IdempotencyKey.objects.create(scope="register", key_hash=b"k", body_hash=b"c", created_at=NOW)
    )

    assert constraint == "idempotency_key_used_once"


def test_delegation_is_of_a_state_or_of_an_organisation() -> None:
    delegation = DelegationFactory()

    assert broken_by(delegation, organisation=OrganisationFactory()) == "delegation_of_state_or_organisation"
    assert broken_by(delegation, country=None) == "delegation_of_state_or_organisation"


def test_delegation_stands_once_per_conference() -> None:
    delegation = DelegationFactory()

    constraint = refused(
        lambda: Delegation.objects.create(conference=delegation.conference, country=delegation.country)
    )

    assert constraint == "delegation_stands_once"


def test_focal_point_stands_once_per_delegation() -> None:
    delegation, user = DelegationFactory(), UserFactory()
    FocalPoint.objects.create(delegation=delegation, user=user)

    assert refused(lambda: FocalPoint.objects.create(delegation=delegation, user=user)) == "focal_point_stands_once"


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"measure": "applause"}, "figure_measure_is_known"),
        ({"qualifier": "some"}, "figure_qualifier_is_known"),
        ({"value": -1}, "figure_is_not_negative"),
    ],
)
def test_figure_refuses(values: dict[str, Any], constraint: str) -> None:
    assert broken_by(FigureFactory(), **values) == constraint


def test_figure_stands_once() -> None:
    figure = FigureFactory()

    constraint = refused(
        lambda: Figure.objects.create(conference=figure.conference, measure=figure.measure, value=figure.value)
    )

    assert constraint == "figure_stands_once"
