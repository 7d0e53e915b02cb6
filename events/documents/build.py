"""From the public programme to documents as plain data. What may be shown is for events.selectors to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from alliance import dates
from alliance.languages import Translations
from alliance.templatetags import alliance as tags
from events import selectors
from events.documents import wording
from events.documents.model import (
    AGENDAS,
    Block,
    Day,
    Document,
    Fact,
    Item,
    Kind,
    Prose,
    Row,
    Run,
    Runs,
    Section,
    Speaker,
    Words,
)
from events.documents.prose import prose
from events.models import (
    Conference,
    ConferenceState,
    ConvenorRelation,
    RegistrationMode,
    Release,
    SectionKind,
    SessionState,
)
from events.releases import reading

_LONGEST_HEAD = 90  # letters of a title at the head of every page


def names() -> dict[Kind, str]:
    """What the documents are called, in the active language."""
    return {
        Kind.PROGRAMME: _("Programme"),
        Kind.SIDE_EVENTS: _("Programme of side events"),
        Kind.AGENDA: _("Agenda"),
        Kind.AGENDA_WITHOUT_TIMES: _("Agenda"),
    }


def conference_document(
    kind: Kind, conference: Conference, *, now: datetime, language: str, mark: str = ""
) -> Document:
    """One of the documents about a whole conference (any kind but SESSION). 8 queries whatever the size.

    conference: with venue, country and organiser loaded. mark: a word printed above everything, such as "Draft".
    """
    show = selectors.Show.SIDE_EVENTS if kind == Kind.SIDE_EVENTS else None
    with translation.override(language):
        found = selectors.programme(conference, now=now, show=show, with_texts=kind not in AGENDAS)
        return _Builder(kind, conference, now, language).document(found.days, name=names()[kind], mark=mark)


def session_document(conference: Conference, slug: str, *, now: datetime, language: str, mark: str = "") -> Document:
    """One session or side event alone. Raises Session.DoesNotExist for what strangers may not see."""
    with translation.override(language):
        found = selectors.session_page(conference, slug, now=now)
        session: Any = found.session
        days = [selectors.Day(session.day, [found.entry])]
        name = str(session.kind_and_number)
        builder = _Builder(Kind.SESSION, conference, now, language)
        builder.references = found.references
        return builder.document(days, name=name, mark=mark)


def release_words(release: Release, conference: Conference) -> Runs:
    """The number and day of a release: "Release 2 · 3 June 2030"."""
    number = _("Release %(number)s") % {"number": release.number}
    date = dates.day(release.made_at.astimezone(conference.zone).date(), with_weekday=False)
    return [Run(f"{number} · {date}")]


class _Builder:
    """Writes one document from top to bottom, so that footnotes get their numbers in the order of reading."""

    def __init__(self, kind: Kind, conference: Conference, now: datetime, language: str) -> None:
        self.kind = kind
        self.conference = conference
        self.now = now
        self.texts = wording.Texts(language)
        self.notes = wording.Notes()
        self.clocks: dict[str, bool] = {}
        self.has_times = kind != Kind.AGENDA_WITHOUT_TIMES
        self.is_agenda = kind in AGENDAS
        self.references: list[Any] | None = None  # of the only session; of many, each brings its own

    # --- the frame ---------------------------------------------------------------------------------------------------

    def document(self, days: list[selectors.Day], *, name: str, mark: str) -> Document:
        """The document about these days."""
        conference, texts = self.conference, self.texts
        below_title = self._below_title()
        built = [self._day(day) for day in days if day.entries or self.kind != Kind.SIDE_EVENTS]
        title = texts.runs(conference.title)
        contact = self._contact()
        remarks = [self._release(), self._clock_remark(), self._register_remark(), texts.stand_in_note()]
        return Document(
            kind=self.kind,
            language=texts.language,
            name=wording.line(name),
            title=title,
            plain_title=_shortened(title[0].text if title else ""),
            above_title=self._above_title(),
            below_title=below_title,
            marks=self._marks(mark),
            remarks=[remark for remark in remarks if remark],
            has_overview=self.kind in (Kind.PROGRAMME, Kind.SIDE_EVENTS) and any(day.items for day in built),
            has_times=self.has_times,
            days=built,
            notes=self.notes.texts,
            contact=contact,
            words=_words(),
        )

    def _above_title(self) -> Runs:
        """Level and number of the conference in its series; no number that the title says."""
        conference = self.conference
        parts = [self.texts.runs(Translations({code: capfirst(said) for code, said in conference.level.items()}))]
        if conference.edition and str(conference.edition) not in str(conference.title):
            parts.append([Run(_("%(ordinal)s conference") % {"ordinal": dates.ordinal(conference.edition)})])
        return wording.joined(parts, " · ")

    def _below_title(self) -> list[Runs]:
        conference, texts = self.conference, self.texts
        when = dates.span(conference.starts_on, conference.ends_on, precision=conference.date_precision)
        place: Runs = []
        venue = conference.venue
        if venue is not None:
            country = venue.country
            place = wording.joined(
                [texts.runs(venue.name), texts.runs(venue.city), texts.runs(country.name) if country else []]
            )
            place += self.notes.mark("venue", texts.runs(venue.footnote)) or (
                self.notes.mark(country.iso2, texts.runs(country.footnote)) if country else []
            )
        facts = [[Run(when)] if when else [], place, [Run(str(conference.get_format_display()))]]
        lines = [texts.runs(conference.theme), texts.runs(conference.theme_subtitle), wording.joined(facts, " · ")]
        return [found for found in lines if found]

    def _marks(self, mark: str) -> list[str]:
        found = [mark] if mark else []
        if self.conference.state == ConferenceState.PROVISIONAL:
            found.append(_("This is a provisional programme. Names and times may still change."))
        if self.conference.state == ConferenceState.CANCELLED:
            found.append(_("This conference is cancelled."))
        return found

    def _release(self) -> Runs:
        """Which release it is and of when; nothing for a draft, or a programme that was never published."""
        if reading.mode() is not reading.Mode.PUBLISHED:
            return []
        release = self.conference.releases.newest_first().only("number", "made_at").first()
        return release_words(release, self.conference) if release is not None else []

    def _clock_remark(self) -> Runs:
        """Whose clock the times are told by: nothing while no time is printed."""
        if not self.clocks:
            return []
        return [Run(_("All times are %(clock)s.") % {"clock": "; ".join(self.clocks)})]

    def _register_remark(self) -> Runs:
        if not selectors.is_registration_open(self.conference, now=self.now):
            return []
        address = settings.SITE_URL + self.conference.get_absolute_url()
        return [Run(tags.colon(_("Registration")) + " "), Run(address, link=address)]

    def _contact(self) -> list[Runs]:
        conference = self.conference
        parts = [wording.line(conference.contact_address)]
        for label, value in ((_("Telephone:"), conference.contact_phone), (_("Fax:"), conference.contact_fax)):
            parts.append(f"{label} {wording.line(value)}" if value else "")
        parts += [wording.line(conference.contact_email), wording.line(conference.contact_web)]
        said = wording.joined([[Run(part)] for part in parts if part], " · ")
        if not said:
            return []
        organiser = self.texts.runs(conference.organiser.name) if conference.organiser is not None else []
        return [found for found in (organiser, said) if found]

    # --- days and items ----------------------------------------------------------------------------------------------

    def _day(self, day: selectors.Day) -> Day:
        if day.day is None:
            heading = _("Day to be announced")
        else:
            date = dates.day(day.day.date)
            heading = _("Day %(number)s: %(date)s") % {"number": day.day.number, "date": date}
        items = [self._item(entry) for entry in day.entries]
        rows = [self._row(entry, item) for entry, item in zip(day.entries, items, strict=True)]
        return Day(heading, rows, items)

    def _row(self, entry: selectors.SessionEntry, item: Item) -> Row:
        convenors = wording.joined([wording.bodies(group, self.texts) for group in entry.convenors])
        place = wording.place(entry.session, self.texts)
        return Row(item.time, item.label, item.title, item.is_cancelled, convenors, place)

    def _item(self, entry: selectors.SessionEntry) -> Item:
        session: Any = entry.session
        is_whole = not self.is_agenda
        time = wording.span(session.starts_at, session.ends_at, self.conference) if self.has_times else ""
        if time:
            self.clocks[wording.clock_label(session.starts_at, self.conference)] = True
        # In this order, because it is the order on paper, and footnotes count along.
        facts = self._facts(entry, time)
        sections = self._sections(session) if is_whole else []
        blocks = [self._block(block) for block in entry.blocks]
        return Item(
            time=time,
            label=wording.line(session.kind_and_number),
            title=self.texts.runs(session.title),
            is_cancelled=session.state == SessionState.CANCELLED,
            facts=facts,
            sections=sections,
            blocks=blocks,
            closing=self._closing(entry) if is_whole else [],
        )

    def _facts(self, entry: selectors.SessionEntry, time: str) -> list[Fact]:
        session: Any = entry.session
        facts = []
        if not self.is_agenda:
            if session.day is not None and (session.is_side_event or self.kind == Kind.SESSION):
                facts.append((_("Date"), [Run(dates.day(session.day.date))]))
            if time:
                clock = wording.clock_label(session.starts_at, self.conference)
                facts.append((_("Time"), [Run(f"{time}, {clock}")]))
            elif not entry.is_over:
                facts.append((_("Time"), [Run(_("Time to be announced"))]))
        facts += [(group.label, wording.bodies(group, self.texts)) for group in entry.convenors]
        facts.append((_("Place"), wording.place(session, self.texts)))
        return [Fact(label, runs) for label, runs in facts if runs]

    def _sections(self, session: Any) -> list[Section]:
        """Summary, call and texts. The sources are marked at the end of the background, or of what there is."""
        sections = []
        if session.summary:
            sections.append(Section([], self._prose(session.summary)))
        if session.call_to_action:
            sections.append(Section([], [Prose("quote", items=[self._prose(session.call_to_action)])]))
        kinds = [""] * len(sections)
        for row in session.text_sections.all():
            heading = self.texts.runs(row.heading) or [Run(str(row.get_kind_display()))]
            sections.append(Section(heading, self._prose(row.text)))
            kinds.append(row.kind)
        marks: Runs = []
        for reference in session.references.all() if self.references is None else self.references:
            note = wording.citation(reference)
            marks += [*([Run(" ")] if marks else []), *self.notes.mark(f"reference {reference.pk}", note)]
        if marks:
            at = kinds.index(SectionKind.BACKGROUND) if SectionKind.BACKGROUND in kinds else 0
            if not sections:
                sections.append(Section([], []))
            sections[at].texts[:] = _with_marks(sections[at].texts, marks)
        return [section for section in sections if section.texts]

    def _prose(self, value: Translations) -> list[Prose]:
        return prose(*self.texts.best(value))

    def _block(self, block: selectors.SegmentBlock) -> Block:
        segment: Any = block.segment
        time = ""
        if self.has_times and segment is not None:
            time = wording.span(segment.starts_at, segment.ends_at, self.conference)
        lines = _in_agenda_order(block.lines) if self.is_agenda else block.lines
        return Block(self.texts.runs(block.heading), time, [self._speaker(found) for found in lines])

    def _speaker(self, found: selectors.SpeakerLine) -> Speaker:
        role = self.texts.runs(found.role)
        return Speaker(
            role=[Run(tags.colon(role[0].text), role[0].language)] if role else [],
            name=wording.speaker_name(found, self.texts, self.notes),
            title=wording.speaker_title(found, self.texts, self.notes, is_whole=not self.is_agenda),
            topic=self.texts.runs(found.contribution.wording.topic),
        )

    # --- how to get in -----------------------------------------------------------------------------------------------

    def _closing(self, entry: selectors.SessionEntry) -> list[Fact]:
        session: Any = entry.session
        audience, language = self.texts.best(session.audience)
        groups = [[Run(wording.line(group), language)] for group in audience.splitlines() if group.strip()]
        facts = [
            (_("Audience"), wording.joined(groups, "; ")),
            (_("Registration"), self._registration(entry)),
            (_("Working languages"), _languages(session.working_languages)),
            (_("Interpretation"), _languages(session.interpretation_languages)),
        ]
        return [Fact(label, runs) for label, runs in facts if runs]

    def _registration(self, entry: selectors.SessionEntry) -> Runs:
        """Where to sign up and how the link comes; nothing once it is over, and for panels what they do differently."""
        session: Any = entry.session
        mode = session.registration_mode
        if entry.is_over or session.state == SessionState.CANCELLED:
            return []
        parts: list[Runs] = []
        if session.has_external_registration:
            told = _(
                "Another body takes the registrations for this event on its own site. "
                "What you enter there goes to them, not to us."
            )
            address = wording.line(session.registration_url)
            if address and session.registration_url_is_broken:
                parts.append([Run(_("The address does not work as it was announced:")), Run(f" {address}")])
            elif address:
                parts.append([Run(address, link=address)])
            parts.append([Run(told)])
        elif mode == RegistrationMode.OWN_FORM:
            address = settings.SITE_URL + session.get_absolute_url()
            parts.append([Run(address, link=address)])
        elif mode == RegistrationMode.INVITATION:
            parts.append([Run(_("By invitation only."))])
        elif session.is_side_event and mode == RegistrationMode.NONE:
            parts.append([Run(_("No registration is needed."))])
        elif session.is_side_event:
            address = settings.SITE_URL + reverse("events:conference", args=[self.conference.slug])
            parts.append([Run(tags.colon(_("Register for the conference")) + " "), Run(address, link=address)])
        parts.append(self.texts.runs(session.join_link_rule))
        return wording.joined(parts, "\n")


def _in_agenda_order(lines: list[selectors.SpeakerLine]) -> list[selectors.SpeakerLine]:
    """The lines as the agenda prints them, which may differ from the session's own order.

    Those with a position in the agenda change places among themselves; the others stay where they are.
    """
    placed = [line for line in lines if line.contribution.agenda_position is not None]
    in_order = iter(sorted(placed, key=lambda line: line.contribution.agenda_position))
    return [line if line.contribution.agenda_position is None else next(in_order) for line in lines]


def _languages(values: list[str]) -> Runs:
    said = wording.line(tags.language_names(values))
    return [Run(said)] if said else []


def _shortened(title: str) -> str:
    return title if len(title) <= _LONGEST_HEAD else title[: _LONGEST_HEAD - 1].rstrip() + "…"


def _with_marks(texts: list[Prose], marks: Runs) -> list[Prose]:
    """The texts with footnote marks after their last word."""
    last = texts[-1] if texts else Prose("paragraph")
    if last.kind == "paragraph":
        marked = replace(last, runs=[*last.runs, *marks])
    else:
        marked = replace(last, items=[*last.items[:-1], _with_marks(last.items[-1] if last.items else [], marks)])
    return [*texts[:-1], marked]


def _words() -> Words:
    return Words(
        overview=_("Overview"),
        time=_("Time"),
        item=_("Session"),
        convenor=str(ConvenorRelation.CONVENOR.label),
        place=_("Place"),
        programme=_("Programme"),
        cancelled=_("Cancelled"),
        contact=_("Contact"),
        nothing=_("The sessions of this day have not been announced yet."),
        page=wording.page_words(),
    )
