"""What an organiser's own wording of a letter must not be: every finding names its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

from outbox.catalogue import Kind, LetterKind
from outbox.letters import PLACEHOLDER

LONGEST_SUBJECT = 120
LONGEST_BODY = 20_000
# "html" on, to find markup and refuse it; letters themselves are rendered with it off.
_MARKDOWN = MarkdownIt("commonmark", {"html": True})
_MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]  # every address is looked at here
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_TARGET = re.compile(r"\]\(\s*(\{\{ *[a-z_]+ *\}\})\s*\)")
_SCHEMES = frozenset({"https", "mailto"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a wording is refused. field: "subject" or "body"; line: from 1, of the body; 0 when it is about the whole."""

    field: str
    line: int
    message: str

    def __str__(self) -> str:
        return (
            _("Line %(line)d: %(message)s") % {"line": self.line, "message": self.message}
            if self.line
            else (self.message)
        )


def problems(kind: LetterKind, subject: str, body: str) -> list[Problem]:
    """All that is wrong with a wording, in the order of lines; empty when it may be saved."""
    found = [*_of_subject(subject), *_of_body(kind, body)]
    if not found:  # else markup would be looked for in broken text
        found += _of_markup(body)
    return sorted(dict.fromkeys(found), key=lambda one: (one.field != "subject", one.line))


def _of_subject(subject: str) -> Iterator[Problem]:
    if not subject.strip():
        yield Problem("subject", 0, _("A mail needs a subject."))
    if len(subject) > LONGEST_SUBJECT:
        yield Problem("subject", 0, _("A subject has at most %(most)d characters.") % {"most": LONGEST_SUBJECT})
    if _CONTROL.search(subject) or "\n" in subject or "\t" in subject:
        yield Problem("subject", 0, _("A subject is one line."))
    if _BRACES.search(subject):
        yield Problem(
            "subject", 0, _("A subject has no placeholders: it is read on locked screens and by mail servers.")
        )


def _of_body(kind: LetterKind, body: str) -> Iterator[Problem]:
    if len(body) > LONGEST_BODY:
        yield Problem("body", 0, _("The text has at most %(most)d characters.") % {"most": LONGEST_BODY})
        return
    known = {one.name: one for one in kind.placeholders}
    used: set[str] = set()
    for number, line in enumerate(body.splitlines(), start=1):
        if _CONTROL.search(line):
            yield Problem("body", number, _("There is a control character."))
        targets = {match.start(1) for match in _TARGET.finditer(line)}
        for match in PLACEHOLDER.finditer(line):
            name = match[1]
            placeholder = known.get(name)
            if placeholder is None:
                yield Problem("body", number, _("There is no placeholder “%(name)s”.") % {"name": name})
                continue
            used.add(name)
            if placeholder.kind is Kind.LINK and match.start() not in targets:
                why = _("“%(name)s” is an address: write it as [words]({{ %(name)s }}).")
                yield Problem("body", number, why % {"name": name})
            elif placeholder.kind is not Kind.LINK and match.start() in targets:
                yield Problem("body", number, _("“%(name)s” is not an address.") % {"name": name})
            elif placeholder.kind is Kind.PART and line.strip() != match[0]:
                yield Problem("body", number, _("“%(name)s” stands on a line of its own.") % {"name": name})
        if _BRACES.search(PLACEHOLDER.sub("", line)):
            yield Problem("body", number, _("A placeholder is broken: it is written {{ name }}."))
    for placeholder in kind.placeholders:
        if placeholder.is_required and placeholder.name not in used:
            yield Problem("body", 0, _("The placeholder “%(name)s” is missing.") % {"name": placeholder.name})


def _of_markup(body: str) -> Iterator[Problem]:
    """HTML, pictures and addresses that are not https or mailto."""
    filled = PLACEHOLDER.sub("https://placeholder.invalid/", body)
    tokens = _MARKDOWN.parse(filled)
    for token in tokens:
        first = (token.map[0] if token.map else 0) + 1
        if token.type == "html_block":
            yield Problem("body", first, _("HTML is not allowed."))
        if token.type in {"fence", "code_block"}:
            yield Problem("body", first, _("Do not begin a line with four blanks or three backticks."))
        line = first
        for inner in token.children or []:
            if inner.type in {"softbreak", "hardbreak"}:
                line += 1
            yield from _of_inline(inner, line)


def _of_inline(token: Token, line: int) -> Iterator[Problem]:
    if token.type == "html_inline":
        yield Problem("body", line, _("HTML is not allowed."))
    elif token.type == "image":
        yield Problem("body", line, _("Pictures are not allowed: they tell a server that a mail was read."))
    elif token.type == "link_open":
        try:
            scheme = urlsplit(str(token.attrGet("href"))).scheme
        except ValueError:
            scheme = ""
        if scheme not in _SCHEMES:
            yield Problem("body", line, _("Links begin with https:// or mailto:."))
