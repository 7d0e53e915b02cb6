"""axe-core over pages of the house: each in light and dark, 320 px and 1280 px wide.

Pages are made by Django's test client before; the browser asks for them by made-up addresses and gets static files as
they lie. So a page needs no server, and what a form answered can be looked at like any other page.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import RequestFactory
from django.views.i18n import JavaScriptCatalog

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

HOUSE = "http://house.test"
WIDTHS = (1280, 320)
Scheme: TypeAlias = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# Levels A and AA of WCAG 2.0 to 2.2, and what axe calls good practice beyond them.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# One that axe leaves out unless asked; it belongs to WCAG 2.2 AA.
ALSO = {"target-size": {"enabled": True}}

RUN = """async ([tags, rules]) => {
  const found = await axe.run(document, {runOnly: tags, rules, resultTypes: ["violations"]});
  const lines = found.violations.flatMap(rule => rule.nodes.map(node => {
    const why = [...node.any, ...node.all, ...node.none].map(check => check.message)[0] || rule.help;
    return `${rule.id}: ${node.target.join(" ")}: ${why}`;
  }));
  const root = document.documentElement, sideways = root.scrollWidth - root.clientWidth;
  if (sideways > 0) lines.push(`scrolls sideways by ${sideways} px`);
  return lines;
}"""


@cache
def engine() -> str:
    """The script of axe-core, from the pinned wheel."""
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


class Judge:
    """A browser window in which one page after the other is judged."""

    def __init__(self, page: Page, pages: Mapping[str, str]) -> None:
        self._page = page
        self._stored = {f"/{number}/": html for number, html in enumerate(pages.values())}
        self._paths = dict(zip(pages, self._stored, strict=True))
        # The words of Django's own widgets: without them its scripts stop half-way.
        words = JavaScriptCatalog.as_view(packages=["django.contrib.admin"])(RequestFactory().get("/"))
        assert isinstance(words, HttpResponse)
        self._files: dict[str, tuple[str, bytes]] = {"/admin/jsi18n/": ("text/javascript", words.content)}
        page.route("**/*", self._give)

    def _give(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if not route.request.url.startswith(HOUSE):
            route.abort()
        elif path.startswith("/static/") or path in self._files:
            kind, body = self._file(path)
            route.fulfill(status=200, content_type=kind, body=body)
        elif path in self._stored:
            route.fulfill(status=200, content_type="text/html; charset=utf-8", body=self._stored[path])
        else:  # what a script asks for meanwhile: there is nothing new
            route.fulfill(status=204)

    def _file(self, path: str) -> tuple[str, bytes]:
        if path not in self._files:
            found = finders.find(path.removeprefix("/static/"))
            if not isinstance(found, str):
                raise LookupError(f"no static file {path}")
            self._files[path] = mimetypes.guess_type(path)[0] or "text/plain", Path(found).read_bytes()
        return self._files[path]

    def complaints(
        self, name: str, *, widths: Iterable[int] = WIDTHS, schemes: Iterable[Scheme] = SCHEMES
    ) -> list[str]:
        """What is wrong with a page, as "name (looks): what"; what is wrong in several looks is told once."""
        found: dict[str, list[str]] = {}
        self._page.goto(HOUSE + self._paths[name])
        self._page.evaluate(engine())
        for width in widths:
            self._page.set_viewport_size({"width": width, "height": 800})
            # The bar stays on top: what lies half under it when a page came up at its errors is no target there.
            self._page.evaluate("scrollTo(0, 0)")
            for scheme in schemes:
                self._page.emulate_media(color_scheme=scheme)
                for line in self._page.evaluate(RUN, [TAGS, ALSO]):
                    found.setdefault(line, []).append(f"{width} {scheme}")
        return [f"{name} ({', '.join(looks)}): {line}" for line, looks in found.items()]


def complaints(browser: Browser, pages: Mapping[str, str]) -> list[str]:
    """What axe finds in pages that have a name each. Empty when all are right."""
    context = browser.new_context(reduced_motion="reduce", timezone_id="America/Vancouver", locale="en-GB")
    try:
        judge = Judge(context.new_page(), pages)
        return [line for name in pages for line in judge.complaints(name)]
    finally:
        context.close()
