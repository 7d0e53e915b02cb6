"""The organisers' admin in a real browser, under our content security policy: any complaint of the browser fails."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from registration.models import Registration
from tests.browser import chromium
from tests.factories import (
    AdmissionFactory,
    PersonFactory,
    RegistrationFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]
PASSWORD = "correct horse battery staple"


def sign_in(open_page: OpenPage, path: str) -> Page:
    """The page, after signing in as an administrator by the log-in form."""
    User.objects.create_superuser("office@office.example", PASSWORD)
    page = open_page(path)
    page.fill("#id_login", "office@office.example")
    page.fill("#id_password", PASSWORD)
    page.click("main form button.button")
    page.wait_for_url(f"**{path}")
    return page


def test_speaker_is_added_to_a_session_by_search(open_page: OpenPage) -> None:
    session = SessionFactory()
    SegmentFactory(session=session, key="speakers", position=1)
    person = PersonFactory(display_name="Ludmilla Searched")
    page = sign_in(open_page, reverse("admin:events_session_change", args=[session.pk]))

    page.click("#contributions-group .add-row a")
    page.fill("#id_contributions-0-position", "1")
    page.select_option("#id_contributions-0-segment", label="1. Speakers")
    page.click("#contributions-0 .field-person .select2-selection")
    page.fill(".select2-search__field", "searched")
    page.click(".select2-results__option:has-text('Ludmilla Searched')")
    page.fill("[name=contributions-0-role_title_en]", "Adviser")
    page.click("#contributions-0 .translated summary")
    page.fill("[name=contributions-0-role_title_ru]", "Советник")
    page.click("input[name=_continue] >> nth=0")
    page.wait_for_selector(".messagelist .success")

    contribution = session.contributions.get()
    assert (contribution.person, contribution.segment.key) == (person, "speakers")
    assert contribution.role_title == {"en": "Adviser", "ru": "Советник"}
    assert page.locator("#contributions-0 .select2-selection__rendered", has_text="Ludmilla").count() == 1


def test_registrations_are_approved_and_rejected_from_the_list(open_page: OpenPage) -> None:
    starts_at = timezone.now() + timedelta(days=3)
    session = SideEventFactory(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    admission = AdmissionFactory(session=session, approval="manual")
    first, second = (RegistrationFactory(admission=admission, status="pending") for _ in range(2))
    page = sign_in(open_page, reverse("admin:registration_registration_changelist"))

    page.check(f"input.action-select[value='{first.pk}']")
    page.select_option("select[name=action]", "approve_selected")
    page.click("button[name=index]")
    page.wait_for_selector(".messagelist .success")
    page.goto(page.url.split("?")[0] + f"{second.pk}/change/")
    page.click("button[value=reject_selected]")
    page.fill("#id_reason", "The side event is for States.")
    page.click(".submit-row input[type=submit]")
    page.wait_for_selector(".messagelist .success")

    assert list(Registration.objects.order_by("pk").values_list("status", "reason")) == [
        ("confirmed", ""),
        ("rejected", "The side event is for States."),
    ]


@pytest.mark.parametrize("width", [390, 1280])
def test_front_page_and_lists_do_not_scroll_sideways(width: int, open_page: OpenPage) -> None:
    RegistrationFactory()
    page = sign_in(open_page, reverse("admin:index"))
    page.set_viewport_size({"width": width, "height": 800})

    for name in ("index", "registration_registration_changelist", "registration_admission_changelist"):
        page.goto(page.url.split("/admin/")[0] + reverse(f"admin:{name}"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
