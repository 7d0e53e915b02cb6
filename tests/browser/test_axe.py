"""axe-core finds nothing: on every page in `./run axe`, on the main pages here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser import axe, chromium
from tests.judges import scenes, staff_scenes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(900),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]

LANGUAGES = scenes.LANGUAGES
# Ten pages of the sample, below the language; <c> is the conference.
MAIN = re.compile(
    r"/\w\w/(about/accessibility/|recommendations/\?q=police|organisations/[^/]+/|speakers/[^/]+/|[\w-]+/"
    r"((speakers|register|programme|side-events/[^/]+)/)?)"
)
PARTS = 8  # of the admin's pages, one in so many is looked at in a language that is not English
Scene = Callable[[list[str]], dict[str, str]]
OF_PEOPLE: list[Scene] = [
    scenes.registration,
    scenes.own_data,
    scenes.figures,
    scenes.trouble,
    staff_scenes.door,
    staff_scenes.delegations,
    staff_scenes.convenors,
    staff_scenes.speakers,
    staff_scenes.signing,
]


@pytest.mark.browser
def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    head = '<!doctype html><html lang="en"><head><title>A title</title></head><body><main><h1>A page</h1>'
    pages = {
        "right": f"{head}</main></body></html>",
        "no label": f'{head}<input type="text"></main></body></html>',
        "small": f'{head}<a href="/" style="display:inline-block;width:9px;height:9px">a</a><a href="/x" '
        'style="display:inline-block;width:9px;height:9px">b</a></main></body></html>',
        "wide": f'{head}<p style="width:500px">wide</p></main></body></html>',
        "pale in the dark": f"{head}<style>@media (prefers-color-scheme: dark) {{p {{color: #eee}}}}</style><p>pale</p>"
        "</main></body></html>",
    }

    found = axe.complaints(browser, pages)

    assert {line.split(" (")[0] for line in found} == set(pages) - {"right"}
    assert any("(1280 dark, 320 dark): color-contrast" in line for line in found)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "ru"])
def test_main_pages(browser: Browser, language: str) -> None:
    conference = scenes.loaded(scenes.SMALL)
    every = scenes.public(conference, [language], most=1)
    pages = {name: html for name, html in every.items() if MAIN.fullmatch(name)}

    assert len(pages) >= 10
    assert axe.complaints(browser, pages) == []


@pytest.mark.axe
@pytest.mark.parametrize("language", LANGUAGES)
def test_public_pages(browser: Browser, language: str) -> None:
    pages = scenes.public(scenes.loaded(scenes.SMALL), [language], most=2)

    assert len(pages) > 10
    assert axe.complaints(browser, pages) == []


@pytest.mark.axe
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", OF_PEOPLE)
def test_pages_of_people(browser: Browser, scene: Scene, language: str) -> None:
    assert axe.complaints(browser, scene([language])) == []


@pytest.mark.axe
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_organisers(browser: Browser, language: str) -> None:
    """All of them in English, another part of them in each of the other languages."""
    pages = staff_scenes.organisers(scenes.loaded(scenes.SMALL), most=1, language=language)
    if language != "en":
        pages = dict(list(pages.items())[LANGUAGES.index(language) :: PARTS])

    assert axe.complaints(browser, pages) == []
