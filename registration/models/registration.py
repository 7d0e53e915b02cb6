"""A participant's registration for one admission."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import ActorKind
from alliance import crypto
from alliance.db import PublicIdField
from registration.models.admission import Admission
from registration.models.participant import Participant
from registration.models.reserve import Reserve


class RegistrationStatus(models.TextChoices):
    """Where a registration stands (docs/design.md section 3)."""

    PENDING = "pending", _("Awaiting approval")
    CONFIRMED = "confirmed", _("Confirmed")
    WAITLISTED = "waitlisted", _("On the waiting list")
    OFFERED = "offered", _("A place is offered")
    REJECTED = "rejected", _("Not admitted")
    CANCELLED = "cancelled", _("Cancelled")
    ATTENDED = "attended", _("Attended")
    ABSENT = "absent", _("Absent")


_S = RegistrationStatus

# Who holds a place. The database triggers count the same set (migration registration.0002, tested to be equal).
TAKING = frozenset({_S.CONFIRMED, _S.OFFERED, _S.ATTENDED, _S.ABSENT})
ENDED = frozenset({_S.REJECTED, _S.CANCELLED})

# Allowed moves, read by services, admin and templates alike. The database refuses the others, but for a decision of an
# organiser that is taken back within a quarter of an hour (registration.models.ending).
MOVES: dict[str, frozenset[RegistrationStatus]] = {
    _S.PENDING: frozenset({_S.CONFIRMED, _S.WAITLISTED, _S.OFFERED, _S.REJECTED, _S.CANCELLED}),
    _S.WAITLISTED: frozenset({_S.CONFIRMED, _S.OFFERED, _S.REJECTED, _S.CANCELLED}),
    _S.OFFERED: frozenset({_S.CONFIRMED, _S.WAITLISTED, _S.CANCELLED}),
    _S.CONFIRMED: frozenset({_S.CANCELLED, _S.ATTENDED, _S.ABSENT}),
    _S.ATTENDED: frozenset({_S.CONFIRMED, _S.ABSENT}),  # confirmed: a check-in was undone
    _S.ABSENT: frozenset({_S.ATTENDED}),
    _S.REJECTED: frozenset(),
    _S.CANCELLED: frozenset(),
}


# Reasons that the system gives itself; what an organiser writes never begins with "@".
REASON_FULL = "@full"
REASON_AUDIENCE = "@audience"
REASON_REFUSED_BEFORE = "@refused-before"
REASON_CORRECTED = "@corrected"
REASON_EXPIRED = "@offer-expired"
REASON_DECLINED = "@offer-declined"
REASON_SWAPPED = "@swapped"
_REASONS = {
    REASON_FULL: _("All places were taken, and there was no waiting list."),
    REASON_AUDIENCE: _("Outside the audience as announced."),
    REASON_REFUSED_BEFORE: _("Not admitted before; registered again."),
    REASON_CORRECTED: _("Corrected group, country or organisation before."),
    REASON_EXPIRED: _("The offered place was not claimed in time."),
    REASON_DECLINED: _("The offered place was declined."),
    REASON_SWAPPED: _("Given up for another place at the same time."),
}


class RegistrationQuerySet(models.QuerySet["Registration"]):
    """Registrations."""

    def live(self) -> Self:
        """All that still stand: neither cancelled nor rejected. At most one per participant and admission."""
        return self.exclude(status__in=ENDED)

    def shown_to_others(self) -> Self:
        """What convenors and delegations may see: neither what was cancelled nor anybody who was taken down."""
        return self.exclude(status=_S.CANCELLED).filter(participant__taken_down_at=None)

    def cancellable(self) -> Self:
        """Those a participant or organiser may still cancel."""
        return self.filter(status__in=[status for status, moves in MOVES.items() if _S.CANCELLED in moves])

    def in_waiting_order(self) -> Self:
        """The waiting list: strictly by the position given when people joined it."""
        return self.filter(status=_S.WAITLISTED).order_by("position", "pk")

    def with_all(self) -> Self:
        """Together with everything a page or a mail about them needs."""
        return self.select_related(
            "participant__conference__venue",
            "participant__identity_key",
            "admission__conference",
            "admission__session__day",
            "admission__session__room",
            "admission__places",
        )


class Registration(models.Model):
    """A participant's registration for one admission."""

    public_id = PublicIdField()
    admission = models.ForeignKey(
        Admission, on_delete=models.PROTECT, related_name="registrations", verbose_name=_("admission")
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="registrations", verbose_name=_("participant")
    )
    status = models.CharField(
        _("status"), max_length=12, choices=RegistrationStatus, default=RegistrationStatus.PENDING
    )
    position = models.BigIntegerField(_("position on the list"), null=True, blank=True)  # moved to the top: below 1
    reserve = models.ForeignKey(
        Reserve, on_delete=models.PROTECT, related_name="registrations", null=True, blank=True, db_index=False,
        verbose_name=_("from the reserve"), help_text=_("Empty: a seat that was for everybody."),
    )  # fmt: skip
    offer_expires_at = models.DateTimeField(
        _("offered until"), null=True, blank=True, help_text=_("Stays when the offer was answered or has expired.")
    )
    version = models.PositiveIntegerField(_("version"), default=1, help_text=_("Rises with every change of status."))
    reason = models.CharField(_("reason"), max_length=250, blank=True)
    created_at = models.DateTimeField(_("registered at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by_kind = models.CharField(_("decided by"), max_length=16, choices=ActorKind, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("decided by user"),
    )  # fmt: skip
    promoted_at = models.DateTimeField(_("promoted at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    joined_at = models.DateTimeField(_("first joined at"), null=True, blank=True)
    join_version = models.PositiveSmallIntegerField(default=1, editable=False)
    join_hash = models.BinaryField(max_length=32, unique=True, editable=False)

    objects: ClassVar[RegistrationQuerySet] = RegistrationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        permissions = [("move_registration", "Can move registrations to the top of the waiting list")]
        constraints = [
            models.UniqueConstraint(
                name="registration_one_live_per_participant",
                fields=["admission", "participant"],
                condition=~Q(status__in=[RegistrationStatus.CANCELLED, RegistrationStatus.REJECTED]),
                violation_error_message=_("This person is registered already."),
            ),
            models.UniqueConstraint(
                name="registration_position_given_once",
                fields=["admission", "position"],
                condition=Q(status=RegistrationStatus.WAITLISTED),
            ),
            models.CheckConstraint(
                name="registration_status_is_known", condition=Q(status__in=RegistrationStatus.values)
            ),
            models.CheckConstraint(
                name="registration_waits_with_position",
                condition=~Q(status=RegistrationStatus.WAITLISTED) | Q(position__isnull=False),
            ),
            models.CheckConstraint(
                name="registration_waits_outside_reserves",
                condition=~Q(status__in=[RegistrationStatus.PENDING, RegistrationStatus.WAITLISTED])
                | Q(reserve__isnull=True),
            ),
            models.CheckConstraint(
                name="registration_decision_has_author_and_time",
                condition=Q(decided_at__isnull=True, decided_by_kind="")
                | Q(decided_at__isnull=False, decided_by_kind__in=ActorKind.values),
            ),
            models.CheckConstraint(
                name="registration_cancelled_at_a_time",
                condition=Q(status=RegistrationStatus.CANCELLED, cancelled_at__isnull=False)
                | (~Q(status=RegistrationStatus.CANCELLED) & Q(cancelled_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="registration_list_order", fields=["admission", "status", "position"]),
            models.Index(name="registration_newest", fields=["-created_at"]),
            models.Index(name="registration_from_reserve", fields=["reserve"], condition=Q(reserve__isnull=False)),
            models.Index(
                name="registration_open_offers",
                fields=["offer_expires_at"],
                condition=Q(status=RegistrationStatus.OFFERED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} (#{self.pk})"

    @property
    def join_token(self) -> str:
        """The secret of the join link, made anew for each mail; only its hash is stored."""
        return crypto.derive_token("join-link", str(self.public_id), str(self.join_version))

    @property
    def was_full(self) -> bool:
        """Whether it ended because all places were taken."""
        return self.reason == REASON_FULL

    @property
    def reason_told(self) -> str:
        """The sentence an organiser wrote for the person; empty for the system's own reasons."""
        return "" if self.reason.startswith("@") else self.reason

    @property
    def reason_shown(self) -> str:
        """The reason in words, for organisers."""
        return str(_REASONS.get(self.reason, self.reason))

    def may_become(self, status: RegistrationStatus) -> bool:
        """Whether the move is allowed from where the registration stands."""
        return status in MOVES[self.status]
