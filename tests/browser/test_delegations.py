"""The life of a delegation of eight: pasted, one confirms by the mail's link, one is replaced, one withdrawn."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from outbox import services as outbox_services
from registration.models import FocalPoint, Membership, MemberState, Places
from tests.browser import chromium
from tests.factories import AdmissionFactory, ConferenceFactory, CountryFactory, DelegationFactory, UserFactory

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]

EIGHT = "\n".join(
    f"Lena\tMember{number}\tmember{number}@state.example\t{'head' if number == 1 else 'Adviser'}\tIn person"
    for number in range(1, 9)
)


def _picture(page: Any, name: str) -> None:
    """A picture of the whole page, where a directory for pictures is named."""
    if folder := os.environ.get("DELEGATION_SCREENS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def _open(page: Any, name: str) -> None:
    """Open the page of one member."""
    page.locator(".members > li", has_text=name).get_by_role("link").click()


def test_a_delegation_of_eight(open_page: OpenPage, mailoutbox: list[Any]) -> None:
    today = timezone.now().date()
    delegation = DelegationFactory(
        conference=ConferenceFactory(starts_on=today, ends_on=today),
        country=CountryFactory(name={"en": "Zedland"}),
        quota=8,
    )
    admission = AdmissionFactory(session=None, conference=delegation.conference, mode="in_person", capacity=7)
    user = UserFactory()
    user.set_password("a long sentence of words")
    user.save()
    FocalPoint.objects.create(delegation=delegation, user=user)

    page = open_page("/en/delegations/", width=390)
    _picture(page, "login")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill("a long sentence of words")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Zedland").click()
    page.get_by_role("link", name="Nominate many at once").click()
    page.get_by_label("List", exact=False).first.fill(EIGHT)
    page.get_by_role("button", name="Check the list").click()
    page.get_by_text("8 people. Nobody is nominated yet.").wait_for()
    _picture(page, "preview")
    page.get_by_role("button", name="Nominate all of them").click()
    page.get_by_text("8 members, 0 confirmed").wait_for()
    page.get_by_text("Number 1 in line").wait_for()
    _picture(page, "members")

    outbox_services.drain_all()
    letter = next(mail for mail in mailoutbox if mail.to == ["member1@state.example"])
    found = re.search(r"/d/[\w-]+/", letter.body)
    assert found is not None
    member = open_page(found[0], width=390, scheme="dark")
    _picture(member, "answer")
    member.get_by_label("Name me in the list of participants").check()
    member.get_by_role("button", name="Yes, I will come as a member").click()
    member.get_by_text("Thank you: your answer is kept.").wait_for()

    _open(page, "Lena Member2")
    page.get_by_label("Given name").fill("Nora")
    page.get_by_label("Family name").fill("Newcomer")
    page.get_by_label("E-mail address").fill("nora@state.example")
    _picture(page, "member")
    page.get_by_role("button", name="Replace").click()
    page.get_by_text("The place has passed on.").wait_for()
    _open(page, "Lena Member3")
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_text("The nomination is withdrawn").wait_for()
    page.get_by_text("7 members, 1 confirmed").wait_for()

    assert page.get_by_text("· A place is held ·").count() == 7
    states = sorted(Membership.objects.values_list("state", flat=True))
    assert states == sorted([MemberState.CONFIRMED, MemberState.REPLACED, MemberState.WITHDRAWN, *["nominated"] * 6])
    row = Places.objects.get(pk=admission.pk)
    assert (row.taken, row.waiting) == (7, 0)  # who waited has the place that became free
    outbox_services.drain_all()
    assert {"member2@state.example", "member3@state.example"} <= {mail.to[0] for mail in mailoutbox}
