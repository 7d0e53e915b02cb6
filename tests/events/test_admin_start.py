"""The start page of a conference: what waits and the lists behind it, the checklist, the bar, who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from alliance import crypto
from alliance.admin import list_url, row_url
from events import workplace
from events.admin import pages
from events.models import Conference
from events.releases import publishing
from outbox.models import MessageState
from registration.models import (
    Announcement,
    AnnouncementState,
    CredentialLetter,
    Invitation,
    MailBounce,
    Membership,
    Registration,
    RegistrationStatus,
    TakeDown,
)
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ContributionFactory,
    DelegationFactory,
    MeetingFactory,
    MessageFactory,
    OrganisationFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoleFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def address(conference: Conference) -> str:
    """The start page."""
    return pages.url("start", conference)


def organiser_of(conference: Conference, kind: str = "organiser") -> Client:
    """A browser in which somebody with a role at the conference is signed in."""
    client = Client()
    client.force_login(RoleFactory(conference=conference, kind=kind).user)
    return client


def everything(conference: Conference, number: int) -> None:
    """A number of rows of everything that waits for somebody."""
    session = SessionFactory(conference=conference)
    manual = AdmissionFactory(session=session, mode="in_person", approval="manual")
    for _one in range(number):
        pending = RegistrationFactory(admission=manual, status=RegistrationStatus.PENDING)
        RegistrationFactory(
            admission=manual, status=RegistrationStatus.OFFERED, offer_expires_at=NOW + timedelta(hours=3)
        )
        person = pending.participant
        MailBounce.objects.create(
            participant=person, kind="hard", address_index=person.email_index, topic="registration.confirmed", at=NOW
        )
        TakeDown.objects.create(participant=person, purpose="photo", asked_at=NOW)
        ContributionFactory(session=session, status="tbc")
        waiting = AdmissionFactory(session=SideEventFactory(conference=conference), capacity=1)
        RegistrationFactory(admission=waiting, status=RegistrationStatus.WAITLISTED)
        full = AdmissionFactory(session=SideEventFactory(conference=conference), capacity=1)
        RegistrationFactory(admission=full)
        for admission in (waiting, full):
            MeetingFactory(session=admission.session)
        AdmissionFactory(session=SideEventFactory(conference=conference))  # without a meeting
        for state in (MessageState.DEAD, MessageState.HELD):
            finished = NOW if state == MessageState.DEAD else None
            MessageFactory(about_kind="registration", about_id=pending.public_id, state=state, finished_at=finished)
        MessageFactory(
            about_kind="participant", about_id=person.public_id, due_at=NOW - timedelta(hours=1), next_attempt_at=NOW
        )
        _invitation(conference)
        _member(conference)
        Announcement.objects.create(
            conference=conference,
            subject={"en": "S"},
            text={"en": "T"},
            state=AnnouncementState.WAITING,
            created_at=NOW,
        )


def _invitation(conference: Conference) -> None:
    invitation = Invitation(
        conference=conference, expires_at=NOW + timedelta(days=9), sent_at=NOW, created_at=NOW, sealed_identity=b"x"
    )
    invitation.email_index = crypto.token_hash(str(invitation.public_id))
    invitation.link_hash = crypto.token_hash(invitation.token)
    invitation.save()


def _member(conference: Conference) -> None:
    delegation = DelegationFactory(conference=conference)
    CredentialLetter.objects.create(
        delegation=delegation, content_type="application/pdf", size=1, content="eA==", uploaded_at=NOW
    )
    membership = Membership(
        delegation=delegation, participant=ParticipantFactory(conference=conference), mode="online",
        capacity="head", nominated_at=NOW,
    )  # fmt: skip
    membership.answer_hash = crypto.token_hash(membership.answer_token)
    membership.save()


ALL = {
    "pending", "offers", "bounced", "take-downs", "tbc", "free", "full", "meeting", "dead", "held", "late",
    "invitations", "credentials", "announcements",
}  # fmt: skip


def needs(client: Client, conference: Conference) -> dict[str, workplace.Need]:
    """What the page says."""
    context = client.get(address(conference)).context
    return {need.code: need for need in [*context["urgent"], *context["others"]]}


def test_each_number_leads_to_exactly_its_rows() -> None:
    conference, other = ConferenceFactory(), ConferenceFactory()
    everything(conference, 2)
    everything(other, 3)
    user = RoleFactory(conference=conference).user
    Role.objects.create(user=user, conference=other, kind="organiser")  # sees both: the links must choose
    client = Client()
    client.force_login(user)

    found = needs(client, conference)

    assert set(found) == ALL
    assert {code: need.number for code, need in found.items()} == dict.fromkeys(ALL, 2) | {"tbc": 2}
    for need in found.values():
        page = client.get(need.url)
        assert page.status_code == 200
        if "cl" in (page.context or {}):
            assert page.context["cl"].result_count == need.number, need.code
    assert len(client.get(found["invitations"].url).context["rows"]) == 2
    assert len(client.get(found["credentials"].url).context["found"]) == 2
    assert client.get(found["take-downs"].url).text.count('name="take_down"') == 2


def test_costs_the_same_for_one_row_and_for_thirty() -> None:
    conference = ConferenceFactory()
    everything(conference, 1)
    client = organiser_of(conference)

    def cost() -> int:
        client.get(address(conference))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(conference)).status_code == 200
        return len(queries)

    one = cost()
    everything(conference, 29)

    assert cost() == one
    assert one <= 70


def test_a_role_sees_what_it_may_open_and_nothing_of_other_conferences() -> None:
    conference, other = ConferenceFactory(), ConferenceFactory()
    everything(conference, 1)

    assert set(needs(organiser_of(conference, "editor"), conference)) == {"tbc"}
    assert set(needs(organiser_of(conference, "communications"), conference)) == ALL - {
        "invitations", "credentials",
    }  # fmt: skip
    assert set(needs(organiser_of(conference, "viewer"), conference)) == {"tbc", "free", "full", "meeting"}
    assert needs(organiser_of(conference, "confidential"), conference) == {}
    assert organiser_of(other).get(address(conference)).status_code == 404


def test_nothing_to_do_says_so_and_where_to_look() -> None:
    conference = ConferenceFactory()

    page = organiser_of(conference, "viewer").get(address(conference))

    assert "Nothing waits for you here." in page.text
    assert pages.url("programme", conference) in page.text


def test_unpublished_changes_and_figures_of_a_conference_that_is_over() -> None:
    conference = ConferenceFactory()
    session = SessionFactory(conference=conference)
    client = organiser_of(conference)
    publishing.publish(conference, by=None, now=NOW, check=False)
    assert "unpublished" not in needs(client, conference)

    session.title = {"en": "Another title"}
    session.save(update_fields=["title"])
    assert needs(client, conference)["unpublished"].number == 1

    ParticipantFactory(conference=conference)
    Conference.objects.filter(pk=conference.pk).update(
        starts_on=NOW - timedelta(days=9), ends_on=NOW - timedelta(days=8)
    )
    assert set(needs(client, conference)) == {"figures"}


def test_mails_of_a_merged_or_foreign_row_are_not_counted() -> None:
    conference = ConferenceFactory()
    foreign = RegistrationFactory()
    MessageFactory(about_kind="registration", about_id=foreign.public_id, state=MessageState.DEAD, finished_at=NOW)
    MessageFactory(about_kind="conference", about_id=conference.public_id, state=MessageState.DEAD, finished_at=NOW)

    assert needs(organiser_of(conference), conference)["dead"].number == 1


# --- the checklist ---------------------------------------------------------------------------------------------------


def state(client: Client, conference: Conference) -> dict[str, bool]:
    """Which steps are done; empty when the checklist is gone."""
    return {step.code: step.is_done for step in client.get(address(conference)).context["steps"]}


def test_checklist_follows_the_data_until_registration_is_open() -> None:
    conference = ConferenceFactory(starts_on=None, ends_on=None, venue=None, state="draft", contact_email="")
    client = organiser_of(conference)
    assert not any(state(client, conference).values())
    assert client.get(address(conference)).context["next_step"].code == "dates"

    Conference.objects.filter(pk=conference.pk).update(
        starts_on="2030-07-15", ends_on="2030-07-17", format="online", contact_email="office@example.org"
    )
    conference.refresh_from_db()
    session = SessionFactory(conference=conference, working_languages=["en"])
    ContributionFactory(session=session)
    admission = AdmissionFactory(conference=conference, session=None, mode="in_person", is_closed=True)
    assert not state(client, conference)["admissions"]  # no capacity
    admission.places.capacity = 100
    admission.places.save(update_fields=["capacity"])
    AdmissionFactory(session=SideEventFactory(conference=conference), is_closed=True)
    found = state(client, conference)
    assert {code for code, done in found.items() if done} >= {"dates", "contact", "sessions", "speakers", "admissions"}
    assert not found["meetings"]
    assert not found["release"]
    assert not found["open"]

    publishing.publish(conference, by=None, now=NOW, check=False)
    assert state(client, conference)["release"]
    admission.is_closed = False
    admission.save(update_fields=["is_closed"])

    assert state(client, conference) == {}
    assert state(organiser_of(conference, "steward"), conference) == {}


def test_links_of_the_checklist_open() -> None:
    conference = ConferenceFactory(state="draft")
    client = organiser_of(conference)

    steps = client.get(address(conference)).context["steps"]

    assert len(steps) == 11
    assert {client.get(step.url).status_code for step in steps} == {200}


# --- charts ----------------------------------------------------------------------------------------------------------


def test_charts_have_tables() -> None:
    conference = ConferenceFactory()
    admission = AdmissionFactory(conference=conference, session=None)
    for days in (0, 1, 1, 45):
        RegistrationFactory(admission=admission, created_at=NOW - timedelta(days=days))
    MessageFactory(about_kind="registration", about_id=Registration.objects.earliest("pk").public_id)

    page = organiser_of(conference).get(address(conference))

    drawings = {one.code: one for one in page.context["drawings"]}
    assert [number for _day, number in drawings["registrations"].rows] == [2, 1]
    assert [(str(label), number) for label, number in drawings["mails"].rows] == [("Queued", 1)]
    assert [numbers for _at, *numbers in drawings["mail-times"].rows] == [[0, 1, 0]]
    assert 'class="is-part-2"' in page.text
    assert page.text.count('<svg class="figure-chart') == 3


# --- the way there, and the bar --------------------------------------------------------------------------------------


def test_admin_leads_an_organiser_of_one_conference_to_its_start_page(client: Client) -> None:
    conference = ConferenceFactory()
    user = RoleFactory(conference=conference).user
    client.force_login(user)
    index = reverse("admin:index")

    assert client.get(index).headers["Location"] == address(conference)
    assert address(conference) in client.get(f"{index}?all").text
    Role.objects.create(user=user, conference=ConferenceFactory(), kind="editor")
    assert client.get(index).status_code == 200


def test_bar_stands_on_lists_and_forms_of_a_conference() -> None:
    registration = RegistrationFactory()
    conference = registration.admission.conference
    staff = organiser_of(conference)
    other = ConferenceFactory()

    own = f"{list_url(Registration)}?admission__conference__id__exact="
    for shown in (f"{own}{conference.pk}", row_url(registration), row_url(registration.participant)):
        page = staff.get(shown)
        assert page.context["bar_of"] == conference
        assert [str(one["label"]) for one in page.context["conference_pages"] if one["is_current"]] == ["Registrations"]
    assert str(other.title) not in staff.get(f"{own}{other.pk}").text


def test_bar_has_groups_and_marks_where_one_is() -> None:
    conference = ConferenceFactory()
    page = organiser_of(conference).get(pages.url("checks", conference))
    bar: list[Any] = page.context["conference_bar"]

    labels = ["Start", "Programme", "Registration", "Messages", "On the day", "Safety", "Conference"]
    assert [str(group.label) for group in bar] == labels
    assert [str(group.label) for group in bar if group.is_current] == ["Programme"]
    nav = page.text.partition('<nav class="conference-pages"')[2].partition("</nav>")[0]
    assert nav.count('aria-current="page"') == 2  # in the list of the group, and below the bar
    assert sum(len(group.links) for group in bar) == len(page.context["conference_pages"])


def test_deleting_says_what_goes_and_a_form_with_errors_leads_to_its_fields() -> None:
    session = SessionFactory()
    contribution = ContributionFactory(session=session)
    contribution.other_organisations.add(OrganisationFactory())
    staff = organiser_of(session.conference)

    page = staff.get(reverse("admin:events_session_delete", args=[session.pk])).text
    assert "Contributions: 1" in page
    assert "relationship" not in page
    form = staff.post(reverse("admin:events_session_add"), {"kind": "panel"})
    found = form.context["found"]
    assert [one[1:] for one in found][:2] == [
        ("", "Fill in “Title”."),
        ("", "Choose an answer for “Conference”."),
    ]
    assert all(f'id="{one[0]}"' in form.text for one in found)
