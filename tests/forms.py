"""What a browser would send of a form that a page shows, for tests that fill in real pages."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class _Form(HTMLParser):
    """The fields of one form as they stand. Buttons are left out: a test presses the one it means."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.is_inside = False
        self.data: dict[str, list[str]] = {}
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.area: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read one field."""
        found = dict(attrs)
        name = found.get("name") or ""
        if tag == "form":
            self.is_inside = found.get("id") == self.form_id
        elif not self.is_inside:
            return
        elif tag == "input" and name:
            kind = found.get("type")
            if kind in ("submit", "button", "file") or (kind in ("checkbox", "radio") and "checked" not in found):
                return
            self.data.setdefault(name, []).append(found.get("value") or ("on" if kind == "checkbox" else ""))
        elif tag == "select":
            self.select, self.options, self.multiple = name, [], "multiple" in found
        elif tag == "option" and self.select:
            self.options.append((found.get("value") or "", "selected" in found))
        elif tag == "textarea":
            self.area, self.text = name, ""

    def handle_data(self, data: str) -> None:
        """The text of a text area."""
        if self.area:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        """A field is complete."""
        if tag == "form":
            self.is_inside = False
        elif tag == "textarea" and self.area:
            self.data.setdefault(self.area, []).append(self.text.removeprefix("\r").removeprefix("\n"))
            self.area = None
        elif tag == "select" and self.select:
            chosen = [value for value, is_chosen in self.options if is_chosen]
            if not chosen and self.options and not self.multiple:
                chosen = [self.options[0][0]]
            if chosen:
                self.data.setdefault(self.select, []).extend(chosen)
            self.select = None


def fields(html: str, form_id: str) -> dict[str, Any]:
    """The fields of the form with that id, by name, each a list of values."""
    parser = _Form(form_id)
    parser.feed(html)
    return dict(parser.data)
