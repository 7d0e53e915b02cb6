"""Inviting people to speak: the address stays shut, the link is one person's, an answer is a proposal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import actors
from accounts.models import AuditEntry
from events.admin import pages
from events.programme_file.whole import export
from outbox.bounces import Bounce, Kind, mark, tell
from outbox.models import Message
from outbox.results import Mail, Superseded
from speakers import consents, invitation_mails, invitations, workplace
from speakers.models import (
    Contribution,
    ContributionStatus,
    SpeakerConsent,
    SpeakerInvitation,
    SpeakerPurpose,
    SpeakerTakeDown,
)
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ADDRESS = "canary-speaker@mail.example"
FORM = {
    "accept": "1",
    "name": "Dr. Ada Speaker",
    "title": "Adviser",
    "organisation": "Ministry of the Interior",
    "topic": "What works",
    "biography": "Works on it.",
    "photo": "on",
}


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def contribution() -> Contribution:
    """Somebody who is asked to speak at a session to come."""
    person = factories.PersonFactory(display_name="Ada Speaker")
    made: Contribution = factories.ContributionFactory(person=person, status=ContributionStatus.INVITED)
    return made


def invited(contribution: Contribution, language: str = "en", address: str = ADDRESS) -> SpeakerInvitation:
    """Send the invitation."""
    about: dict[str, Any] = {"contribution_id": contribution.pk, "by": actors.SYSTEM, "now": NOW}
    invitations.set_contact(address=address, language=language, **about)
    invitations.send(**about)
    return SpeakerInvitation.objects.get(contribution=contribution)


def page(invitation: SpeakerInvitation) -> str:
    """The address behind the link."""
    return reverse("speaking:invitation", args=[invitation.token])


def actions() -> list[str]:
    """What stands in the audit trail."""
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def letter() -> Mail | Superseded:
    """What the last message becomes."""
    message = Message.objects.latest("pk")
    handler = {invitation_mails.SENT: invitation_mails.tell_invited}
    return handler.get(message.topic, invitation_mails.tell_again)(message, now=NOW)


def test_mail_carries_the_link_and_names_neither_topic_nor_address(contribution: Contribution) -> None:
    made = invited(contribution, "de")

    mail = letter()

    assert isinstance(mail, Mail)
    assert mail.to == ADDRESS
    assert mail.language == "de"
    assert page(made) in mail.text
    assert "Ada Speaker" in mail.text
    session = str(contribution.session.title)
    assert session in mail.text
    assert session not in mail.subject
    assert str(contribution.session.conference.title) not in mail.subject
    assert actions() == ["speaker.contact_changed", "speaker.invited"]
    type(contribution.session).objects.filter(pk=contribution.session_id).update(taken_down_at=NOW)
    assert isinstance(letter(), Superseded)


def test_address_and_token_are_stored_in_clear_nowhere(contribution: Contribution, client: Client) -> None:
    made = invited(contribution)
    client.post(page(made), FORM)

    with connection.cursor() as cursor:
        for table in ("speakers_speakerinvitation", "outbox_message", "accounts_auditentry"):
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} t")
            stored = cursor.fetchone()[0]
            assert ADDRESS not in stored
            assert made.token not in stored
            assert "Ministry" not in stored


def test_looking_changes_nothing_and_the_page_is_kept_nowhere(contribution: Contribution, client: Client) -> None:
    made = invited(contribution)

    shown = client.get(page(made))
    other = client.get(page(made) + "?lang=it")
    stranger = client.get(reverse("speaking:invitation", args=["x" * 43]))
    foreign = client.post(page(made), {"decline": "1"}, headers={"sec-fetch-site": "cross-site"})

    assert shown.status_code == 200
    assert "Ada Speaker" in shown.text
    assert ADDRESS not in shown.text
    assert shown["Cache-Control"] == "no-store"
    assert shown["Referrer-Policy"] == "no-referrer"
    assert not shown.cookies
    assert other["Content-Language"] == "it"
    assert (stranger.status_code, foreign.status_code) == (404, 403)
    contribution.refresh_from_db()
    assert contribution.status == ContributionStatus.INVITED


def test_yes_confirms_and_the_programme_stays_until_somebody_takes_it_over(
    contribution: Contribution, client: Client
) -> None:
    made = invited(contribution)

    answered = client.post(page(made), FORM)
    again = client.get(answered["Location"])

    assert answered.status_code == 303
    assert "Dr. Ada Speaker" in again.text
    contribution.refresh_from_db()
    assert (contribution.status, contribution.name, dict(contribution.topic)) == ("confirmed", "Ada Speaker", {})
    made.refresh_from_db()
    assert set(invitations.proposals(made)) == {"name", "organisation", "topic", "biography"}, "the title is as printed"
    about: dict[str, Any] = {"contribution_id": contribution.pk, "by": actors.SYSTEM, "now": NOW}
    for field in ("name", "topic", "biography"):
        invitations.take_over(field=field, **about)
    invitations.put_aside(field="organisation", **about)
    with pytest.raises(invitations.NotAnswerable):
        invitations.take_over(field="name", **about)
    contribution = Contribution.objects.select_related("person").get(pk=contribution.pk)
    assert contribution.person is not None
    assert (contribution.name, contribution.topic["en"]) == ("Dr. Ada Speaker", "What works")
    assert contribution.person.biography["en"] == "Works on it."
    assert actions()[2:] == ["speaker.accepted", *["speaker.proposal_taken_over"] * 3, "speaker.proposal_put_aside"]
    assert isinstance(letter(), Superseded)


def test_consents_are_a_ledger(contribution: Contribution, client: Client) -> None:
    made = invited(contribution)
    client.post(page(made), FORM)
    client.post(page(made), FORM)
    client.post(page(made), FORM | {"photo": "", "recording": "on"})

    asked = SpeakerConsent.objects.filter(purpose__in=["photo", "recording"])
    rows = list(asked.order_by("pk").values_list("purpose", "is_given", "wording"))
    assert sorted(rows[:2]) == [("photo", True, "2026-11"), ("recording", False, "2026-11")]
    assert sorted(rows[2:]) == [("photo", False, "2026-11"), ("recording", True, "2026-11")]
    assert [one for one, is_given in consents.given(made).items() if is_given] == ["recording"]
    assert len(consents.given(made)) == len(SpeakerPurpose)
    with pytest.raises(TypeError):
        SpeakerConsent.objects.latest("pk").save()


def test_a_consent_is_taken_back_by_one_click_when_all_is_over_and_becomes_work(
    contribution: Contribution, client: Client
) -> None:
    made = invited(contribution, language="fr")
    client.post(page(made), FORM | {"contact": "on"})
    conference = contribution.session.conference
    assert conference.ends_on is not None
    late = NOW.replace(year=conference.ends_on.year + 1)
    assert invitations.forget_after_conferences(now=late) == 1

    with time_machine.travel(late, tick=False):
        shown = client.get(page(made) + "?lang=en").content.decode()
        answers = [client.post(page(made), {"withdraw": "photo"}) for _twice in range(2)]
        wrong = client.post(page(made), {"withdraw": "list"})

    assert "Photographs that show me may be published" in shown
    assert 'name="accept"' not in shown
    assert [answer.status_code for answer in answers] == [303, 303]
    assert wrong.status_code == 404
    line = SpeakerConsent.objects.latest("pk")
    assert (line.purpose, line.is_given, line.language, line.at) == ("photo", False, "fr", late)
    work = SpeakerTakeDown.objects.get()
    assert (work.purpose, work.asked_at) == ("photo", late)
    assert [consents.expire(now=NOW + timedelta(days=730)) for _twice in range(2)] == [1, 0]
    assert set(SpeakerTakeDown.objects.values_list("purpose", flat=True)) == {"photo", "contact"}
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    base = f"/admin/events/conference/{conference.pk}/consents/"
    assert "Ada Speaker" in client.get(base).content.decode()
    client.post(base + "done/", {"take_down": str(work.public_id)})
    work.refresh_from_db()
    assert work.done_at is not None
    assert work.done_by is not None


def test_no_is_the_last_word(contribution: Contribution, client: Client) -> None:
    made = invited(contribution)

    client.post(page(made), {"decline": "1"})
    late = client.post(page(made), FORM)

    assert late.status_code == 409
    assert "You have declined" in late.text
    contribution.refresh_from_db()
    assert contribution.status == ContributionStatus.DECLINED
    assert not SpeakerConsent.objects.exists()
    assert actions()[-1] == "speaker.declined"


def test_broken_form_is_shown_again(contribution: Contribution, client: Client) -> None:
    shown = client.post(page(invited(contribution)), FORM | {"name": "A\u202eda", "topic": "x" * 301})

    assert shown.status_code == 422
    assert shown.text.count("field-error") >= 2


def test_pseudonym_is_all_that_mail_and_page_show_and_the_address_stays_sealed(client: Client) -> None:
    person = factories.PersonFactory(display_name="Wren", is_pseudonym=True)
    contribution = factories.ContributionFactory(
        person=person, status=ContributionStatus.INVITED, role_title={"en": "Canary title"}
    )
    made = invited(contribution)
    mail = letter()

    shown = client.get(page(made))
    client.post(page(made), FORM)

    assert isinstance(mail, Mail)
    assert "Wren" in mail.text
    assert "Canary title" not in mail.text + shown.text
    assert 'name="name"' not in shown.text
    made.refresh_from_db()
    assert made.answers == ""
    assert consents.given(made)["photo"] is True
    with pytest.raises(invitations.Sealed):
        invitations.open_contact(contribution_id=contribution.pk, by=actors.SYSTEM, now=NOW)


def test_link_and_mail_are_void_when_somebody_else_speaks_or_the_address_changes(contribution: Contribution) -> None:
    made = invited(contribution)
    Contribution.objects.filter(pk=contribution.pk).update(person=factories.PersonFactory())

    assert invitations.find(made.token) is None
    assert isinstance(letter(), Superseded)
    about: dict[str, Any] = {"contribution_id": contribution.pk, "by": actors.SYSTEM, "now": NOW}
    with pytest.raises(invitations.NoAddress):
        invitations.open_contact(**about)
    with pytest.raises(invitations.NoAddress):
        invitations.send(**about)
    second = invited(contribution, address="other@mail.example")
    assert second.pk != made.pk
    invitations.set_contact(address="third@mail.example", language="en", **about)
    assert invitations.find(second.token) is None


@pytest.mark.parametrize("status", [ContributionStatus.CONFIRMED, ContributionStatus.DECLINED])
def test_only_the_invited_are_sent_an_invitation(contribution: Contribution, status: str) -> None:
    about: dict[str, Any] = {"contribution_id": contribution.pk, "by": actors.SYSTEM, "now": NOW}
    invitations.set_contact(address=ADDRESS, language="en", **about)
    Contribution.objects.filter(pk=contribution.pk).update(status=status)

    with pytest.raises(invitations.CannotInvite):
        invitations.send(**about)

    assert not Message.objects.exists()


def test_reminded_once_after_a_week(contribution: Contribution) -> None:
    invited(contribution)
    week = NOW + invitations.REMIND_AFTER
    type(contribution.session).objects.filter(pk=contribution.session_id).update(
        starts_at=week + timedelta(days=30), ends_at=week + timedelta(days=30, hours=1)
    )

    counts = [invitations.remind_unanswered(now=at) for at in (week - timedelta(hours=1), week, week)]

    assert counts == [0, 1, 0]
    reminder = letter()
    assert isinstance(reminder, Mail)
    assert "only reminder" in reminder.text


def test_mail_that_comes_back_is_shown_until_there_is_another_address(
    contribution: Contribution, client: Client
) -> None:
    conference = contribution.session.conference
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    here = pages.url("speaker", conference, contribution=contribution.public_id)
    invited(contribution)
    message = Message.objects.latest("pk")

    tell(Bounce(message, Kind.HARD, "550 5.1.1", mark("somebody.else@mail.example"), NOW))
    assert "came back" not in client.get(here).text, "a report about another address flags nobody"
    for _twice in range(2):
        tell(Bounce(message, Kind.HARD, "550 5.1.1", mark(ADDRESS), NOW))

    assert "came back at" in client.get(here).text
    assert "came back" in client.get(pages.url("speakers", conference)).text
    assert [need.number for need in workplace.came_back(conference, NOW)] == [1]
    assert actions().count("speaker.mail_bounced") == 1
    invited(contribution, address="ada.new@mail.example")
    assert "came back at" not in client.get(here).text
    assert [need.number for need in workplace.came_back(conference, NOW)] == [0]


def test_forgotten_two_weeks_after_the_conference_and_when_asked(contribution: Contribution, client: Client) -> None:
    made = invited(contribution)
    client.post(page(made), FORM | {"photo": ""})
    ends_on = contribution.session.conference.ends_on
    assert ends_on is not None
    over = NOW.replace(year=ends_on.year, month=ends_on.month, day=ends_on.day) + timedelta(days=16)

    early = invitations.forget_after_conferences(now=over - timedelta(days=3))
    count = invitations.forget_after_conferences(now=over)

    assert (early, count) == (0, 1)
    made.refresh_from_db()
    assert (made.address, made.answers, made.token_hash) == ("", "", None)
    assert SpeakerConsent.objects.count() == len(SpeakerPurpose)
    about: dict[str, Any] = {"contribution_id": contribution.pk, "by": actors.SYSTEM, "now": NOW}
    invitations.set_contact(address=ADDRESS, language="en", **about)
    invitations.forget(**about)
    assert not SpeakerInvitation.objects.exclude(address="").exists()


def test_organiser_invites_reads_and_takes_over_and_each_look_is_on_the_record(
    contribution: Contribution, client: Client
) -> None:
    conference = contribution.session.conference
    visitor = Client()
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    here = pages.url("speaker", conference, contribution=contribution.public_id)

    client.post(here, {"contact": "1", "address": ADDRESS, "language": "fr"})
    client.post(here, {"send": "1"})
    visitor.post(page(SpeakerInvitation.objects.get()), FORM)
    looked, listed = client.get(here), client.get(pages.url("speakers", conference))
    noted = client.get(pages.url("programme", conference))
    opened = client.post(here, {"open": "1"})
    client.post(here, {"take": "topic"})

    assert ADDRESS not in looked.text + listed.text + noted.text
    assert "What works" in looked.text
    assert "to look at" in listed.text
    assert "1 answer to look at" in noted.text
    assert ADDRESS in opened.text
    assert actions().count("speaker.contact_opened") == 1
    contribution.refresh_from_db()
    assert contribution.topic["fr"] == "What works"
    entry = AuditEntry.objects.get(action="speaker.contact_opened")
    assert entry.actor_user is not None


@pytest.mark.parametrize("kind", ["editor", "desk", "communications", "viewer"])
def test_others_find_no_address(kind: str, contribution: Contribution, client: Client) -> None:
    invited(contribution)
    conference = contribution.session.conference
    client.force_login(factories.RoleFactory(kind=kind, conference=conference).user)

    here = pages.url("speaker", conference, contribution=contribution.public_id)
    assert client.get(here).status_code == 403
    assert client.post(here, {"open": "1"}).status_code == 403


def test_programme_file_knows_nothing_of_it(contribution: Contribution) -> None:
    invited(contribution)

    exported = export(contribution.session.conference).decode()

    assert "Ada Speaker" in exported
    assert ADDRESS not in exported
