"""Texts of organisers as plain data: the same Markdown that pages show, read once more for paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from alliance.templatetags.alliance import markdown
from events.documents import wording
from events.documents.model import Prose, Run, Runs

_LINKS = ("https://", "http://", "mailto:")
_DEEPEST = 6  # lists within lists; what is nested deeper is printed at this depth


def prose(text: str, language: str) -> list[Prose]:
    """Paragraphs, lists and quotations. language: of the text, empty for that of the document."""
    return _blocks(iter(markdown.parse(wording.text(text))), language, 0)


def _blocks(tokens: Iterator[Token], language: str, depth: int) -> list[Prose]:
    """Blocks up to the end of what was opened before."""
    found: list[Prose] = []
    for token in tokens:
        if token.type == "inline":
            if runs := _runs(token.children or [], language):
                found.append(Prose("paragraph", runs=runs))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            items = _items(tokens, language, depth + 1)
            start = token.attrs.get("start", 1)
            if depth >= _DEEPEST:
                found += [block for item in items for block in item]
            elif token.type == "bullet_list_open":
                found.append(Prose("bullets", items=items))
            else:
                found.append(Prose("numbers", items=items, start=int(start)))
        elif token.type == "blockquote_open":
            quoted = _blocks(tokens, language, depth + 1)
            found += quoted if depth >= _DEEPEST else [Prose("quote", items=[quoted])]
        elif token.type.endswith("_close") and token.type != "paragraph_close":
            return found
    return found


def _items(tokens: Iterator[Token], language: str, depth: int) -> list[list[Prose]]:
    items = []
    for token in tokens:
        if token.type == "list_item_open":
            items.append(_blocks(tokens, language, depth))
        elif token.type.endswith("list_close"):
            break
    return items


def _runs(tokens: Sequence[Token], language: str) -> Runs:
    runs: Runs = []
    bold = italic = 0
    link = ""
    for token in tokens:
        if token.type == "strong_open":
            bold += 1
        elif token.type == "strong_close":
            bold -= 1
        elif token.type == "em_open":
            italic += 1
        elif token.type == "em_close":
            italic -= 1
        elif token.type == "link_open":
            address = str(token.attrs.get("href", ""))
            link = address if address.startswith(_LINKS) else ""
        elif token.type == "link_close":
            link = ""
        else:
            text = "\n" if token.type in ("softbreak", "hardbreak") else token.content
            if text:
                runs.append(Run(text, language, is_bold=bold > 0, is_italic=italic > 0, link=link))
    return runs
