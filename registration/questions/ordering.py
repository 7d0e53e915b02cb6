"""The order of a conference's questions: numbers that organisers type, compared with those they saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, audit_entry
from alliance.exceptions import DomainError
from events.models import Conference
from registration.models import Question
from registration.questions import answers


class QuestionsChanged(DomainError):
    """The questions do not stand as the organiser saw them."""

    code = "questions_changed"
    message = _("Somebody else has changed this meanwhile. Nothing was saved; you see it as it is now.")


class BelowItsSource(DomainError):
    """A question would stand above the one it depends on."""

    code = "question_above_its_source"

    def __init__(self, question: Question) -> None:
        super().__init__(_("“%(question)s” must stay below the question it depends on.") % {"question": question.label})


def as_seen(questions: Iterable[Question]) -> str:
    """Which questions stand where, as a form carries it (docs/decisions/0013-seen-values.md)."""
    return ",".join(f"{pk}:{position}" for pk, position in sorted((one.pk, one.position) for one in questions))


@transaction.atomic(durable=True)
def arrange(
    *, conference: Conference, positions: Mapping[int, int], seen: str | None, by: Actor, now: datetime
) -> list[Question]:
    """Put questions at these positions (0 to 9999, by key); keys of others are passed over. Those that were moved.

    seen: as_seen() of what was shown. Raises QuestionsChanged, BelowItsSource.
    """
    rows = {row.pk: row for row in Question.objects.select_for_update().filter(conference=conference).order_by("pk")}
    if seen is not None and seen != as_seen(rows.values()):
        raise QuestionsChanged
    moved = [row for pk, row in rows.items() if positions.get(pk, row.position) != row.position]
    before = {str(row.public_id): row.position for row in moved}
    for row in moved:
        row.position = positions[row.pk]
    for row in rows.values():
        source = rows.get(row.show_if_id or 0)
        if source is not None and not answers.may_depend_on(row, source):
            raise BelowItsSource(row)
    if moved:
        Question.objects.bulk_update(moved, ["position"])
        audit_entry(
            at=now,
            by=by,
            action="conference.questions_arranged",
            about_kind="conference",
            about_id=conference.public_id,
            details={"from": before, "to": {str(row.public_id): row.position for row in moved}},
        ).save()
    return moved
