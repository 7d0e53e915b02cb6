"""Taking back that registrations were cancelled or rejected: the button after it, and that of a single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin import actor
from alliance.admin import own_rows, undo
from alliance.exceptions import DomainError
from registration import services
from registration.models import Registration, RegistrationStatus
from registration.models.registration import ENDED

KIND = "registrations"


def offer(request: HttpRequest, ended: Sequence[Registration], done: str) -> None:
    """Say that registrations were ended, with a button to take it back."""
    undo.offer(request, KIND, [[one.pk, one.version] for one in ended], done)


def take_back(request: HttpRequest, data: Any) -> str:
    """Let registrations stand again, as far as it goes; what was done, in words. Raises DomainError when none could."""
    versions = dict(data)
    own = own_rows(request, Registration.objects.filter(pk__in=versions), "registration.change_registration")
    keys = list(own.order_by("created_at", "pk").values_list("pk", flat=True))
    return carry_out(request, [(pk, versions[pk]) for pk in keys])


def carry_out(request: HttpRequest, chosen: Sequence[tuple[int, int | None]]) -> str:
    """Take back one after the other, the first to register first, each in its own transaction.

    chosen: keys, with the version that the ending led to where one is meant. Those whose place has gone stand in line,
    in the same order before all others. Raises the DomainError of the last one when nothing could be taken back.
    """
    by, stood = actor(request), Counter[str]()
    ended = set(Registration.objects.filter(pk__in=dict(chosen), status__in=ENDED).values_list("pk", flat=True))
    refused: list[DomainError] = []
    late = []

    def refuse(pk: int, error: DomainError) -> None:
        if status := _came_along(pk, ended):
            stood[status] += 1
        else:
            refused.append(error)

    for pk, version in chosen:
        try:
            stood[_taken_back(pk, version, by=by, in_line=False)] += 1
        except services.PlaceGone:
            late.append((pk, version))
        except DomainError as error:
            refuse(pk, error)
    for pk, version in reversed(late):  # each goes before all who stand there
        try:
            stood[_taken_back(pk, version, by=by, in_line=True)] += 1
        except DomainError as error:
            refuse(pk, error)
    if not stood:
        raise refused[-1] if refused else services.TooLate
    for why, number in Counter(str(error.message) for error in refused).most_common():
        left_alone = ngettext(
            "%(count)s registration left as it is: %(why)s",
            "%(count)s registrations left as they are: %(why)s",
            number,
        )
        messages.warning(request, left_alone % {"count": number, "why": why})
    if late and stood[RegistrationStatus.WAITLISTED]:
        messages.warning(request, _("Where the place has gone to somebody else, the person stands first in line now."))
    count = sum(stood.values())
    states = ", ".join(f"{RegistrationStatus(status).label}: {number}" for status, number in stood.most_common())
    done = ngettext("Undone: %(count)s registration stands again", "Undone: %(count)s registrations stand again", count)
    return f"{done % {'count': count}} ({states})."


def _taken_back(pk: int, version: int | None, *, by: Any, in_line: bool) -> str:
    found = services.take_back(registration_id=pk, version=version, by=by, now=timezone.now(), in_line=in_line)
    return found.status


def _came_along(pk: int, ended: Container[int]) -> str:
    """Where somebody stands who had ended and came back with whom they came with; empty for all others."""
    found = Registration.objects.live().filter(pk=pk).values_list("status", flat=True).first()
    return found or "" if pk in ended else ""


undo.register(KIND, take_back)
