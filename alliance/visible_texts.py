"""Find text that readers would see and that no translation can reach: the check behind `manage.py check_texts`.

Templates are read with Django's own lexer, so what stands inside translate and blocktranslate is known; the rest is
read as HTML (or as the Markdown of a mail). Python is read as a syntax tree: labels, hints, names of models and
fields, messages and errors have to be calls of gettext and not plain strings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from django.template.base import DebugLexer, TokenType

# The same in every language: names of products, formats and standards.
_SAME_EVERYWHERE = {
    "AA", "API", "Atom", "BigBlueButton", "CSV", "DOCX", "EN", "Excel", "HTML", "ID", "IP", "JSON", "JavaScript",
    "Jitsi", "Microsoft", "ODIHR", "OSCE", "OpenAPI", "PDF", "QR", "SMTP", "Teams", "URL", "UTC", "WCAG", "Webex",
    "Word", "XLSX", "YAML", "Zoom", "iCalendar",
}  # fmt: skip
_READ_ALOUD = {"alt", "aria-description", "aria-label", "aria-placeholder", "label", "placeholder", "title"}
_NOT_READ = {"script", "style", "code", "kbd", "samp", "pre"}
_TRANSLATED_BLOCKS = ("blocktranslate", "blocktrans")
_HOLE = "\N{OBJECT REPLACEMENT CHARACTER}"
_WORD = re.compile(r"[^\W\d_]{2,}")
_ADDRESS = re.compile(
    r"https?://\S+|\S+@\S+|\b[\w.-]+\.(?:example|org|int|xml|json|ics|pdf)\b\S*|(?<!\w)\.[a-z]{2,5}\b"
)
_MAIL_HEADER = re.compile(r"^Subject:", re.MULTILINE)
_CLASS_BLOCKS = {"bodyclass", "coltype"}  # of the admin: they hold names of classes, not text
_ENTITY = re.compile(r"&#?\w+;")

# Keyword arguments, attributes of classes and calls whose plain strings people read.
_KEYWORDS = {
    "description", "empty_label", "error_message", "help_text", "label", "short_description", "verbose_name",
    "verbose_name_plural", "violation_error_message",
}  # fmt: skip
_ATTRIBUTES = {"message", "short_description", "verbose_name", "verbose_name_plural", "empty_value_display"}
_CALLS = {"ValidationError": 0, "add_error": 1, "message_user": 1}
_MESSAGES = {"debug", "info", "success", "warning", "error"}


class Finding(NamedTuple):
    """A text without a translation, and where it stands."""

    line: int
    text: str


def _has_words(text: str) -> bool:
    text = _ENTITY.sub(" ", _ADDRESS.sub(" ", text))
    return any(word not in _SAME_EVERYWHERE for word in _WORD.findall(text))


# --- templates --------------------------------------------------------------------------------------------------------


def in_template(source: str, *, is_html: bool = True) -> list[Finding]:
    """The untranslated texts of a template. is_html: tags are told from text; else every line is text."""
    bare = _without_tags(source)
    if is_html:
        reader = _Reader()
        reader.feed(bare)
        reader.close()
        return reader.found
    lines = _MAIL_HEADER.sub("", bare).splitlines()
    return [Finding(number, line.strip()) for number, line in enumerate(lines, start=1) if _has_words(line)]


def _without_tags(source: str) -> str:
    """The template with a hole for each value and nothing for what is translated; lines stay where they are."""
    parts: list[str] = []
    until = ""
    # DebugLexer, as it alone knows where a tag stands.
    for token in DebugLexer(source).tokenize():
        begin, end = token.position or (0, 0)
        lines = "\n" * source.count("\n", begin, end)
        word = token.contents.split(" ", 1)[0] if token.token_type == TokenType.BLOCK else ""
        if until:
            until = "" if word == until else until
            parts.append(lines)
        elif word in _TRANSLATED_BLOCKS or word in ("comment", "verbatim"):
            until = f"end{word}"
            parts.append(lines)
        elif word == "block" and token.split_contents()[1] in _CLASS_BLOCKS:
            until = "endblock"
            parts.append(lines)
        elif token.token_type == TokenType.TEXT:
            parts.append(token.contents)
        elif token.token_type == TokenType.VAR:
            parts.append(_HOLE + lines)
        else:
            parts.append(lines)
    return "".join(parts)


class _Reader(HTMLParser):
    """Collects the text nodes and the attributes that are read aloud."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[Finding] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at what is read aloud of a tag."""
        if tag in _NOT_READ:
            self._silent += 1
        self._look_at(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag without an end."""
        self._look_at(attrs)

    def handle_endtag(self, tag: str) -> None:
        """Text counts again."""
        if tag in _NOT_READ and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        """A text between tags."""
        if not self._silent and _has_words(data):
            line = self.getpos()[0] + data[: len(data) - len(data.lstrip())].count("\n")
            self.found.append(Finding(line, " ".join(data.split())))

    def _look_at(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _READ_ALOUD and value and _has_words(value):
                self.found.append(Finding(self.getpos()[0], f"{name}={value!r}"))


# --- Python -----------------------------------------------------------------------------------------------------------


def in_python(source: str) -> list[Finding]:
    """The plain strings of a module that stand where people read them."""
    tree = ast.parse(source)
    found = [finding for node in ast.walk(tree) for finding in _in_node(node)]
    return sorted(set(found))


def _in_node(node: ast.AST) -> Iterator[Finding]:
    if isinstance(node, ast.Call):
        yield from _in_call(node)
    elif isinstance(node, ast.ClassDef):
        yield from _in_class(node)


def _in_call(call: ast.Call) -> Iterator[Finding]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for keyword in call.keywords:
        if keyword.arg in _KEYWORDS:
            yield from _plain(keyword.value)
    position = _CALLS.get(name)
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Name) and owner.id == "messages" and name in _MESSAGES:
        position = 1
    if position is not None and len(call.args) > position:
        yield from _plain(call.args[position])


def _in_class(node: ast.ClassDef) -> Iterator[Finding]:
    bases = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
    is_choices = bool(bases & {"TextChoices", "IntegerChoices"})
    for statement in node.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if names & _ATTRIBUTES:
            yield from _plain(statement.value)
        elif is_choices and isinstance(statement.value, ast.Tuple):
            yield from _plain(statement.value.elts[-1])


def _plain(value: ast.expr) -> Iterator[Finding]:
    """A string, or one put together, that is no call of gettext."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and _has_words(value.value):
        yield Finding(value.lineno, value.value)
    elif isinstance(value, ast.JoinedStr):
        text = "".join(str(part.value) for part in value.values if isinstance(part, ast.Constant))
        if _has_words(text):
            yield Finding(value.lineno, text)
    elif isinstance(value, ast.BinOp):
        yield from _plain(value.left)
        yield from _plain(value.right)
    elif isinstance(value, ast.IfExp):
        yield from _plain(value.body)
        yield from _plain(value.orelse)
    elif isinstance(value, ast.List | ast.Tuple):
        for part in value.elts:
            yield from _plain(part)
