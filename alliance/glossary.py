"""Hold the catalogues to docs/glossary: the words agreed on are used, and texts are set as the language sets them.

A row of a glossary names one thing, or several divided by ";", with their translations in the same order, divided by
";" too; variants of one word are divided by ",". A thing with a capital letter is a label and is looked for as it
stands. What stands in brackets or in the third column is for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

# So much of the texts that name a thing say it in the agreed word; the rest are idioms and shorter turns.
_SHARE = 0.5
_ENDING = 3  # letters at the end of a word that change with case, number and gender
_SHORTEST = 3  # letters of a word that must remain to tell it by
# How each language sets its texts; what "How we write" in its glossary says.
_SIGNS = {
    "fr": (("'", "the apostrophe is ’"), ("...", "an ellipsis is one character")),
    "it": (("'", "the apostrophe is ’"), ("...", "an ellipsis is one character")),
    "de": (("...", "an ellipsis is one character"), ("'", "the apostrophe is ’")),
    "es": (("...", "an ellipsis is one character"),),
    "ru": (("...", "an ellipsis is one character"), ("ё", "no letter ё but in «всё»")),
}
_ALLOWED = {"ru": re.compile(r"\b[Вв]сё\b")}
_CODE = re.compile(r"`[^`]*`|<[^>]*>|https?://\S+|%\(\w+\)[sd]|\{\{.*?\}\}")


class Term(NamedTuple):
    """One thing in English, and the words of the language that name it."""

    english: str
    variants: tuple[str, ...]


class Text(NamedTuple):
    """An entry of a catalogue: the English source and its translations, all plural forms of them."""

    source: str
    translations: tuple[str, ...]


def terms(page: str) -> list[Term]:
    """The terms of a glossary page. Raises ValueError where a row names more things than words, or fewer."""
    found = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] in ("English", "---"):
            continue
        for thing, word in zip(cells[0].split(";"), cells[1].split(";"), strict=True):
            bare = re.sub(r"\(.*?\)", "", thing).strip()
            found.append(Term(bare.removeprefix("to "), tuple(part.strip() for part in word.split(","))))
    return found


def problems(language: str, page: str, texts: Iterable[Text]) -> list[str]:
    """What in a catalogue is not as its glossary says."""
    kept = list(texts)
    return [*_words(language, page, kept), *_typesetting(language, kept)]


def _words(language: str, page: str, texts: list[Text]) -> Iterator[str]:
    agreed: dict[str, tuple[str, ...]] = {}
    for term in terms(page):
        agreed[term.english] = agreed.get(term.english, ()) + term.variants
    for term in (Term(*one) for one in agreed.items()):
        pattern = re.compile(rf"\b{re.escape(term.english)}s?\b", 0 if term.english[0].isupper() else re.IGNORECASE)
        about = [text for text in texts if pattern.search(_CODE.sub("", text.source))]
        good = [text for text in about if any(_says(text, word) for word in term.variants)]
        if about and len(good) < _SHARE * len(about):
            other = next((text for text in about if text not in good), about[0])
            yield (
                f"{language}: {term.english!r} is called {' or '.join(term.variants)!r} in {len(good)} of {len(about)} "
                f"texts only, not in {other.source[:60]!r}"
            )


def _says(text: Text, word: str) -> bool:
    """Whether each word of a term is there, whatever its ending."""
    said = " ".join(text.translations).lower()
    return all(_stem(part) in said for part in re.split(r"[\s-]+", word.lower()))


def _stem(word: str) -> str:
    return word[: max(_SHORTEST, len(word) - _ENDING)] if len(word) > _SHORTEST else word


def _typesetting(language: str, texts: list[Text]) -> Iterator[str]:
    for text in texts:
        for translation in text.translations:
            bare = _CODE.sub("", translation)
            if language in _ALLOWED:
                bare = _ALLOWED[language].sub("", bare)
            for sign, rule in _SIGNS.get(language, ()):
                if sign in bare:
                    yield f"{language}: {rule}: {translation[:80]!r}"


def page_of(root: Path, language: str) -> str:
    """The glossary of a language; empty where there is none."""
    path = root / "docs" / "glossary" / f"{language}.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""
