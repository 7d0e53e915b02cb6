"""Every write of this app: one function per use case, and the errors it raises."""

from registration.services import answers as answers
from registration.services import links as links
from registration.services.access import Entry, enter, find_personal, resend_personal_link, send_personal_link
from registration.services.decisions import AlreadyDecided, approve, cancel, reject
from registration.services.joining import (
    Answer,
    Applicant,
    ByHand,
    ChooseOneWay,
    FormSentBefore,
    NothingChosen,
    RegistrationClosed,
    find_answer,
    register,
)
from registration.services.meanwhile import NoWayOnline, attend_online
from registration.services.offers import ClashChanged, OfferAnswered, OfferExpired, accept, decline, expire_offers
from registration.services.places import Outcome, change_capacity
from registration.services.queueing import FirstAlready, NotWaiting, move_to_top
from registration.services.reserves import (
    ReserveForNobody,
    ReserveIsReleased,
    ReserveTooLarge,
    release_due_reserves,
    remove_reserve,
    set_reserve,
)
from registration.services.taking_back import PlaceGone, StandApart, StandsAgain, TooLate, take_back
from registration.services.upkeep import forget_old_idempotency_keys, queue_missing_join_links
from registration.services.waiting_list import promote_into_free_places

__all__ = [
    "AlreadyDecided",
    "Answer",
    "Applicant",
    "ByHand",
    "ChooseOneWay",
    "ClashChanged",
    "Entry",
    "FirstAlready",
    "FormSentBefore",
    "NoWayOnline",
    "NotWaiting",
    "NothingChosen",
    "OfferAnswered",
    "OfferExpired",
    "Outcome",
    "PlaceGone",
    "RegistrationClosed",
    "ReserveForNobody",
    "ReserveIsReleased",
    "ReserveTooLarge",
    "StandApart",
    "StandsAgain",
    "TooLate",
    "accept",
    "answers",
    "approve",
    "attend_online",
    "cancel",
    "change_capacity",
    "decline",
    "enter",
    "expire_offers",
    "find_answer",
    "find_personal",
    "forget_old_idempotency_keys",
    "links",
    "move_to_top",
    "promote_into_free_places",
    "queue_missing_join_links",
    "register",
    "reject",
    "release_due_reserves",
    "remove_reserve",
    "resend_personal_link",
    "send_personal_link",
    "set_reserve",
    "take_back",
]
