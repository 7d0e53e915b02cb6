"""The content security policy in a browser: data blocks are read and nobody complains about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.factories import ContributionFactory, SessionFactory, SideEventFactory

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

# Counts what the browser refuses from the moment at which it is put in.
WATCH = """() => {
  window.refused = [];
  document.addEventListener("securitypolicyviolation", event => window.refused.push(event.effectiveDirective));
}"""
PUT_IN = """([type, text]) => {
  const element = document.createElement("script");
  if (type) element.type = type;
  element.textContent = text;
  document.head.append(element);
  return new Promise(done => setTimeout(() => done([window.refused, window.wasRun || false]), 200));
}"""


def test_data_blocks_are_read_and_not_refused(open_page: OpenPage) -> None:
    session = ContributionFactory(session=SideEventFactory(title={"en": "</script><!-- <script> & \u2028"})).session
    for path, kinds in (
        (session.get_absolute_url(), ["BreadcrumbList", "Event"]),
        (session.conference.get_absolute_url(), ["BreadcrumbList", "Event"]),
    ):
        page = open_page(path)  # fails with any message of the policy on the console

        texts = page.locator('script[type="application/ld+json"]').all_text_contents()

        assert sorted(json.loads(text)["@type"] for text in texts) == kinds
        page.evaluate(WATCH)
        assert page.evaluate(PUT_IN, ["application/ld+json", texts[0]]) == [[], False]


def test_programme_is_narrowed_without_loading_the_page_again(open_page: OpenPage) -> None:
    session = ContributionFactory(session=SideEventFactory()).session
    SessionFactory(conference=session.conference, title={"en": "A panel"})
    page = open_page(f"/en/{session.conference.slug}/programme/")
    page.evaluate("window.isTheSamePage = true")

    page.locator(".show-nav a").last.click()
    page.wait_for_url("**/programme/?show=side-events")
    page.wait_for_function("!document.querySelector('#programme').textContent.includes('A panel')")

    assert page.evaluate("window.isTheSamePage") is True
