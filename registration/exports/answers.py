"""The answers to the questions of a conference as a table, by display name. Reading them is on the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.actors import Actor
from events.models import Conference
from registration.models import Participant, Question, QuestionAnswer
from registration.questions import answers
from registration.services import answers as services
from registration.services.answers import Read


def count(conference: Conference) -> int:
    """How many answers there are, confidential or not: how long reading them takes."""
    return QuestionAnswer.objects.filter(question__conference=conference).count()


def table(
    conference: Conference, *, confidential: bool, by: Actor, now: datetime, each: Callable[[int], object]
) -> list[list[str | int]]:
    """Everybody who answered, the headings first; with confidential ones also what people need to take part."""
    found = services.read_all(conference, confidential=confidential, by=by, now=now, each=each)
    questions = [one for one in answers.questions_of(conference.pk) if one.is_confidential == confidential]
    needs = {one.pk: text for one, text in services.read_needs(conference, by=by, now=now)} if confidential else None
    return _lines(questions, found, needs)


def _lines(questions: Sequence[Question], found: Iterable[Read], needs: dict[int, str] | None) -> list[list[str | int]]:
    people: dict[int, Participant] = {}
    cells: dict[tuple[int, int], str] = {}
    for one in found:
        people[one.participant.pk] = one.participant
        cells[one.participant.pk, one.question.pk] = one.text
    if needs:
        people |= Participant.objects.only("display_name").in_bulk(list(needs))
    head: list[str | int] = [_("Display name"), *(str(question.label) for question in questions)]
    lines = [[*head, _("What you need to take part")] if needs is not None else head]
    for person in sorted(people.values(), key=lambda one: (one.display_name.casefold(), one.pk)):
        line: list[str | int] = [person.display_name, *(cells.get((person.pk, one.pk), "") for one in questions)]
        lines.append([*line, needs.get(person.pk, "")] if needs is not None else line)
    return lines
