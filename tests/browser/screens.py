"""Pictures of the main pages for docs/screens: phone and desktop, light and dark.

    ./run screens [NAME ...]    only pages whose name begins so

The house runs with the demo's data on servers of its own. A picture shows what a reader sees first, not the whole
length of the page, so that all of them together stay small.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from tests.browser import chromium
from tests.house import House, house
from tests.services import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / "docs" / "screens"
MOST_BYTES = 5_000_000
SIDE_EVENT = "towards-resilient-and-cohesive-societies-community-policing-to-prevent"
PHONE, DESKTOP = (390, 844), (1280, 900)


class Screen(NamedTuple):
    """A page to picture: its name, its address, whether also in the dark, and what to do before.

    {offer}, {near} and so on in an address stand for what tests.browser.moments prepares.
    """

    name: str
    path: str
    with_dark: bool = False
    before: Callable[[Page], None] | None = None
    is_admin: bool = False


EMAIL, PASSWORD = "organiser@screens.example", "a password for pictures"
_MAKE_ORGANISER = (
    f"from accounts.models import User; User.objects.create_superuser({EMAIL!r}, {PASSWORD!r}, name='Organiser')"
)


def sign_in(page: Page) -> None:
    """Fill in the log-in form that the admin has led to."""
    page.fill("#id_login", EMAIL)
    page.fill("#id_password", PASSWORD)
    page.click("main form button.button")


def send_empty_form(page: Page) -> None:
    """Send the registration form as it is, to see what it says."""
    page.locator("main form button.button").first.click()


def show_the_offer(page: Page) -> None:
    """Scroll to the question which place to keep."""
    page.locator(".offer").scroll_into_view_if_needed()


def show_what_moved(page: Page) -> None:
    """Scroll to the choice whose time has changed."""
    page.locator(".told .notice--warning").evaluate("notice => notice.scrollIntoView({block: 'center'})")


def choose_three(page: Page) -> None:
    """Tick three events, two of them at the same time."""
    for title in ("Courts that listen", "Housing after the shelter", "Help on the line"):
        page.get_by_role("checkbox", name=title).check()
    page.locator(".clash:visible").first.evaluate("mark => mark.scrollIntoView({block: 'center'})")


def register_for_three(page: Page) -> None:
    """Send three choices, two of them at the same time, and come to the first that is marked."""
    choose_three(page)
    _send_as(page, "Amal")
    page.locator(".clash").first.evaluate("mark => mark.scrollIntoView({block: 'center'})")


def show_dialogs(page: Page) -> None:
    """Scroll to the timeline of the component page and open its dialog, with the toast below."""
    page.locator("#dialog").scroll_into_view_if_needed()
    page.get_by_role("button", name="How the waiting list works").click()


def lose_the_line(page: Page) -> None:
    """Read a code at the door while there is no connection."""
    page.locator("input[name=code]:focus").wait_for()
    page.context.set_offline(True)
    page.fill("input[name=code]", "K7PX-2MQA-94TD")
    page.locator("input[name=code]").press("Enter")
    page.locator("[data-door-queue]").wait_for()
    page.evaluate("window.scrollTo(0, 0)")


def send_for_what_is_full(page: Page) -> None:
    """Register for what has no place left, as somebody new."""
    page.get_by_role("checkbox", name="Courts that listen").check()
    _send_as(page, "Tomás")


def _send_as(page: Page, name: str) -> None:
    page.fill("#id_given_name", name)
    page.fill("#id_email", f"somebody.{time.monotonic_ns()}@mail.example")
    page.select_option("#id_category", "civil_society")
    send_empty_form(page)
    page.wait_for_url("**/received/**")


SCREENS = [
    Screen("conferences", "/en/"),
    Screen("conference", "/en/alliance-20/"),
    Screen("conference-ru", "/ru/workshop-online-traces/"),
    Screen("programme", "/en/alliance-20/programme/2/", with_dark=True),
    Screen("side-event", f"/en/alliance-20/side-events/{SIDE_EVENT}/", with_dark=True),
    Screen("speakers", "/fr/alliance-20/speakers/"),
    Screen("register", "/en/alliance-20/register/", with_dark=True),
    Screen("register-errors", "/en/alliance-20/register/", before=send_empty_form),
    Screen("moment-tonight", "/en/safe-return/programme/1/?show=side-events", with_dark=True),
    Screen("moment-three-events", "/en/safe-return/register/", with_dark=True, before=choose_three),
    Screen("moment-three-answered", "/en/safe-return/register/", with_dark=True, before=register_for_three),
    Screen("moment-waiting", "/en/safe-return/register/", with_dark=True, before=send_for_what_is_full),
    Screen("moment-offer", "{offer}", with_dark=True, before=show_the_offer),
    Screen("moment-five-minutes", "{near}", with_dark=True),
    Screen("moment-moved", "{moved}", with_dark=True, before=show_what_moved),
    Screen("moment-moved-session", "{moved_session}", with_dark=True),
    Screen("moment-link-early", "{early}", with_dark=True),
    Screen("moment-nothing-found", "/en/alliance-20/programme/1/?kind=closing", with_dark=True),
    Screen("moment-nothing-found-search", "/en/alliance-20/search/?q=nowhere", with_dark=True),
    Screen("moment-403", "/en/_error/403/", with_dark=True),
    Screen("moment-404", "/en/nothing-here/", with_dark=True),
    Screen("moment-500", "/en/_error/500/", with_dark=True),
    Screen("moment-503", "/fr/_error/503/", with_dark=True),
    Screen("moment-offline", "/en/safe-return/door/_entrance/", with_dark=True, before=lose_the_line, is_admin=True),
    Screen("components", "/en/_components/", with_dark=True, before=show_dialogs),
    Screen("search", "/ru/alliance-20/search/?q=Гершуни"),
    Screen("changes", "/en/alliance-20/changes/"),
    Screen("agenda", "/en/alliance-20/agenda/"),
    Screen("organisations", "/en/alliance-20/organisations/"),
    Screen("admin-programme", "/admin/events/conference/1/programme/", with_dark=True, is_admin=True),
    Screen("admin-checks", "/admin/events/conference/1/checks/", is_admin=True),
    Screen("admin-releases", "/admin/events/conference/1/releases/", is_admin=True),
    Screen("admin-documents", "/admin/events/conference/1/documents/", is_admin=True),
]


def main(wanted: list[str]) -> int:
    """Start the house, take the pictures; the exit code."""
    chosen = [screen for screen in SCREENS if not wanted or screen.name.startswith(tuple(wanted))]
    if not chosen:
        print(f"No such page. There are: {', '.join(screen.name for screen in SCREENS)}")
        return 2
    TARGET.mkdir(parents=True, exist_ok=True)
    with house(more={"DEMO": "1", "DJANGO_SETTINGS_MODULE": "tests.browser.screens_settings"}) as running:
        subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=running.environment | {"DEMO_MAILBOX_DIR": str(running.mail_directory)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", _MAKE_ORGANISER],
            cwd=ROOT,
            env=running.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        moments = subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", "from tests.browser import moments; moments.prepare()"],
            cwd=ROOT,
            env=running.environment,
            check=True,
            stdout=subprocess.PIPE,
        )
        addresses = json.loads(moments.stdout.splitlines()[-1])
        running.start_web(workers=1)
        running.start_worker()  # or the admin would say, truly, that nothing is being sent
        running.start_beat()
        with psycopg.connect(running.environment["DATABASE_URL"], autocommit=True) as database:
            sign = "SELECT name FROM outbox_workerheartbeat"
            wait_until(lambda: database.execute(sign).fetchall(), 60, lambda: running.log("worker"))
        with chromium.browser() as browser:
            for screen in chosen:
                _take(browser, running, screen._replace(path=screen.path.format(**addresses)))
    total = sum(path.stat().st_size for path in TARGET.glob("*.webp"))
    print(f"{total / 1e6:.1f} MB in {TARGET.relative_to(ROOT)}")
    return 0 if total <= MOST_BYTES else 1


def _take(browser: Browser, running: House, screen: Screen) -> None:
    for device, (width, height) in (("phone", PHONE), ("desktop", DESKTOP)):
        for scheme in ("light", "dark") if screen.with_dark else ("light",):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                timezone_id="America/Vancouver",
                locale="en-GB",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto(running.url + screen.path)
            if screen.is_admin:
                sign_in(page)
                page.wait_for_load_state()
            if screen.before is not None:
                screen.before(page)
                page.wait_for_load_state()
            if screen.name != "moment-offline":
                page.wait_for_load_state("networkidle")
            path = TARGET / f"{screen.name}-{device}-{scheme}.webp"
            # Playwright takes PNG and JPEG alone; Chromium itself also takes WebP, at a third of the size.
            taken = context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": 80})
            path.write_bytes(base64.b64decode(taken["data"]))
            print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB")
            context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
