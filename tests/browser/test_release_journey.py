"""From the file of 2020 to release 2: upload, correct a speaker, publish, and hold the results in hand."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import icalendar
import pytest
from django.urls import reverse
from pypdf import PdfReader

import events
from events import countries
from events.models import Conference, Session
from tests.browser import chromium
from tests.browser.test_admin import sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]
FILE = Path(events.__file__).parent / "data" / "alliance-20.yaml"
SIDE_EVENT = "a20-side-1"


def fetch(page: Page, path: str) -> bytes:
    """A file of the site, as a reader downloads it."""
    answer = page.request.get(page.evaluate("location.origin") + path)
    assert answer.ok
    return answer.body()


def test_a_file_becomes_release_2(open_page: OpenPage) -> None:
    countries.load()
    page = sign_in(open_page, reverse("admin:events_conference_import"))
    page.set_input_files("input[type=file]", FILE)
    page.click("#content-main input[type=submit]")
    page.click("input[value=Apply]")
    page.wait_for_selector(".messagelist .success")
    conference = Conference.objects.get(slug="alliance-20")
    releases = reverse("admin:events_conference_releases", args=[conference.pk])

    page.goto(page.evaluate("location.origin") + releases)
    page.click("#release-next input[type=submit]")
    page.wait_for_selector(".messagelist .success:has-text('Release 1 is published.')")

    session = Session.objects.get(key=SIDE_EVENT)
    speaker = session.contributions.filter(person__isnull=False).order_by("position")[0]
    page.goto(page.evaluate("location.origin") + reverse("admin:speakers_contribution_change", args=[speaker.pk]))
    page.fill("[name=role_title_en]", "Corrected Title of the Day")
    page.click(".field-role_title .translated summary")
    page.fill("[name=role_title_ru]", "Исправленная должность")
    page.click("input[name=_save]")
    page.wait_for_selector(".messagelist .success")
    public = f"/en/alliance-20/side-events/{session.slug}/"
    assert b"Corrected Title of the Day" not in fetch(page, public)

    page.goto(page.evaluate("location.origin") + releases)
    assert page.locator("#release-next dd", has_text=f"Title or role corrected: {speaker.name}").count() == 1
    page.click("#release-next input[type=submit]")
    page.wait_for_selector(".messagelist .success:has-text('Release 2 is published.')")

    russian = open_page("/ru/alliance-20/changes/", language="ru-RU")
    russian.wait_for_selector(f"dd:has-text('{speaker.name}')")
    assert russian.locator("html").get_attribute("lang") == "ru"
    assert "Выпуск 2" in russian.inner_text("main")
    russian.goto(russian.url.replace("/changes/", f"/side-events/{session.slug}/"))
    assert "Исправленная должность" in russian.inner_text("main")

    printed = PdfReader(io.BytesIO(fetch(page, "/ru/alliance-20/programme.pdf")))
    text = " ".join(" ".join(sheet.extract_text() for sheet in printed.pages).split())
    assert "Исправленная должность" in text
    entries = icalendar.Calendar.from_ical(fetch(page, "/ru/alliance-20/programme.ics").decode()).walk("VEVENT")
    assert any(str(session.title.best("ru").text) == str(entry["SUMMARY"]) for entry in entries)
