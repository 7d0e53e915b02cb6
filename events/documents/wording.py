"""How documents say things: texts in the best language and cleaned, names, titles, places, times."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from alliance import dates, time, zones
from alliance.languages import Translations
from alliance.templatetags import alliance as tags
from events.documents.model import Run, Runs
from events.feeds import words
from events.models import Conference, Session

# Marks that turn the direction of writing around, which in a name would make the rest of the line read backwards; and
# the mark of byte order, which is no text.
_NO_TEXT = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")


def text(value: object) -> str:
    """A text of several lines, without characters that files cannot hold or that rearrange a line."""
    return _NO_TEXT.sub("", words.text(value))


def line(value: object) -> str:
    """A text in one line."""
    return " ".join(text(value).split())


def joined(parts: list[Runs], separator: str = ", ") -> Runs:
    """Pieces in a row with something between them; empty ones are left out."""
    found: Runs = []
    for part in filter(None, parts):
        found += [Run(separator), *part] if found else part
    return found


class Texts:
    """Chooses the best language of each text, and remembers which languages had to stand in."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.stand_ins: dict[str, bool] = {}

    def best(self, value: Translations | str | None) -> tuple[str, str]:
        """The text, and its language where that is not the document's."""
        if not isinstance(value, Translations):
            return str(value or ""), ""
        best = value.best(self.language)
        if not best.text or best.language == self.language:
            return best.text, ""
        self.stand_ins[best.language] = True
        return best.text, best.language

    def runs(self, value: Translations | str | None) -> Runs:
        """A text in one line."""
        found, language = self.best(value)
        clean = line(found)
        return [Run(clean, language)] if clean else []

    def stand_in_note(self) -> Runs:
        """The honest remark that some texts are in another language; empty when all are translated."""
        if not self.stand_ins:
            return []
        names = ", ".join(tags.language_name(code) for code in self.stand_ins)
        told = _("Some texts in this document are not translated yet. They are shown in: %(languages)s.")
        return [Run(told % {"languages": names}, is_italic=True)]


class Notes:
    """Footnotes, numbered through the document in the order of their first marks."""

    def __init__(self) -> None:
        self.texts: list[Runs] = []
        self._numbers: dict[str, int] = {}

    def mark(self, key: str, note: Runs) -> Runs:
        """The mark of a note; the same key gives the same note again. Nothing for an empty note."""
        if not note:
            return []
        if key in self._numbers:
            return [Run("", note=self._numbers[key], is_first_mark=False)]
        self.texts.append(note)
        self._numbers[key] = len(self.texts)
        return [Run("", note=len(self.texts))]


# --- speakers -------------------------------------------------------------------------------------------------------


def speaker_name(found: Any, texts: Texts, notes: Notes) -> Runs:
    """Honorific, name and post-nominals, or the label of a seat without a name, with "(tbc)" and the mark of a note.

    found: events.selectors.SpeakerLine. Says what the tag speaker_name says on pages.
    """
    contribution = found.contribution
    wording = contribution.wording
    if found.is_unnamed:
        runs = [replace(run, is_bold=True) for run in texts.runs(wording.unnamed_label)]
    else:
        runs = [Run(f"{line(wording.honorific)} ")] if wording.honorific else []
        runs.append(Run(line(contribution.name), is_bold=True))
        if contribution.is_under_pseudonym:
            runs += notes.mark("*", [Run(_("The name has been changed to protect the person's privacy."))])
        if wording.post_nominals:
            runs.append(Run(f" {line(wording.post_nominals)}"))
    if contribution.is_to_be_confirmed:
        runs.append(Run(f" ({_('tbc')})"))
    if wording.delivery == "video":
        runs.append(Run(f" ({_('by video')})"))
    return runs


def speaker_title(found: Any, texts: Texts, notes: Notes, *, is_whole: bool) -> Runs:
    """Title, organisations and country, as approved for this occasion; says what the tag speaker_title says.

    is_whole: also further organisations, which must have been loaded.
    """
    contribution = found.contribution
    parts = [texts.runs(found.role_title)]
    organisation = contribution.organisation_printed()
    if organisation is not None:
        parts.append(texts.runs(organisation.name))
    parts += [
        texts.runs(other.name)
        for other in (contribution.further_organisations() if is_whole else [])
        if not other.is_name_derived and not contribution.names_in_title(other)
    ]
    runs = joined(parts)
    country = contribution.wording.country
    if country is not None:
        name = texts.runs(country.name)
        # A title that ends with the country's name says it already.
        if not (name and runs and runs[-1].text.casefold().endswith(name[0].text.casefold())):
            runs = joined([runs, name])
        if found.country_mark:
            runs += notes.mark(country.iso2, texts.runs(country.footnote))
    return runs


def bodies(group: Any, texts: Texts) -> Runs:
    """The bodies of a relation (events.selectors.ConvenorGroup) in printed order, a body's own unit in brackets."""
    names = []
    for row in group.convenorships:
        name = texts.runs(row.organisation.name)
        if row.with_unit is not None:
            name = [*name, Run(" ("), *texts.runs(row.with_unit.name), Run(")")]
        names.append(name)
    return joined(names)


# --- time and place -------------------------------------------------------------------------------------------------


def clock_label(instant: datetime, conference: Conference) -> str:
    """The label of the venue's clock at the instant: "Vienna time (CEST, UTC+2)"."""
    city = line(conference.venue.city) if conference.venue is not None else ""
    return time.zone_label(instant, zone=conference.time_zone, city=city or zones.city(conference.time_zone))


def span(starts_at: datetime | None, ends_at: datetime | None, conference: Conference) -> str:
    """Hours and minutes on the venue's clock, "11:30–13:00"; empty while the time is not known."""
    if starts_at is None:
        return ""
    first = dates.clock(starts_at.astimezone(conference.zone))
    return f"{first}–{dates.clock(ends_at.astimezone(conference.zone))}" if ends_at else first


def place(session: Session, texts: Texts) -> Runs:
    """Where it is, as far as that is not the same for the whole conference: room, form, platform."""
    parts = [texts.runs(session.room.name)] if session.room is not None else []
    if session.format and session.format != session.conference.format:
        parts.append([Run(str(session.get_format_display()))])
    if session.platform_label:
        parts.append([Run(line(session.platform_label))])
    return joined(parts)


def citation(reference: Any) -> Runs:
    """A source as a footnote: its words, its addresses, and when they were visited."""
    parts = [[Run(line(reference.citation))]] if reference.citation else []
    addresses = [line(address) for address in (reference.url, reference.second_url) if address]
    parts += [[Run(address, link=address)] for address in addresses]
    runs = joined(parts, " ")
    if reference.accessed_on:
        date = dates.day(reference.accessed_on, with_weekday=False)
        runs.append(Run(" " + _("(last visited on %(date)s)") % {"date": date}))
    return runs


def page_words() -> str:
    """The foot of a page, with {page} and {pages} where the numbers go."""
    return _("Page %(page)s of %(pages)s") % {"page": "{page}", "pages": "{pages}"}
