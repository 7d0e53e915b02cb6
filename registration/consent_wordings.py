"""What people are asked to agree to, word for word.

A wording that somebody has agreed to stays here for ever: the ledger names it by its version. Who changes a sentence
adds a version and leaves the old one. Translations count as the same version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registration.models import Purpose


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentence that is agreed to, and why it is asked. lasts: until it ends by itself; None for no end."""

    version: str
    sentence: str | Promise
    reason: str | Promise
    lasts: timedelta | None = None


# By purpose, the oldest first; the last one is shown.
WORDINGS: dict[Purpose, tuple[Wording, ...]] = {
    Purpose.LIST: (
        Wording(
            "2026-11",
            _("Name me in the list of participants"),
            _(
                "With the name you appear under, your function and your organisation. Other participants get the list, "
                "and it may be published."
            ),
        ),
    ),
    Purpose.PHOTO: (
        Wording(
            "2026-11",
            _("Photographs that show me may be published"),
            _("They are taken for the report and the web pages of the conference."),
        ),
    ),
    Purpose.RECORDING: (
        Wording(
            "2026-11",
            _("Recordings in which I am seen or heard may be kept and published"),
            _("Sessions are recorded for people who could not attend."),
        ),
    ),
    Purpose.STREAM: (
        Wording(
            "2026-11",
            _("I may be seen or heard in the live stream"),
            _("Sessions are shown on the Internet while they take place."),
        ),
    ),
    Purpose.QUOTE: (
        Wording(
            "2026-11",
            _("What I say may be quoted with the name I appear under"),
            _("For the report and for news about the conference."),
        ),
    ),
    Purpose.MATERIALS: (
        Wording(
            "2026-11",
            _("What I hand in, such as slides, may be published"),
            _("On the pages of the conference, for participants and others."),
        ),
    ),
    Purpose.CONTACT: (
        Wording(
            "2026-11",
            _("The office may write to me after the conference"),
            _("About results and similar events, for two years; then this consent ends by itself."),
            timedelta(days=730),
        ),
    ),
}


def current(purpose: str) -> Wording:
    """The wording that is shown now."""
    return WORDINGS[Purpose(purpose)][-1]


def find(purpose: str, version: str) -> Wording:
    """The wording of that version; the present one where a version is not known (such as one from before this file)."""
    known = WORDINGS[Purpose(purpose)]
    return next((wording for wording in known if wording.version == version), known[-1])
