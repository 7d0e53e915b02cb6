"""The programme file of the admin in a real browser: upload, see what would change, apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from events import programme_file
from events.models import Conference, Session
from tests.browser import chromium
from tests.browser.test_admin import sign_in
from tests.events.programme_files import SMALL

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]


def test_a_file_is_uploaded_looked_at_and_applied(open_page: OpenPage) -> None:
    programme_file.load(SMALL.encode())
    path = reverse("admin:events_conference_programme-file", args=[Conference.objects.get().pk])
    page = sign_in(open_page, path)

    def upload(text: str) -> None:
        file = {"name": "programme.yaml", "mimeType": "application/yaml", "buffer": text.encode()}
        page.set_input_files("input[type=file]", file)  # type: ignore[arg-type]
        page.click("main input[type=submit], #content-main input[type=submit]")

    upload(SMALL.replace('start: "09:00"', "start: 11:30").replace("person: cem", "person: nobody"))
    page.wait_for_selector(".programme-file-problems li")
    assert page.locator(".programme-file-problems li").count() == 2

    more = "  - {id: ed, given_name: Ed}\n  - {id: cem,"
    upload(SMALL.replace("On the side", "Beside").replace("  - {id: cem,", more))
    page.wait_for_selector(".programme-file-differences")
    assert page.locator(".programme-file-differences tbody tr").count() == 1
    page.click(".programme-file-new summary")
    assert page.locator(".programme-file-new li").all_inner_texts() == ["person ed"]

    with page.expect_download() as download:
        page.goto(page.url)  # the page itself, whose links are downloads
        page.click("text=Programme file (YAML)")
    assert download.value.suggested_filename == "small-1.yaml"

    upload(SMALL.replace("On the side", "Beside"))
    page.click("input[value=Apply]")
    page.wait_for_selector(".messagelist .success")
    assert Session.objects.get(key="side").title == {"en": "Beside"}
