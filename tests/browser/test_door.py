"""A steward's phone at the door: typed codes, without a connection too, and taking an entry back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from registration.door import codes as door_codes
from registration.models import AttendanceMode, CheckIn, Registration
from tests.browser import chromium
from tests.factories import AdmissionFactory, ConferenceFactory, RegistrationFactory, StaffFactory

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]


def guest(**more: Any) -> Registration:
    """Somebody with a place in the room of a conference of today."""
    today = timezone.now().date()
    admission = more.pop("admission", None) or AdmissionFactory(
        session=None,
        conference=ConferenceFactory(starts_on=today - timedelta(days=1), ends_on=today + timedelta(days=1)),
        mode=AttendanceMode.IN_PERSON,
    )
    registration: Registration = RegistrationFactory(admission=admission, **more)
    return registration


def code_of(registration: Registration) -> str:
    """The code as printed."""
    participant = registration.participant
    return door_codes.shown(door_codes.ensure([participant])[participant.pk])


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer) -> Any:
    """A phone whose steward has signed in."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", has_touch=True)
    client = Client()
    client.force_login(StaffFactory())
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def read(page: Page, code: str) -> None:
    """Type a code and press Enter, as a scanner with a keyboard plug does."""
    page.locator("input[name=code]:focus").wait_for()  # typed before that, it would go nowhere
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def test_codes_are_typed_one_after_the_other(phone: Page, live_server: LiveServer) -> None:
    one = guest()
    other = guest(admission=one.admission)
    phone.goto(f"{live_server.url}/en/{one.participant.conference.slug}/door/")
    phone.get_by_role("link", name="Entrance").click()

    read(phone, code_of(one).lower())
    phone.get_by_text(one.participant.display_name).wait_for()
    read(phone, code_of(other))
    phone.get_by_text(other.participant.display_name).wait_for()
    read(phone, code_of(one))
    phone.get_by_text("Already in").wait_for()

    assert phone.locator("[data-door-here]").inner_text() == "2"
    assert CheckIn.objects.count() == 2
    phone.get_by_role("button", name="take it back").click()
    phone.get_by_text("It is taken back.").wait_for()
    assert CheckIn.objects.standing().count() == 1


def test_what_is_read_off_line_is_kept_and_sent_once(phone: Page, live_server: LiveServer) -> None:
    registration = guest()
    phone.goto(f"{live_server.url}/en/{registration.participant.conference.slug}/door/_entrance/")

    phone.context.set_offline(True)
    read(phone, code_of(registration))
    read(phone, "AAAAA-AAAAA")
    phone.get_by_text("Not sent yet", exact=True).wait_for()
    phone.get_by_text("2 kept on this device").wait_for()
    kept = json.loads(phone.evaluate("localStorage.getItem('alliance-door')"))
    assert CheckIn.objects.count() == 0
    phone.context.set_offline(False)
    phone.get_by_text("Sent late and not let in:").wait_for()

    assert [set(entry) for entry in kept] == [{"door", "code", "nonce", "at", "room"}] * 2
    made = CheckIn.objects.get()
    assert (str(made.nonce), made.at.isoformat()[:19]) == (kept[0]["nonce"], kept[0]["at"][:19])
    assert phone.evaluate("localStorage.getItem('alliance-door')") == "[]"
    assert phone.locator("[data-door-queue]").is_hidden()
    assert registration.participant.display_name not in phone.evaluate("JSON.stringify(localStorage)")


def test_an_answer_that_was_lost_on_the_way_is_asked_for_again(phone: Page, live_server: LiveServer) -> None:
    registration = guest()
    phone.goto(f"{live_server.url}/en/{registration.participant.conference.slug}/door/_entrance/")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    phone.route("**/door/_entrance/", lose, times=1)
    read(phone, code_of(registration))
    phone.get_by_text("Not sent yet", exact=True).wait_for()
    assert CheckIn.objects.count() == 1
    phone.reload()
    phone.locator("[data-door-queue]").wait_for(state="hidden")

    assert phone.evaluate("localStorage.getItem('alliance-door')") == "[]"
    assert CheckIn.objects.count() == 1
    assert phone.locator("[data-door-here]").inner_text() == "1"


# A camera that shows a code which a detector reads: Chromium on servers has neither.
CAMERA = """
    window.BarcodeDetector = class {
        static getSupportedFormats() { return Promise.resolve(["qr_code"]); }
        detect() { return Promise.resolve([{ rawValue: "%s" }]); }
    };
    navigator.mediaDevices.getUserMedia = function () {
        var canvas = document.createElement("canvas");
        canvas.getContext("2d").fillRect(0, 0, 10, 10);
        return Promise.resolve(canvas.captureStream());
    };
"""


def test_the_camera_reads_a_code_once_while_it_is_held(phone: Page, live_server: LiveServer) -> None:
    registration = guest()
    phone.add_init_script(CAMERA % code_of(registration))
    phone.goto(f"{live_server.url}/en/{registration.participant.conference.slug}/door/_entrance/")

    phone.get_by_role("button", name="Use the camera").click()
    phone.get_by_text(registration.participant.display_name).wait_for()
    phone.wait_for_timeout(1000)  # five more looks at the same code

    assert phone.get_by_text("Already in").count() == 0
    phone.get_by_role("button", name="Use the camera").click()
    assert phone.locator("video").is_hidden()
    assert CheckIn.objects.count() == 1
