"""Many focal points at once: the last nomination of a quota is given once, and nobody blocks anybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection

from registration.models import Delegation, Membership, MemberState, Places, Registration
from registration.models.registration import TAKING
from registration.services import delegations
from tests.factories import NOW, AdmissionFactory, DelegationFactory
from tests.registration.test_delegations import by, nominate, nominee
from tests.registration.test_races import at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def _delegation(**quotas: int) -> Delegation:
    made: Delegation = DelegationFactory(**quotas)
    AdmissionFactory(session=None, conference=made.conference, mode="in_person", capacity=3)
    return made


def test_the_last_nomination_of_a_quota_is_given_once() -> None:
    delegation = _delegation(quota=5, quota_in_person=2)

    def job(number: int) -> Callable[[], bool]:
        def run() -> bool:
            try:
                nominate(delegation, nominee(number))
            except delegations.NominationRefused:
                return False
            return True

        return run

    done = at_once([job(number) for number in range(8)])

    assert sum(done) == 2
    assert Membership.objects.active().count() == 2


def test_raw_inserts_at_once_cannot_pass_the_quota() -> None:
    """Around the services: eight connections revive ended memberships; the trigger's lock lets two through."""
    delegation = _delegation()
    members = nominate(delegation, *[nominee(number) for number in range(1, 9)])
    for member in members:
        delegations.withdraw(membership_id=member.membership.pk, by=by(), now=NOW)
    Delegation.objects.filter(pk=delegation.pk).update(quota=2)

    def job(pk: int) -> Callable[[], bool]:
        def run() -> bool:
            try:
                Membership.objects.filter(pk=pk).update(state=MemberState.NOMINATED, ended_at=None)
            except IntegrityError:
                return False
            return True

        return run

    done = at_once([job(member.membership.pk) for member in members])

    assert sum(done) == 2
    assert Membership.objects.active().count() == 2


def test_without_the_trigger_raw_writes_would_pass_it() -> None:
    """The control: what the test above would see if nothing kept the quota."""
    delegation = _delegation()
    members = nominate(delegation, *[nominee(number) for number in range(1, 4)])
    for member in members:
        delegations.withdraw(membership_id=member.membership.pk, by=by(), now=NOW)
    Delegation.objects.filter(pk=delegation.pk).update(quota=2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE registration_membership DISABLE TRIGGER guard_quota")
    try:
        Membership.objects.update(state=MemberState.NOMINATED, ended_at=None)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE registration_membership ENABLE TRIGGER guard_quota")

    assert Membership.objects.active().count() == 3


def test_replacing_withdrawing_and_nominating_at_once_blocks_nobody_and_counts_truly() -> None:
    delegation = _delegation(quota=8)
    members = nominate(delegation, *[nominee(number) for number in range(1, 7)])

    def replace(number: int) -> Callable[[], object]:
        return lambda: delegations.replace(
            membership_id=members[number].membership.pk, nominee=nominee(number + 50), by=by(), now=NOW
        )

    def end(number: int) -> Callable[[], object]:
        return lambda: delegations.withdraw(membership_id=members[number].membership.pk, by=by(), now=NOW)

    def decline(number: int) -> Callable[[], object]:
        return lambda: delegations.decline(membership_id=members[number].membership.pk, now=NOW)

    at_once([replace(0), replace(3), end(1), end(4), decline(2), lambda: nominate(delegation, nominee(80))])

    row = Places.objects.get()
    assert row.taken == Registration.objects.filter(status__in=TAKING).count() == 3
    assert Membership.objects.active().count() == 4
    assert row.waiting == 1


def test_two_replace_the_same_member_and_one_is_too_late() -> None:
    delegation = _delegation()
    (member,) = nominate(delegation, nominee(1))

    def job(number: int) -> Callable[[], bool]:
        def run() -> bool:
            try:
                delegations.replace(membership_id=member.membership.pk, nominee=nominee(number), by=by(), now=NOW)
            except delegations.NotAMember:
                return False
            return True

        return run

    done = at_once([job(2), job(3)])

    assert sorted(done) == [False, True]
    assert Places.objects.get().taken == 1
