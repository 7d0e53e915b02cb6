"""The letters of the house: what each is called, what can stand in it, and its default text. Apps register theirs.

docs/mails.md lists them, and the admin's page "Mails" of a conference lets organisers word them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from outbox import letters
from outbox.letters import Link, Part

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

Values = Mapping[str, str | Part]
# Called with a conference's key, a person's public id or None for any, and the language: values of a real row, in which
# no personal link is real; None when there is no such row.
Sample = Callable[[int, UUID | None, str], Values | None]


class Kind(Enum):
    """How a placeholder may stand in a letter."""

    TEXT = "text"  # anywhere in a line
    LINK = "link"  # as the address of a link: [words]({{ name }})
    PART = "part"  # on a line of its own


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value that is put in when the letter leaves. is_required: a letter without it would be no use."""

    name: str
    explanation: Words
    example: Words
    kind: Kind = Kind.TEXT
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class LetterKind:
    """One kind of letter. sent_when: one sentence for organisers."""

    name: str
    title: Words
    sent_when: Words
    template: str
    placeholders: tuple[Placeholder, ...]
    sample: Sample | None = None

    def source(self, language: str) -> tuple[str, str]:
        """Subject and body of the default in a language, with placeholders."""
        return _source(self.template, tuple(one.name for one in self.placeholders), language)

    def examples(self) -> dict[str, str | Part]:
        """A value for every placeholder, when there is no row to take them from."""
        return {
            one.name: Link(str(one.example)) if one.kind is Kind.LINK else str(one.example) for one in self.placeholders
        }

    def compose(self, values: Values, *, language: str, wording: tuple[str, str] | None = None) -> letters.Letter:
        """The letter with these values, in the wording given or the default one of the language."""
        subject, body = wording or self.source(language)
        return letters.fill(subject, body, values, language=language)


_kinds: dict[str, LetterKind] = {}


@lru_cache(maxsize=512)
def _source(template: str, names: tuple[str, ...], language: str) -> tuple[str, str]:
    return letters.source(template, names, language=language)


def register(*kinds: LetterKind) -> None:
    """Add letters to the catalogue. Called when an app is ready. Raises ValueError when a name is taken."""
    for kind in kinds:
        if _kinds.get(kind.name, kind) != kind:
            raise ValueError(f"The letter {kind.name} is in the catalogue already.")
        _kinds[kind.name] = kind


def get(name: str) -> LetterKind:
    """The letter of this name. Raises KeyError."""
    return _kinds[name]


def kinds() -> Iterable[LetterKind]:
    """All letters, in the order of registering."""
    return _kinds.values()
