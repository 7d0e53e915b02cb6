"""Letters: one Markdown template gives subject, text and HTML of a mail in the reader's language.

The template starts with "Subject: ..." and an empty line. Values from people are escaped for Markdown before they meet
the template, so that a name cannot become a link. Links are written [label](address) with an address of ours (Link).

Letters of the catalogue are filled instead of written: their source is plain Markdown with placeholders, {{ name }},
put in by fill() and by nothing else. So an organiser's own wording never meets the template language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import nh3
from django.template import Context
from django.template.loader import get_template, render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~-])")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
PLACEHOLDER = re.compile(r"\{\{ *([a-z_]+) *\}\}")
_TAGS = {"p", "a", "strong", "em", "ul", "ol", "li", "h1", "h2", "br", "hr"}


class Link(str):
    """An address made by us: it may stand in a link of a letter as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a letter that stands on lines of its own: Markdown made by a template of ours from plain values."""

    template: str
    context: Mapping[str, Any] = field(repr=False)

    def render(self, *, is_escaped: bool) -> str:
        """The Markdown; with every text in it made harmless, unless it is for the text version."""
        context = _escaped(dict(self.context)) if is_escaped else dict(self.context)
        made = get_template(self.template).template.render(Context(context, autoescape=False))  # type: ignore[attr-defined]
        return str(made).strip()


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered mail."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    body: str = field(default="", repr=False)  # the HTML without its frame


def _escaped(value: Any) -> Any:
    """The value with every text in it made harmless for Markdown."""
    match value:
        case Link():
            return value
        case str():
            return _SPECIAL.sub(r"\\\1", " ".join(value.split()))
        case Mapping():
            return {name: _escaped(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_escaped(inner) for inner in value]
        case _:
            return value


def _render(template: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and Markdown body."""
    source = get_template(template).template.render(Context(dict(context), autoescape=False))  # type: ignore[attr-defined]
    head, _gap, body = source.strip().partition("\n\n")
    subject = head.removeprefix("Subject:").strip()
    # Blocks of the template language leave empty lines behind.
    return " ".join(subject.split()), re.sub(r"\n{3,}", "\n\n", body.strip())


def _as_text(markdown: str) -> str:
    """The body as people read it in a mail without HTML: links as "label: address", no stars or hashes."""
    text = _LINK.sub(lambda match: f"{match[1]}:\n{match[2]}", markdown)
    text = re.sub(r"^#+ ", "", text, flags=re.MULTILINE)
    return text.replace("**", "") + "\n"


def write(template: str, context: Mapping[str, Any], *, language: str) -> Letter:
    """The letter of a template in a language.

    context: plain values only (text, numbers, lists and mappings of them, Link); the same values serve text and HTML.
    """
    with translation.override(language):
        subject, text = _render(template, context)
        _subject, markdown = _render(template, _escaped(context))
        return _letter(subject, text, markdown, language)


def source(template: str, names: Iterable[str], *, language: str) -> tuple[str, str]:
    """Subject and body of a template in a language, with {{ name }} where the values go. What fill() takes."""
    with translation.override(language):
        return _render(template, {name: f"{{{{ {name} }}}}" for name in names})


def fill(subject: str, body: str, values: Mapping[str, str | Part], *, language: str) -> Letter:
    """The letter that a source gives with these values.

    values: plain text is escaped, a Link stands as it is, a Part is rendered. Each is put in once: a placeholder
    in somebody's name stays what they typed. One without a value stays empty.
    """
    with translation.override(language):
        text = _filled(body, values, is_escaped=False)
        return _letter(subject, text, _filled(body, values, is_escaped=True), language)


def _filled(body: str, values: Mapping[str, str | Part], *, is_escaped: bool) -> str:
    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        if isinstance(found, Part):
            return found.render(is_escaped=is_escaped)
        return str(_escaped(found)) if is_escaped else " ".join(str(found).split())

    return re.sub(r"\n{3,}", "\n\n", PLACEHOLDER.sub(value, body)).strip()


def _letter(subject: str, text: str, markdown: str, language: str) -> Letter:
    """text: the Markdown with values as they are; markdown: with values made harmless."""
    body = nh3.clean(
        _MARKDOWN.render(markdown), tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}
    )
    context = {"subject": subject, "body": mark_safe(body), "language": language}  # noqa: S308 - cleaned by nh3
    return Letter(subject, _as_text(text), render_to_string("outbox/letter.html", context), body)
