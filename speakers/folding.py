"""Names and words as the search compares them: without accents and capitals, and across alphabets by their sound.

PostgreSQL does the comparing, with functions of the same rules (migration speakers.0006). This module marks the hits on
the page; tests/speakers/test_folding.py holds the two together.

The sound is a rough skeleton that spellings of one name share: "Гершуни" and "Gershuni" are "gersuni"; "Андьелкович",
"Andjelković" and "Anđelković" are "andelkovic". It is never shown.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import lru_cache

# Letter by letter; what has no letter on the right (j, y, й, ы, signs, apostrophes) falls away. From Russian,
# Ukrainian, Belarusian, Serbian, Macedonian and Kazakh; of Latin letters those that name one sound.
FROM = "абвгґѓғдђеёэєәжзиіїкќқлљмнњңоөпрстћуўұүфхһцчшюяѕwqjyйыьъј'’"
TO = "abvggggddeeeeazziiikkkllmnnnooprstcuuuufhhccsuazvk"

_SOUNDS = {ord(old): (TO[at] if at < len(TO) else None) for at, old in enumerate(FROM)}
_BEFORE = (("щ", "шч"), ("џ", "дж"), ("x", "ks"))
_AFTER = (("kh", "h"), ("ph", "f"), ("tch", "c"), ("ts", "c"), ("ck", "k"))
_PATTERNS = ((r"([cszg])h", r"\1"), (r"i+([aeou])", r"\1"), (r"([a-z])\1+", r"\1"))

SHORTEST_SOUND = 3  # letters; shorter skeletons fit everything
_SHORTEST_SLIP = 4
_LEAST_LIKENESS = 0.75
_WITHOUT_ACCENT = {
    "ß": "ss",
    "đ": "d",
    "ø": "o",
    "ł": "l",
    "æ": "ae",
    "œ": "oe",
    "ħ": "h",
    "ı": "i",
    "ð": "d",
    "þ": "th",
}
_LATIN = str.maketrans(_WITHOUT_ACCENT | {"’": "'"})
_WORD = re.compile(r"\w+")


def plain(text: str) -> str:
    """A text in small letters without accents; Cyrillic letters keep what makes them letters of their own."""
    small = unicodedata.normalize("NFC", text.lower())
    letters = []
    for letter in small:
        if ord(letter) in _SOUNDS:
            letters.append("е" if letter == "ё" else letter)
            continue
        parts = unicodedata.normalize("NFKD", letter)
        letters.append("".join(part for part in parts if not unicodedata.combining(part)))
    return "".join(letters).translate(_LATIN)


def sound(text: str) -> str:
    """The skeleton of a text by which spellings in different alphabets meet."""
    found = plain(text)
    for old, new in _BEFORE:
        found = found.replace(old, new)
    found = found.translate(_SOUNDS)
    for old, new in _AFTER:
        found = found.replace(old, new)
    for pattern, new in _PATTERNS:
        found = re.sub(pattern, new, found)
    return found


def hits(text: str, query: str) -> list[tuple[int, int]]:
    """Where words of a query stand in a text, as (start, end): exactly, by sound, by stem or with a slip."""
    wanted = [(plain(word), sound(word)) for word in query.split()]
    found = []
    for match in _WORD.finditer(text):
        for plain_word, sound_word in wanted:
            place = _hit(match.group(), plain_word, sound_word)
            if place is not None:
                found.append((match.start() + place[0], match.start() + place[1]))
                break
    return found


@lru_cache(maxsize=8192)  # the words of a programme come again and again
def _hit(word: str, plain_word: str, sound_word: str) -> tuple[int, int] | None:
    """The part of a word that a word of the query fits; the whole word where letters do not stand one for one."""
    small = plain(word)
    at = small.find(plain_word) if plain_word else -1
    if at >= 0 and len(small) == len(word):
        return at, at + len(plain_word)
    if at >= 0 or _is_like(small, sound(word), plain_word, sound_word):
        return 0, len(word)
    return None


def _is_like(small: str, skeleton: str, plain_word: str, sound_word: str) -> bool:
    if len(sound_word) >= SHORTEST_SOUND and sound_word in skeleton:
        return True
    if min(len(small), len(plain_word)) < _SHORTEST_SLIP or abs(len(small) - len(plain_word)) > 3:
        return False
    matchers = (difflib.SequenceMatcher(None, small, plain_word), difflib.SequenceMatcher(None, skeleton, sound_word))
    return any(matcher.quick_ratio() >= _LEAST_LIKENESS and matcher.ratio() >= _LEAST_LIKENESS for matcher in matchers)


def excerpt(text: str, query: str, *, length: int = 180) -> str:
    """A piece of a long text around its first hit; empty where there is none. In one line, without marks of lists."""
    line = " ".join(re.sub(r"[*_`>#]+", " ", text).split())
    found = hits(line, query)
    if not found:
        return ""
    start = max(0, found[0][0] - length // 3)
    if start:
        start = line.find(" ", start) + 1 or start
    end = min(len(line), start + length)
    if end < len(line):
        end = max(line.rfind(" ", start, end), found[0][1])
    return ("… " if start else "") + line[start:end] + (" …" if end < len(line) else "")
