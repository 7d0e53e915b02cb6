"""Badges: what stands on them, for whom they are, and who gets them."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from accounts.actors import Actor
from registration.door import badges
from registration.door import codes as door_codes
from registration.models import (
    AttendanceMode,
    Category,
    RegistrationStatus,
)
from registration.services import erasure
from tests.factories import (
    AdmissionFactory,
    DelegationFactory,
    RegistrationFactory,
    StaffFactory,
)
from tests.registration.test_door_views import ALIAS, CANARIES, code_of, conference_now, guest, protected, steward

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(content: bytes) -> str:
    """What the PDF says."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_badges_bear_name_delegation_group_and_code() -> None:
    conference = conference_now()
    delegation = DelegationFactory(conference=conference, country__name={"en": "Arcadia"})
    about = {"delegation": delegation, "delegation_capacity": "head", "category": Category.DELEGATION}
    registration = guest(conference, given_name="Ольга", family_name="Müller", **about)

    content = badges.as_pdf(conference, badges.of_conference(conference), sheet=badges.Sheet.A6)

    found = text_of(content)
    code = door_codes.shown(code_of(registration.participant))
    for expected in ("Ольга Müller", "Arcadia", "Delegation", str(conference.title), code):
        assert expected in found
    page = PdfReader(io.BytesIO(content)).pages[0].mediabox
    assert (round(float(page.width) / 72 * 25.4, 1), round(float(page.height) / 72 * 25.4, 1)) == (105.0, 148.5)


@pytest.mark.parametrize(("people", "pages"), [(4, 1), (5, 2)])
def test_four_badges_lie_on_a_sheet_of_a4(people: int, pages: int) -> None:
    conference = conference_now()
    for _ in range(people):
        guest(conference)

    content = badges.as_pdf(conference, badges.of_conference(conference), sheet=badges.Sheet.A4)

    assert len(PdfReader(io.BytesIO(content)).pages) == pages


def test_the_badge_of_an_alias_says_nothing_else() -> None:
    conference = conference_now()
    protected(conference)

    found = text_of(badges.as_pdf(conference, badges.of_conference(conference), sheet=badges.Sheet.A6))

    assert ALIAS in found
    assert "Participant" in found
    assert [canary for canary in (*CANARIES, "Civil society") if canary in found] == []


def test_no_badge_says_that_somebody_survived() -> None:
    conference = conference_now()
    guest(conference, category=Category.SURVIVOR_NETWORK)

    found = text_of(badges.as_pdf(conference, badges.of_conference(conference), sheet=badges.Sheet.A6))

    assert "Civil society" in found
    assert "urvivor" not in found


def test_badges_are_for_those_who_hold_a_place_in_a_room() -> None:
    conference = conference_now()
    here = guest(conference)
    gone = guest(conference)
    erasure.erase(participant_id=gone.participant.pk, by=Actor.organiser(StaffFactory()), now=timezone.now())
    guest(conference, status=RegistrationStatus.WAITLISTED)
    online = AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.ONLINE)
    RegistrationFactory(admission=online)

    assert list(badges.of_conference(conference)) == [here.participant]


def test_organisers_get_badges_from_the_tab_and_for_a_selection(client: Client) -> None:
    conference = conference_now()
    chosen = guest(conference)
    other = guest(conference)
    client.force_login(StaffFactory())

    tab = client.get(f"/admin/events/conference/{conference.pk}/door/")
    file = client.get(f"/admin/events/conference/{conference.pk}/door/badges/a4/1.pdf")
    selection = client.post(
        "/admin/registration/registration/", {"action": "badges_of_selected", "_selected_action": [chosen.pk]}
    )

    assert "door/badges/a4/1.pdf" in tab.content.decode()
    assert chosen.participant.display_name in text_of(file.content)
    assert other.participant.display_name in text_of(file.content)
    assert other.participant.display_name not in text_of(selection.content)
    assert "no-store" in selection["Cache-Control"]
    assert client.get(f"/admin/events/conference/{conference.pk}/door/badges/a4/2.pdf").status_code == 404
    assert client.get(f"/admin/events/conference/{conference.pk}/door/badges/a5/1.pdf").status_code == 404


def test_badges_of_two_conferences_are_not_mixed(client: Client) -> None:
    registrations = [guest(conference_now()), guest(conference_now())]
    client.force_login(StaffFactory())

    response = client.post(
        "/admin/registration/registration/",
        {"action": "badges_of_selected", "_selected_action": [one.pk for one in registrations]},
        follow=True,
    )

    assert "Choose registrations of one conference." in response.content.decode()


def test_without_the_right_to_see_registrations_there_are_no_badges(client: Client) -> None:
    conference = conference_now()
    guest(conference)
    client.force_login(steward("add_checkin", "view_conference"))

    for path in ("", "badges/a4/1.pdf"):
        assert client.get(f"/admin/events/conference/{conference.pk}/door/{path}").status_code in {403, 404}
