"""The guides to the API as pages, made of docs/: whoever writes a program for it has the site and no checkout."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import cache_control
from markdown_it import MarkdownIt
from markdown_it.token import Token

from alliance.api.schema import read_only

FILES = {"guide": "api.md", "webhooks": "webhooks.md"}
_EXAMPLE = "https://alliance.example.org"  # stands for this site in the recipes

# "([delegations.md](delegations.md))": of use to who has the files.
_ELSEWHERE = re.compile(rf" \(\[[^\]]+\]\((?!{'|'.join(map(re.escape, FILES.values()))})[\w-]+\.md\)\)")


class Heading(NamedTuple):
    """A section of a guide."""

    anchor: str
    text: str


class Guide(NamedTuple):
    """A guide as a page shows it."""

    title: str
    headings: list[Heading]
    body: SafeString


@read_only
@cache_control(public=True, max_age=3600)
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One of the guides. English, like the documentation of the API."""
    if name not in FILES:
        raise Http404
    return render(request, "api/guide.html", {"guide": read(name)})


@lru_cache(maxsize=len(FILES))
def read(name: str) -> Guide:
    """A guide from its file, with the addresses of this site."""
    text = (Path(settings.BASE_DIR) / "docs" / FILES[name]).read_text(encoding="utf-8")
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(_ELSEWHERE.sub("", text).replace(_EXAMPLE, settings.SITE_URL))
    title, headings, is_in_table = "", [], False
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            told = "".join(child.content for child in tokens[number + 1].children or ())
            if token.tag == "h1":  # the page has it
                title = told
                for part in tokens[number : number + 3]:
                    part.type, part.content, part.children = "html_block", "", None
            else:
                token.attrSet("id", _anchor(told))
                if token.tag == "h2":
                    headings.append(Heading(_anchor(told), told))
        elif token.type == "inline":
            _lead(token)
            if is_in_table:
                _let_break(token)
        elif token.type == "fence":  # wide ones are scrolled, also by keyboard
            token.type, token.content = "html_block", _code(token)
        elif token.type in {"table_open", "table_close"}:
            is_in_table = token.type == "table_open"
            _wrap(token)
    rendered = markdown.renderer.render(tokens, markdown.options, {})
    return Guide(title, headings, mark_safe(rendered))  # noqa: S308 - our own file, without HTML of its own


def _anchor(heading: str) -> str:
    """As the places that show Markdown make it: our files link to it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _code(token: Token) -> str:
    return f'<pre tabindex="0"><code>{escape(token.content)}</code></pre>\n'


def _wrap(token: Token) -> None:
    """A table is scrolled in a frame of its own."""
    is_start = token.type == "table_open"
    token.type = "html_block"
    token.content = '<div class="table-frame" tabindex="0"><table>\n' if is_start else "</table></div>\n"


def _let_break(token: Token) -> None:
    """Addresses and names of uses break between their parts on narrow screens, and nowhere else."""
    for child in token.children or ():
        if child.type == "code_inline":
            parts = re.sub(r"(?<=[/:.])(?=\w)", "\0", child.content)
            child.type, child.content = "html_inline", f"<code>{escape(parts)}</code>".replace("\0", "<wbr>")


def _lead(token: Token) -> None:
    """Links to the other guide lead to its page; those to files that are no page here are plain text."""
    is_open = True
    for child in token.children or ():
        if child.type == "link_open":
            file, _hash, anchor = str(child.attrGet("href") or "").partition("#")
            names = [name for name, known in FILES.items() if known == file]
            is_open = not file or bool(names) or "://" in file
            if names:
                child.attrSet("href", reverse("api:guide", args=names) + (f"#{anchor}" if anchor else ""))
        if child.type in {"link_open", "link_close"} and not is_open:
            is_open = child.type == "link_close"
            child.type, child.content, child.tag = "text", "", ""
