"""Who is nominated, what a nomination led to, and why one is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from alliance.exceptions import DomainError
from registration.models import (
    Membership,
    RegistrationStatus,
)


@dataclass(frozen=True, slots=True)
class Nominee:
    """Somebody to nominate; shape and length are checked by the form. row: where it stands in what was sent, from 1."""

    given_name: str
    family_name: str
    email: str
    capacity: str
    mode: str
    language: str
    function: str = ""
    row: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be nominated."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Nominated:
    """What a row led to. position counts from 1 and is set for the waiting list only."""

    row: int
    membership: Membership
    status: RegistrationStatus
    position: int | None


class NominationRefused(DomainError):
    """At least one row cannot be nominated; then none is."""

    code = "nomination_refused"
    message = gettext_lazy("Nobody was nominated. Correct the rows named below and send the list again.")

    def __init__(self, problems: Sequence[Problem], message: str | Promise | None = None) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class NotAMember(DomainError):
    """The nomination has ended."""

    code = "not_a_member"
    message = gettext_lazy("This nomination has ended. Load the page again to see where it stands.")


class CannotChange(DomainError):
    """The person has been there, or gave the place back themselves."""

    code = "member_cannot_change"
    message = gettext_lazy(
        "This member has attended already, or has given the place back. The nomination cannot be passed on."
    )


class HeadIsNamed(DomainError):
    """A delegation has one head."""

    code = "head_is_named"
    message = gettext_lazy("The delegation has a head already. Withdraw or replace that person first.")
