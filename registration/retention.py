"""What is kept of people after a conference, for how long, and how it is erased: one rule for each kind of data.

A rule erases in portions, each in the transaction of its proof (registration.services.data_life), and finds nothing a
second time: it may run twice, late, beside itself, and be killed at any moment. What a rule empties is in no figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Trunc
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from events.models import Conference
from registration.models import (
    Announcement,
    CheckIn,
    Consent,
    DoorCode,
    MailBounce,
    Membership,
    Participant,
    Purpose,
    Registration,
    RetiredLink,
)

Words = str | Promise
# A period that is new here, or was changed, erases nothing before: organisers see it coming on the page "Data life".
NOTICE = timedelta(days=7)
FORGOTTEN = "-"  # where the database wants some reason: a refusal has one
Waiting = Callable[[Conference, datetime], QuerySet[Any]]
Batch = Callable[[Conference, datetime, int], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of data about people at a conference. days: kept so long after its last day unless it says otherwise.

    erase: does away with at most so many rows in the caller's transaction, and says how many; None: the whole person
    goes, by registration.services.erasure. waiting: the rows that it would find. version rises when it erases other
    data than before.
    """

    key: str
    label: Words
    what: Words
    days: int
    waiting: Waiting
    erase: Batch | None
    version: int = 1

    @property
    def name(self) -> str:
        """Key and version: what its beginning is kept under."""
        return f"{self.key}/{self.version}"


@dataclass(frozen=True, slots=True)
class Fixed:
    """Data of the house with a period that no conference changes. period: in words."""

    key: str
    label: Words
    period: Words


def due_at(conference: Conference, days: int) -> datetime | None:
    """The instant from which a rule erases; None while the conference has no last day."""
    return None if conference.ends_at is None else conference.ends_at + timedelta(days=days)


# --- how rows are erased ----------------------------------------------------------------------------------------------


def _taken(rows: QuerySet[Any], limit: int) -> list[int]:
    """Keys of some rows, locked; those that somebody works on at this moment are left to the next portion."""
    locked = rows.order_by("pk").select_for_update(skip_locked=True, no_key=True, of=("self",))
    return list(locked.values_list("pk", flat=True)[:limit])


def _emptying(waiting: Waiting, **values: Any) -> Batch:
    def erase(conference: Conference, now: datetime, limit: int) -> int:
        rows = waiting(conference, now)
        model: type[Model] = rows.model
        return model._default_manager.filter(pk__in=_taken(rows, limit)).update(**values)

    return erase


def _deleting(waiting: Waiting) -> Batch:
    def erase(conference: Conference, now: datetime, limit: int) -> int:
        rows = waiting(conference, now)
        keys = _taken(rows, limit)
        rows.model._default_manager.filter(pk__in=keys).delete()
        return len(keys)

    return erase


def _day(name: str) -> Trunc:
    return Trunc(name, "day", tzinfo=UTC)


# --- what there is ----------------------------------------------------------------------------------------------------


def _needs(conference: Conference, now: datetime) -> QuerySet[Participant]:
    return Participant.objects.filter(conference=conference).exclude(accessibility_needs="")


def _languages(conference: Conference, now: datetime) -> QuerySet[Participant]:
    return Participant.objects.filter(conference=conference).exclude(interpretation_language="", time_zone="")


def _functions(conference: Conference, now: datetime) -> QuerySet[Participant]:
    return Participant.objects.filter(conference=conference).exclude(function="")


def _reasons(conference: Conference, now: datetime) -> QuerySet[Registration]:
    own = Registration.objects.filter(admission__conference=conference)
    return own.exclude(Q(reason="") | Q(reason__startswith="@"))


def _refusals(conference: Conference, now: datetime) -> QuerySet[Membership]:
    return Membership.objects.filter(delegation__conference=conference).exclude(verification_reason__in=["", FORGOTTEN])


def _check_ins(conference: Conference, now: datetime) -> QuerySet[CheckIn]:
    exact = ~Q(at=_day("at")) | Q(by__isnull=False) | Q(undone_by__isnull=False) | Q(room__isnull=False)
    return CheckIn.objects.filter(exact, conference=conference)


def _clicks(conference: Conference, now: datetime) -> QuerySet[Registration]:
    own = Registration.objects.filter(admission__conference=conference, joined_at__isnull=False)
    return own.exclude(joined_at=_day("joined_at"))


def _door_codes(conference: Conference, now: datetime) -> QuerySet[DoorCode]:
    return DoorCode.objects.filter(participant__conference=conference)


def _bounces(conference: Conference, now: datetime) -> QuerySet[MailBounce]:
    return MailBounce.objects.filter(participant__conference=conference)


def _old_links(conference: Conference, now: datetime) -> QuerySet[RetiredLink]:
    return RetiredLink.objects.filter(registration__admission__conference=conference)


def _addressees(conference: Conference, now: datetime) -> QuerySet[Any]:
    return Announcement.registrations.through._default_manager.filter(announcement__conference=conference)


def _people(conference: Conference, now: datetime) -> QuerySet[Participant]:
    """Everybody who is not erased, but for those who agreed to be written to, until that ends."""
    contact = Consent.objects.filter(participant=OuterRef("pk"), purpose=Purpose.CONTACT).order_by("-pk")
    return (
        Participant.objects.filter(conference=conference, identity_key__isnull=False)
        .alias(
            may_write=Subquery(contact.values("is_given")[:1]), write_until=Subquery(contact.values("expires_at")[:1])
        )
        .filter(Q(may_write=None) | Q(may_write=False) | Q(write_until=None) | Q(write_until__lte=now))
    )


PERSON = "person"
AUDIT_KEPT = timedelta(days=settings.AUDIT_KEEP_DAYS)

RULES: tuple[Rule, ...] = (
    Rule(
        "needs",
        _("What people need in order to take part"),
        _("emptied"),
        30,
        _needs,
        _emptying(_needs, accessibility_needs=""),
    ),
    Rule(
        "languages",
        _("Language of interpretation, own time zone"),
        _("emptied"),
        30,
        _languages,
        _emptying(_languages, interpretation_language="", time_zone=""),
    ),
    Rule("door_codes", _("Codes for the door"), _("deleted"), 30, _door_codes, _deleting(_door_codes)),
    Rule("bounces", _("That a mail came back"), _("deleted"), 30, _bounces, _deleting(_bounces)),
    Rule("old_links", _("Links to join that were replaced"), _("deleted"), 30, _old_links, _deleting(_old_links)),
    Rule(
        "check_ins",
        _("Check-ins: hour, room and who let the person in"),
        _("made coarse: only the day stays"),
        90,
        _check_ins,
        _emptying(_check_ins, at=_day("at"), received_at=_day("received_at"), by=None, undone_by=None, room=None),
    ),
    Rule(
        "clicks",
        _("When somebody first joined on-line"),
        _("made coarse: only the day stays"),
        90,
        _clicks,
        _emptying(_clicks, joined_at=_day("joined_at")),
    ),
    Rule("reasons", _("Reasons that organisers wrote"), _("emptied"), 180, _reasons, _emptying(_reasons, reason="")),
    Rule(
        "refusals",
        _("Why a nomination was not verified"),
        _("emptied"),
        180,
        _refusals,
        _emptying(_refusals, verification_reason=FORGOTTEN),
    ),
    Rule(
        "addressees",
        _("Who got which message of organisers"),
        _("deleted"),
        180,
        _addressees,
        _deleting(_addressees),
    ),
    Rule("functions", _("Function or title"), _("emptied"), 365, _functions, _emptying(_functions, function="")),
    Rule(
        PERSON,
        _("Name, e-mail address and all else of a person"),
        _("erased; whoever agreed to be written to stays until that ends"),
        760,
        _people,
        None,
    ),
)  # fmt: skip
BY_KEY = {rule.key: rule for rule in RULES}

# What the house forgets by itself, with the constant or variable that says when. The keys are those of the proofs.
FIXED: tuple[Fixed, ...] = (
    Fixed("answers", _("Answers to organisers’ questions, with files"), _("as each question says")),
    Fixed("erased_by_wish", _("People who deleted themselves"), _("at once")),
    Fixed("erased_by_hand", _("People whom organisers erased"), _("at once")),
    Fixed("messages", _("Messages that left, and those given up"), _("%(days)s days; given up: ten times as long")),
    Fixed("invitations", _("Who was invited"), _("14 days after the conference")),
    Fixed("speakers", _("Speakers’ addresses and proposals"), _("14 days after the conference")),
    Fixed("wishes", _("What a form asked for and nobody confirmed"), _("72 hours")),
    Fixed("form_answers", _("Answers to forms that may be sent twice"), _("7 days")),
    Fixed("networks", _("From how many networks a link was used"), _("7 days")),
    Fixed("deliveries", _("What was told to programs of others"), _("30 days")),
    Fixed("attempts", _("Attempts to sign in"), _("1 day")),
    Fixed("sessions", _("Sessions of people who signed in"), _("when they have run out")),
    Fixed("audit", _("Audit trail and history of the admin"), _("%(audit)s days")),
)


def words_of(fixed: Fixed) -> str:
    """The period of data of the house, in words."""
    return str(fixed.period) % {"days": settings.OUTBOX_KEEP_DAYS, "audit": settings.AUDIT_KEEP_DAYS}
