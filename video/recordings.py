"""Meetings that are not recorded: other apps say in which ones somebody takes part who must not be."""

from __future__ import annotations

from collections.abc import Callable

# Called with the keys of session and conference, of which one is set.
Question = Callable[[int | None, int | None], bool]

_questions: list[Question] = []


def refuse_when(question: Question) -> None:
    """Make a reason not to record known. Called in AppConfig.ready() of apps that know people."""
    if question not in _questions:
        _questions.append(question)


def is_refused(*, session_id: int | None, conference_id: int | None) -> bool:
    """Whether a meeting must not be recorded."""
    return any(question(session_id, conference_id) for question in _questions)
