"""The page of one session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alliance.languages import Translations
from events import facts
from events import results as outcomes
from events.models import Conference, Material, RegistrationMode, Session, SessionState
from events.selectors import entries as read
from events.selectors.entries import SessionEntry
from events.selectors.lines import Footnotes


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Everything the page of one session prints."""

    entry: SessionEntry
    footnotes: Footnotes
    materials: list[tuple[str, list[Material]]]  # by heading
    references: list[Any]
    results: list[outcomes.Group]
    is_registration_open: bool

    @property
    def session(self) -> Session:
        """The session itself."""
        return self.entry.session

    @property
    def results_note(self) -> Translations:
        """What is printed below results."""
        return outcomes.disclaimer(self.session.conference)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.entry.is_over

    @property
    def is_external(self) -> bool:
        """Whether people sign up with another body, outside our house."""
        return self.session.has_external_registration

    @property
    def has_own_form(self) -> bool:
        """Whether people sign up with our own form, alone or together with the conference."""
        return self.session.registration_mode in (RegistrationMode.OWN_FORM, RegistrationMode.WITH_CONFERENCE)


def session_page(conference: Conference, slug: str, *, now: datetime) -> SessionPage:
    """One session of a conference. Raises Session.DoesNotExist for drafts and for what strangers may not see.

    Papers and videos marked "after" wait for the end of the session. References without a citation and the notes of
    organisers are left out.
    """
    footnotes = Footnotes()
    found = conference.sessions.public().filter(slug=slug)
    entries = read.entries(
        found.prefetch_related(read.texts()),
        now=now,
        footnotes=footnotes,
        with_all_organisations=True,
    )
    if not entries:
        raise Session.DoesNotExist
    entry = entries[0]
    session: Any = entry.session
    session.conference = conference
    materials = list(session.materials.visible_at(now).order_by("position", "pk"))
    return SessionPage(
        entry=entry,
        footnotes=footnotes,
        materials=facts.by_kind(materials),
        results=outcomes.public(session.recommendations.all(), now=now),
        references=list(facts.cited(session.references)),
        is_registration_open=session.state == SessionState.SCHEDULED
        and any(admission.is_open(now) for admission in session.admissions.select_related("conference", "session")),
    )
