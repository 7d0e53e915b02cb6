"""Invitations: sealed at rest, one registration for one link, reminded once, forgotten with the person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts import actors
from accounts.models import AuditEntry
from alliance import crypto
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration import services
from registration.invitations import mails as invitation_mails
from registration.models import (
    Admission,
    Invitation,
    InvitationKey,
    InvitationState,
    Participant,
    Places,
    Registration,
    RegistrationStatus,
)
from registration.services import erasure, invitations, invited
from registration.services.invitations import Invitee
from tests.factories import NOW, AdmissionFactory, ConferenceFactory
from tests.registration.at_rest import everything, holds
from tests.registration.people import applicant, loaded, register
from tests.registration.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(days=10)


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admission() -> Admission:
    """A conference that one attends by invitation only, with one place."""
    made: Admission = AdmissionFactory(session=None, approval="invitation", waiting="direct")
    Places.objects.filter(pk=made.pk).update(capacity=1)
    return made


def invitee(number: int = 1, **more: Any) -> Invitee:
    """Somebody to invite."""
    values: dict[str, Any] = {
        "given_name": "Ada",
        "family_name": "Guest",
        "email": f"ada{number}@mail.example",
        "language": "en",
        "row": number,
    }
    return Invitee(**(values | more))


def invite(*admissions: Admission, number: int = 1, **more: Any) -> Invitation:
    """Invite one person."""
    made = invitations.invite(
        conference=admissions[0].conference,
        admissions=admissions,
        invitees=[invitee(number, **more)],
        expires_at=LATER,
        by=actors.SYSTEM,
        now=NOW,
    )
    return Invitation.objects.select_related("conference", "invitation_key").get(pk=made[0].pk)


def accept(invitation: Invitation, *admissions: Admission, window: str = "one", **about: Any) -> services.Answer:
    """Register with an invitation."""
    return services.register(
        conference=invitation.conference,
        admissions=loaded(*admissions),
        applicant=applicant(**({"email": "ada1@mail.example"} | about)),
        form_token=window,
        now=NOW,
        invitation=invitation,
    )


def mail_of(message: Message, now: Any = NOW) -> Mail | Superseded:
    """What leaves for a message."""
    handlers = {
        invitation_mails.SENT: invitation_mails.tell_invited,
        invitation_mails.REMINDER: invitation_mails.tell_again,
        invitation_mails.WITHDRAWN: invitation_mails.tell_withdrawn,
    }
    return handlers[message.topic](message, now=now)


# --- who may register -------------------------------------------------------------------------------------------------


def test_without_an_invitation_nobody_registers(admission: Admission) -> None:
    assert not admission.is_open(NOW)
    with pytest.raises(services.RegistrationClosed):
        register(admission, token="t")
    assert not Registration.objects.exists()


def test_accepting_registers_once_and_only_the_invited(admission: Admission) -> None:
    invitation = invite(admission)
    with pytest.raises(invited.NotLive):
        accept(invitation, admission, email="somebody.else@mail.example")
    assert not Registration.objects.exists()

    answer = accept(invitation, admission, email="ADA1@mail.example")

    assert [outcome.status for outcome in answer.outcomes] == [RegistrationStatus.CONFIRMED]
    invitation.refresh_from_db()
    assert (invitation.state, invitation.answered_on) == (InvitationState.ACCEPTED, NOW.date())
    assert accept(invitation, admission, email="ADA1@mail.example") == answer  # the same form again
    with pytest.raises(invited.AlreadyAnswered):
        accept(invitation, admission, window="two")
    assert Registration.objects.count() == Participant.objects.count() == 1


def test_an_invitation_admits_past_the_audience_but_not_past_the_places(admission: Admission) -> None:
    other = AdmissionFactory(session=None, conference=admission.conference, mode="in_person", approval="manual")
    first, second = invite(admission), invite(admission, other, number=2)
    accept(first, admission)

    answer = accept(second, other, email="ada2@mail.example", window="b")
    assert [outcome.status for outcome in answer.outcomes] == [RegistrationStatus.CONFIRMED]

    third = invite(admission, number=3)
    waiting = accept(third, admission, email="ada3@mail.example", window="c")
    assert [outcome.status for outcome in waiting.outcomes] == [RegistrationStatus.WAITLISTED]


def test_it_admits_to_nothing_else(admission: Admission) -> None:
    other = AdmissionFactory(session=None, conference=admission.conference, mode="in_person", approval="invitation")
    with pytest.raises(services.RegistrationClosed):
        accept(invite(admission), other)


@pytest.mark.race
def test_two_windows_at_once_make_one_registration(admission: Admission) -> None:
    Places.objects.filter(pk=admission.pk).update(capacity=None)
    invitation = invite(admission)

    def window(number: int) -> Any:
        def job() -> str:
            try:
                accept(invitation, admission, window=f"window {number}")
            except invited.AlreadyAnswered:
                return "refused"
            return "registered"

        return job

    assert sorted(at_once([window(number) for number in range(4)])) == ["refused"] * 3 + ["registered"]
    assert Registration.objects.count() == 1


# --- at rest ----------------------------------------------------------------------------------------------------------


def test_no_name_address_or_link_is_readable_at_rest(admission: Admission) -> None:
    invitation = invite(admission, given_name="Zubaida", family_name="Kvitko", email="zubaida@mail.example")
    invitations.decline(invitation_id=invitation.pk, word="My passport is with somebody.", now=NOW)

    kept = everything()

    assert "invitation.sent" in kept
    assert holds(kept, bytes(invitation.email_index).hex())
    for secret in ("Zubaida", "Kvitko", "zubaida@mail.example", "passport", invitation.token):
        assert not holds(kept, secret)
    assert invitation.open_identity().full_name == "Zubaida Kvitko"


def test_an_alias_is_not_joined_with_the_invited_name(admission: Admission) -> None:
    invitation = invite(admission)
    accept(invitation, admission, alias="Blue Bird")

    participant = Participant.objects.get()
    invitation.refresh_from_db()
    kept = {field.attname: getattr(invitation, field.attname) for field in Invitation._meta.concrete_fields}
    links = {one.name: kept[one.attname] for one in Invitation._meta.concrete_fields if one.is_relation}
    assert {name for name, value in links.items() if value is not None} == {"conference"}
    assert str(participant.public_id) not in str(kept)
    assert not AuditEntry.objects.filter(action="invitation.accepted").exists()
    assert not [
        entry
        for entry in AuditEntry.objects.all()
        if str(invitation.public_id) in str(entry.details) or str(participant.public_id) == str(entry.about_id)
    ]


# --- the list ---------------------------------------------------------------------------------------------------------


def test_all_are_invited_or_nobody(admission: Admission) -> None:
    invite(admission)
    with pytest.raises(invitations.InvitingRefused) as refused:
        invitations.invite(
            conference=admission.conference,
            admissions=[admission],
            invitees=[invitee(2), invitee(3, email="ADA2@mail.example"), invitee(4, email="ada1@MAIL.example")],
            expires_at=LATER,
            by=actors.SYSTEM,
            now=NOW,
        )
    assert [problem.row for problem in refused.value.problems] == [3, 4]
    assert Invitation.objects.count() == 1


def test_the_same_address_may_be_invited_to_another_conference_and_after_a_withdrawal(admission: Admission) -> None:
    first = invite(admission)
    elsewhere = invite(AdmissionFactory(session=None, conference=ConferenceFactory(), approval="invitation"))
    assert bytes(first.email_index) != bytes(elsewhere.email_index)

    invitations.withdraw(invitation_id=first.pk, by=actors.SYSTEM, now=NOW)
    assert invite(admission).state == InvitationState.SENT


# --- mails ------------------------------------------------------------------------------------------------------------


def test_mails_leave_in_the_persons_language_without_the_topic_in_the_subject(admission: Admission) -> None:
    invitation = invite(admission, language="ru")

    mail = mail_of(Message.objects.get(topic=invitation_mails.SENT))

    assert isinstance(mail, Mail)
    assert (mail.to, mail.language) == ("ada1@mail.example", "ru")
    assert f"/i/{invitation.token}/" in mail.text
    assert str(admission.conference.title) not in mail.subject
    assert str(admission.conference.title) in mail.text
    assert "CEST, UTC+2)" in mail.text  # on which clock the time to answer ends


def test_whoever_does_not_answer_is_reminded_once(admission: Admission) -> None:
    silent, early = invite(admission), invite(admission, number=2)
    invitations.decline(invitation_id=early.pk, word="", now=NOW)

    assert invitations.remind_unanswered(now=LATER - timedelta(days=4)) == 0
    due = LATER - timedelta(days=2)
    assert invitations.remind_unanswered(now=due) == 1
    assert invitations.remind_unanswered(now=due) == 0

    message = Message.objects.get(topic=invitation_mails.REMINDER)
    assert message.about_id == silent.public_id
    assert isinstance(mail_of(message, due), Mail)
    invitations.decline(invitation_id=silent.pk, word="", now=due)
    assert mail_of(message, due) == Superseded("answered since")


def test_nobody_is_reminded_right_after_the_invitation_or_when_it_is_over(admission: Admission) -> None:
    invitation = invite(admission)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=NOW + timedelta(hours=30))
    assert invitations.remind_unanswered(now=NOW + timedelta(hours=1)) == 0
    assert invitations.remind_unanswered(now=NOW + timedelta(hours=31)) == 0


def test_sending_again_makes_the_first_link_worthless(admission: Admission) -> None:
    invitation = invite(admission)
    first, message = invitation.token, Message.objects.get()
    invitations.decline(invitation_id=invitation.pk, word="No.", now=NOW)

    invitations.send_again(invitation_id=invitation.pk, expires_at=LATER + timedelta(days=1), by=actors.SYSTEM, now=NOW)

    assert invitations.find(first) is None
    invitation.refresh_from_db()
    assert invitations.find(invitation.token) == invitation
    assert (invitation.state, invitation.word) == (InvitationState.SENT, "")
    assert mail_of(message) == Superseded("gone")


def test_withdrawing_ends_it_and_tells_the_person(admission: Admission) -> None:
    invitation = invite(admission)
    invitations.withdraw(invitation_id=invitation.pk, by=actors.SYSTEM, now=NOW)

    with pytest.raises(invited.NotLive):
        accept(invitation, admission)
    assert isinstance(mail_of(Message.objects.get(topic=invitation_mails.WITHDRAWN)), Mail)
    with pytest.raises(invitations.CannotSend):
        invitations.send_again(invitation_id=invitation.pk, expires_at=LATER, by=actors.SYSTEM, now=NOW)


def test_what_is_accepted_is_neither_withdrawn_nor_sent_again(admission: Admission) -> None:
    invitation = invite(admission)
    accept(invitation, admission)
    with pytest.raises(invited.AlreadyAnswered):
        invitations.withdraw(invitation_id=invitation.pk, by=actors.SYSTEM, now=NOW)
    with pytest.raises(invitations.CannotSend):
        invitations.send_again(invitation_id=invitation.pk, expires_at=LATER, by=actors.SYSTEM, now=NOW)
    with pytest.raises(invited.AlreadyAnswered):
        invitations.decline(invitation_id=invitation.pk, word="", now=NOW)


def test_declining_can_be_changed_while_the_time_lasts(admission: Admission) -> None:
    invitation = invite(admission)
    invitations.decline(invitation_id=invitation.pk, word="Perhaps.", now=NOW)
    accept(invitation, admission)
    late = invite(admission, number=2)
    with pytest.raises(invited.NotLive):
        invitations.decline(invitation_id=late.pk, word="", now=LATER)

    invitation.refresh_from_db()
    assert (invitation.state, invitation.word) == (InvitationState.ACCEPTED, "")


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_erasing_a_person_forgets_their_invitation(admission: Admission) -> None:
    mine, others = invite(admission), invite(admission, number=2)
    accept(mine, admission)
    erasure.erase(participant_id=Participant.objects.get().pk, by=actors.SYSTEM, now=NOW)

    mine = Invitation.objects.get(pk=mine.pk)
    with pytest.raises(crypto.Unreadable):
        mine.open_identity()
    assert bytes(mine.sealed_identity) == b""
    assert not Invitation.objects.of_address(conference_id=mine.conference_id, email="ada1@mail.example").exists()
    assert mine.state == InvitationState.ACCEPTED
    assert InvitationKey.objects.filter(pk=others.pk).exists()


def test_all_are_forgotten_two_weeks_after_the_conference(admission: Admission) -> None:
    invitation = invite(admission)
    ends_on = admission.conference.ends_on
    assert ends_on is not None
    over = NOW + (ends_on - NOW.date())

    assert invitations.forget_after_conferences(now=over + timedelta(days=13)) == 0
    assert invitations.forget_after_conferences(now=over + timedelta(days=16)) == 1
    assert invitations.forget_after_conferences(now=over + timedelta(days=16)) == 0
    assert mail_of(Message.objects.get()) == Superseded("gone")
    assert not InvitationKey.objects.filter(pk=invitation.pk).exists()
