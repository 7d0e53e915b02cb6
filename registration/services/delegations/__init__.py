"""Delegations: nominating, replacing and withdrawing members, and what a member and the secretariat say.

Nothing here looks at registrations of other people, not even to compare an address: a nominated person is a participant
of their own, so that an address that registered privately and an unknown one cannot be told apart by anything that
follows (docs/delegations.md). Locks are taken in one order: the delegation, the person, then places in the order of
their keys.
"""

from registration.services.delegations.answering import (
    LISTING_WORDING,
    confirm,
    decline,
    find_answer_page,
    link_again,
    remind,
)
from registration.services.delegations.leaving import replace, withdraw
from registration.services.delegations.members import active_member, audit, leave_final_list, locked, members_with
from registration.services.delegations.nominating import MOST_AT_ONCE, nominate, problems_of
from registration.services.delegations.nominees import (
    CannotChange,
    HeadIsNamed,
    Nominated,
    NominationRefused,
    Nominee,
    NotAMember,
    Problem,
)

__all__ = [
    "LISTING_WORDING",
    "MOST_AT_ONCE",
    "CannotChange",
    "HeadIsNamed",
    "Nominated",
    "NominationRefused",
    "Nominee",
    "NotAMember",
    "Problem",
    "active_member",
    "audit",
    "confirm",
    "decline",
    "find_answer_page",
    "leave_final_list",
    "link_again",
    "locked",
    "members_with",
    "nominate",
    "problems_of",
    "remind",
    "replace",
    "withdraw",
]
