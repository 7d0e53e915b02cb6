"""What can go wrong on a platform, in one vocabulary for all of them.

Each platform numbers its failures in its own way, reuses numbers, and puts the useful part into prose. Adapters
translate them into these classes; the rest of the house reads nothing else. No error ever carries an address, a name or
the platform's own text: what the platform said may hold all of them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alliance.exceptions import DomainError


class Scope(StrEnum):
    """What a rate limit counts."""

    SECOND = "second"
    DAY = "day"
    REGISTRANT = "registrant"


class Thing(StrEnum):
    """What is not there."""

    SESSION = "session"
    REGISTRANT = "registrant"


class VideoError(DomainError):
    """A platform, or what we know of it, said no.

    is_retryable: whether the same call may be made again later by the outbox. What is not retryable needs a person.
    """

    code = "video_error"
    message: str | Promise = _("The video platform could not be used.")
    is_retryable: ClassVar[bool] = False


class RateLimited(VideoError):
    """Too many calls. retry_at: the instant from which to try again; None when the platform did not say."""

    code = "video_rate_limited"
    message: str | Promise = _("The video platform asks us to wait.")
    is_retryable = True

    def __init__(self, *, retry_at: datetime | None, scope: Scope) -> None:
        self.retry_at = retry_at
        self.scope = scope
        super().__init__()


class HeldBack(RateLimited):
    """We did not ask: the budget of the day is used up, or the account rests. It says nothing about the platform."""

    code = "video_held_back"


class AuthExpired(VideoError):
    """Our token is no longer accepted. Fetch a new one and repeat once; a second time it is a refusal."""

    code = "video_auth_expired"
    message: str | Promise = _("Our access to the video platform has run out.")


class OperatorActionNeeded(VideoError):
    """Only a person can help: a missing licence, a missing permission, a platform nobody has connected."""

    code = "video_operator_needed"
    message: str | Promise = _("Somebody must look after our account on the video platform.")


class NotFound(VideoError):
    """The meeting or the registrant is gone from the platform."""

    code = "video_not_found"
    message: str | Promise = _("The video platform no longer knows this.")

    def __init__(self, thing: Thing) -> None:
        self.thing = thing
        super().__init__()


class CapacityReached(VideoError):
    """The platform's own limit is reached. Our places should have stopped people before."""

    code = "video_capacity_reached"
    message: str | Promise = _("The meeting on the video platform is full.")


class Closed(VideoError):
    """The meeting is over or takes no more people."""

    code = "video_closed"
    message: str | Promise = _("The meeting on the video platform is closed.")


class Refused(VideoError):
    """The platform will never take this person, such as a host or a panelist of the same meeting."""

    code = "video_refused"
    message: str | Promise = _("The video platform does not take this person as an attendee.")


class Misconfigured(VideoError):
    """The meeting itself is set up wrongly: no registration, an address we may not redirect to."""

    code = "video_misconfigured"
    message: str | Promise = _("The meeting is not set up correctly.")


class InvalidRequest(VideoError):
    """The platform did not understand us: our mistake."""

    code = "video_invalid_request"
    message: str | Promise = _("The video platform did not understand the request.")


class Unavailable(VideoError):
    """The platform could not be reached, and nothing happened there."""

    code = "video_unavailable"
    message: str | Promise = _("The video platform cannot be reached at the moment.")
    is_retryable = True


class NotReachable(Unavailable):
    """Not even a connection: nothing will work there at the moment, whatever is asked."""

    code = "video_not_reachable"


class OutcomeUnknown(VideoError):
    """The request left and no answer came. Never repeat it blindly: look first (find_session, find_registrant)."""

    code = "video_outcome_unknown"
    message: str | Promise = _("The video platform did not answer.")
    is_retryable = True


class NoAnswerInTime(OutcomeUnknown):
    """It hangs: asking for more would only hold up the worker."""

    code = "video_no_answer_in_time"


class Unsupported(VideoError):
    """The platform has nothing of the kind; a fixed address has no registrants."""

    code = "video_unsupported"
    message: str | Promise = _("The video platform cannot do this.")
