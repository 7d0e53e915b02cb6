"""Who speaks, as one line of the programme, and the notes at the foot of a page that such lines need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from alliance.languages import Translations
from events.models import Country, Segment, SegmentKind

Contribution: TypeAlias = Any  # speakers.models.Contribution, which stands above us

# Roles that need no word of their own, because the printed heading of the block says it already.
_SAID_BY_HEADING = {
    SegmentKind.WELCOMING_REMARKS: {"welcoming_remarks"},
    SegmentKind.OPENING_REMARKS: {"opening_remarks"},
    SegmentKind.KEYNOTE_ADDRESSES: {"keynote"},
    SegmentKind.PRESENTATION: {"presentation"},
    SegmentKind.PANEL: {"panel_presentation", "contribution"},
    SegmentKind.TESTIMONY: {"testimony"},
    SegmentKind.VIDEO_MESSAGE: {"video_message"},
    SegmentKind.CLOSING_REMARKS: {"closing_remarks"},
}


@dataclass(slots=True)
class Footnotes:
    """The notes at the foot of a page, each generated once: changed names, and what must stand by a country's name."""

    has_pseudonyms: bool = False
    places: dict[str, tuple[int, Translations]] = field(default_factory=dict)  # key: (number, text)

    def mark_country(self, country: Country | None) -> int | None:
        """The number of the country's footnote on this page; None where it has none."""
        if country is None or not country.footnote:
            return None
        return self.mark(country.iso2, country.footnote)

    def mark(self, key: str, text: Translations) -> int | None:
        """The number of a footnote on this page; None for an empty text."""
        if not text:
            return None
        if key not in self.places:
            self.places[key] = (len(self.places) + 1, text)
        return self.places[key][0]

    def __bool__(self) -> bool:
        return self.has_pseudonyms or bool(self.places)


@dataclass(frozen=True, slots=True)
class SpeakerLine:
    """One line of the programme: who speaks, as approved for this occasion."""

    contribution: Contribution
    role: Translations | str  # what is printed before the name; empty where the heading says it
    country_mark: int | None

    @property
    def is_unnamed(self) -> bool:
        """Whether the seat has no name yet."""
        return self.contribution.person_id is None

    @property
    def role_title(self) -> Translations | str:
        """The approved title; nothing where an unnamed seat would only repeat its label."""
        wording = self.contribution.wording
        return "" if self.is_unnamed and wording.role_title == wording.unnamed_label else wording.role_title


def speaker_line(contribution: Contribution, *, role: Translations | str, footnotes: Footnotes) -> SpeakerLine:
    """A contribution ready to print; notes the footnotes that it needs."""
    if contribution.is_under_pseudonym:
        footnotes.has_pseudonyms = True
    return SpeakerLine(contribution, role, footnotes.mark_country(contribution.wording.country))


def role_under_heading(contribution: Contribution, segment: Segment | None) -> Translations | str:
    """The role as it stands before a name in the programme; empty where the heading of the block says it already."""
    printed = contribution.wording.heading
    if printed:
        return "" if segment is not None and str(printed) == str(segment.heading) else printed
    said = _SAID_BY_HEADING.get(SegmentKind(segment.kind), set()) if segment is not None else set()
    return "" if contribution.role == "speaker" or contribution.role in said else contribution.get_role_display()
