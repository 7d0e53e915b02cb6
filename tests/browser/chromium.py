"""Starting the system's Chromium for tests and pictures: headless, empty profile, no word to anybody but the house."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The program of the browser: $CHROMIUM, or the first known name on the path."""
    chosen = os.environ.get("CHROMIUM")
    return next((found for name in ([chosen] if chosen else NAMES) if (found := shutil.which(name))), None)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A running browser. Raises RuntimeError when there is none."""
    from playwright.sync_api import sync_playwright

    program = find()
    if program is None:
        raise RuntimeError("Chromium is not here (Debian, Ubuntu: apt install chromium; elsewhere set CHROMIUM).")
    options = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium refuses its sandbox to root
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield found
        finally:
            found.close()
