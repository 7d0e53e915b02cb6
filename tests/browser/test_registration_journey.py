"""The main job, walked by a person in a real browser: register in Russian by keyboard, read the mail, join, cancel.

Everything is real: gunicorn, a Celery worker that empties the outbox, an SMTP server, Chromium, and a web server that
plays the meeting platform and remembers where people came from.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import icalendar
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from tests import rush, services
from tests.browser import chromium
from tests.factories import (
    AdmissionFactory,
    ConferenceFactory,
    MeetingFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.house import House, house
from video.models import Meeting, MeetingState

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]

PERSON, NEXT = "maria@mail.example", "next@mail.example"
MOST_KEYS = 60  # from the open form to the answer, not counting typed text


# --- the platform -----------------------------------------------------------------------------------------------------


class Platform(http.server.ThreadingHTTPServer):
    """Stands for the provider of the meeting: keeps the address and the Referer of every visit."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.visits: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        """The secret address of the meeting."""
        return f"http://127.0.0.1:{self.server_address[1]}/canary-room?pwd=canary"


class _Visit(http.server.BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        """Welcome somebody."""
        if self.path.startswith("/canary-room"):
            self.server.visits.append((self.path, self.headers.get("Referer")))
        body = b"<!doctype html><title>Meeting</title><h1>Welcome to the meeting</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextlib.contextmanager
def platform() -> Iterator[Platform]:
    """A running platform."""
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def our_environment() -> dict[str, str]:
    """The house works on the database of this test, so it needs the keys that sealed what is in it."""
    return {
        "DEMO": "1",  # the platform of the test has no https
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
    }


# --- mail and keyboard ------------------------------------------------------------------------------------------------


def mail_to(running: House, address: str, count: int) -> EmailMessage:
    """The newest of `count` mails to an address; waits until they are there."""

    def found() -> list[EmailMessage]:
        read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in running.mails()]
        return [mail for mail in read if mail["To"] == address]

    services.wait_until(
        lambda: len(found()) >= count,
        60,
        lambda: f"{len(found())} of {count} mails to {address} came\n{running.log('worker')}",
    )
    return found()[count - 1]


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_in(mail: EmailMessage, pattern: str) -> str:
    """The link of a kind in a mail."""
    found = re.search(rf"http://127\.0\.0\.1:\d+{pattern}", text_of(mail))
    assert found is not None, text_of(mail)
    return found[0]


class Keyboard:
    """A person without a mouse, who counts key presses."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, key: str) -> None:
        """Press one key."""
        self.presses += 1
        self.page.keyboard.press(key)

    def go_to(self, selector: str) -> None:
        """Press Tab until the element has the focus."""
        for _n in range(80):
            if self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            self.press("Tab")
        raise AssertionError(f"{selector} cannot be reached by keyboard")

    def type(self, selector: str, text: str) -> None:
        """Go to a field and write."""
        self.go_to(selector)
        self.page.keyboard.type(text)


# --- the journey ------------------------------------------------------------------------------------------------------


def register_by_keyboard(page: Page, running: House, slug: str) -> None:
    """From the conference page in Russian to the answer, without touching the mouse."""
    page.goto(f"{running.url}/ru/{slug}/")
    keys = Keyboard(page)
    keys.go_to(f'a[href="/ru/{slug}/register/"]')
    keys.press("Enter")
    page.wait_for_url("**/register/")

    keys = Keyboard(page)
    keys.go_to('input[name^="attend-"]')
    keys.press("Space")
    keys.type("#id_given_name", "Мария")
    keys.type("#id_family_name", "Иванова")
    keys.type("#id_email", PERSON)
    keys.go_to("#id_category")
    for _n in range(5):
        keys.press("ArrowDown")
    keys.go_to("main form button.button")
    keys.press("Enter")
    page.wait_for_url("**/register/received/**")

    assert keys.presses <= MOST_KEYS
    assert page.evaluate("document.documentElement.lang") == "ru"
    assert page.locator(".tag--confirmed").count() == 1
    assert PERSON not in page.content()


def register_next(running: House, path: str, fields: dict[str, str | list[str]]) -> None:
    """Somebody else registers, when the only place is taken."""
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=30)
    status, _seconds, _loading, location = rush.send_form(connection, path, fields)
    connection.close()
    assert (status, "/received/" in location) == (303, True)


def look_at_own_page(page: Page, address: str, tmp_path: Path) -> None:
    """Open the link of the mail, see the status in Russian, take the calendar file."""
    page.goto(address)
    assert page.evaluate("document.documentElement.lang") == "ru"
    assert page.locator(".tag--confirmed").count() == 1
    with page.expect_download() as download:
        page.locator('a[href*="calendar.ics"]').click()
    target = tmp_path / "calendar.ics"
    download.value.save_as(target)
    [event] = icalendar.Calendar.from_ical(target.read_bytes()).walk("VEVENT")
    assert str(event["SUMMARY"]) == "Побочное мероприятие"
    assert b"canary" not in target.read_bytes()


def join(page: Page, address: str, met: Platform) -> None:
    """Click the join link of the mail, press the button, and arrive."""
    page.goto(address)
    assert "canary" not in page.content()
    assert page.locator("[data-door]").get_attribute("data-door") == "OpenDoor"
    page.locator("[data-door] button").click()
    page.wait_for_url("**/canary-room?pwd=canary")
    assert page.locator("h1").inner_text() == "Welcome to the meeting"
    assert met.visits == [("/canary-room?pwd=canary", None)]


def cancel(page: Page, address: str) -> None:
    """Cancel on the personal page and confirm it."""
    page.goto(address)
    page.locator(".told .button--danger").click()
    page.wait_for_url("**/cancel/**")
    page.locator("main form button.button").click()
    page.wait_for_url("**done=cancelled")
    assert page.locator(".tag--cancelled").count() == 1


def test_a_person_registers_reads_the_mail_joins_and_cancels_and_the_next_in_line_is_promoted(
    browser: Browser, tmp_path: Path
) -> None:
    now = timezone.now()
    with platform() as met:
        conference = ConferenceFactory(
            slug="alliance",
            title={"en": "Conference", "ru": "Конференция"},
            starts_on=now.date(),
            ends_on=(now + timedelta(days=2)).date(),
        )
        side_event = SideEventFactory(
            conference=conference,
            slug="side-event",
            title={"en": "Side event", "ru": "Побочное мероприятие"},
            starts_at=now + timedelta(minutes=10),
            ends_at=now + timedelta(minutes=70),
        )
        MeetingFactory(session=side_event, address=met.address, allowed_hosts=["127.0.0.1"])
        admission = AdmissionFactory(session=side_event, capacity=1)
        for mode in ("in_person", "online"):
            AdmissionFactory(session=None, conference=conference, mode=mode)
        fields: dict[str, str | list[str]] = {
            "attend-side-event": str(admission.public_id), "given_name": "Next", "email": NEXT, "category": "other",
        }  # fmt: skip
        environment = our_environment()

        with house(database_url=services.database_url(), more=environment) as running:
            running.start_web(workers=1)
            running.start_worker()
            page = browser.new_context(timezone_id="Asia/Almaty", locale="ru-RU").new_page()
            problems: list[str] = []
            page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)

            register_by_keyboard(page, running, "alliance")
            register_next(running, "/en/alliance/register/", fields)
            confirmation = mail_to(running, PERSON, 1)
            assert "Мария Иванова" in text_of(confirmation)
            personal_page = link_in(confirmation, r"/r/[\w-]+/")
            look_at_own_page(page, personal_page, tmp_path)
            link = mail_to(running, PERSON, 2)
            join(page, link_in(link, r"/join/[\w-]+/"), met)
            assert "number 1 in line" in text_of(mail_to(running, NEXT, 1))

            cancel(page, personal_page)
            promoted = text_of(mail_to(running, NEXT, 2))
            assert "a place has become free" in promoted.replace("\n", " ")

            assert page.context.cookies() == []
            assert problems == []
            logs = running.log("web") + running.log("worker")

    for secret in ("canary", PERSON, "Мария", personal_page.rsplit("/", 2)[1]):
        assert secret not in logs


def test_the_form_names_what_is_wrong_and_takes_the_focus_there(browser: Browser) -> None:
    admission = AdmissionFactory()
    environment = our_environment()
    with house(database_url=services.database_url(), more=environment) as running:
        running.start_web(workers=1)
        page = browser.new_context(timezone_id="Asia/Almaty").new_page()
        page.goto(f"{running.url}/en/{admission.conference.slug}/register/")
        zone = page.locator("[name=time_zone]").input_value()
        page.fill("#id_alias", "Speaker A")
        page.locator("main form button.button").click()
        page.wait_for_load_state()

        assert zone == "Asia/Almaty"
        assert page.title().startswith("Error: ")
        assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
        assert page.locator("#id_alias").input_value() == "Speaker A"
        for link in page.locator(".error-summary a").all():
            link.click()
            target = (link.get_attribute("href") or "").removeprefix("#")
            assert page.evaluate("document.activeElement.id") == target
            described = (page.locator(f"#{target}").get_attribute("aria-describedby") or "").split()
            assert f"{target}_error" in described
            assert link.inner_text() in page.locator(f"#{target}_error").inner_text()


def test_the_form_works_without_javascript_on_a_small_phone(browser: Browser) -> None:
    admission = AdmissionFactory(capacity=1)
    environment = our_environment()
    with house(database_url=services.database_url(), more=environment) as running:
        running.start_web(workers=1)
        context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
        page = context.new_page()
        page.goto(f"{running.url}/ru/{admission.conference.slug}/register/")
        page.check(f'input[value="{admission.public_id}"]')
        page.fill("#id_given_name", "Мария")
        page.fill("#id_email", PERSON)
        page.select_option("#id_category", "other")
        page.locator("main form button.button").click()
        page.wait_for_url("**/received/**")

        assert page.locator(".tag--confirmed").count() == 1


def test_the_door_opens_by_itself_when_the_meeting_is_ready(browser: Browser) -> None:
    now = timezone.now()
    session = SideEventFactory(starts_at=now - timedelta(minutes=5), ends_at=now + timedelta(hours=1))
    meeting = MeetingFactory(session=session, state=MeetingState.PLANNED)
    registration = RegistrationFactory(admission=AdmissionFactory(session=session))

    def make_ready() -> None:
        Meeting.objects.filter(pk=meeting.pk).update(state=MeetingState.READY)
        connection.close()

    with house(database_url=services.database_url(), more=our_environment()) as running:
        running.start_web(workers=1)
        page = browser.new_context().new_page()
        page.clock.install()
        page.goto(f"{running.url}/join/{registration.join_token}/")
        assert page.locator("[data-door]").get_attribute("data-door") == "NotReady"

        # Playwright's loop runs in this thread, and Django refuses the database beside a loop.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(make_ready).result()
        page.clock.fast_forward(15_000)
        page.locator("[data-door=OpenDoor] button").wait_for()

        assert "provider.example" not in page.content()
