"""Who is nominated as a member of a delegation, its letters, and the list of participants by delegation.

Nothing here refers to registrations that people made themselves, so nothing that a delegation does or sees can depend
on who of its country registered on their own (docs/delegations.md).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, IntegerField, Q, Value, When
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from alliance.db import EncryptedTextField, PublicIdField
from events.models import Conference
from registration.models.admission import AttendanceMode
from registration.models.delegation import Delegation, DelegationCapacity
from registration.models.participant import IdentityKey, Participant, normalise_email


class MemberState(models.TextChoices):
    """Where a nomination stands."""

    NOMINATED = "nominated", _("Nominated, not answered yet")
    CONFIRMED = "confirmed", _("Confirmed by the member")
    DECLINED = "declined", _("Declined by the member")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REPLACED = "replaced", _("Replaced")


# Who counts against the quota. The trigger of registration.0007 counts the same set.
ACTIVE_STATES = frozenset({MemberState.NOMINATED, MemberState.CONFIRMED})


class Verification(models.TextChoices):
    """What the secretariat says about a nomination."""

    OPEN = "open", _("Not verified yet")
    VERIFIED = "verified", _("Verified")
    REFUSED = "refused", _("Refused")


def member_index(delegation_id: int, email: str) -> bytes:
    """The keyed hash by which a delegation's own member is found by address.

    It differs from that of a registration of one's own and from that of every other delegation: no comparison can hit
    a row that somebody else made.
    """
    return crypto.blind_index("delegation-member", f"{delegation_id}:{normalise_email(email)}")


@dataclass(frozen=True, slots=True)
class AsWritten:
    """What the delegation wrote itself about a member. name: empty where nobody knows any more what it was."""

    name: str
    function: str

    @property
    def shown(self) -> str:
        """The name for the delegation's pages, files and mails."""
        return self.name or str(_("(name not shown)"))


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships."""

    def active(self) -> Self:
        """Those that count against the quota."""
        return self.filter(state__in=ACTIVE_STATES)

    def shown(self) -> Self:
        """What the delegation sees: the members that stand, and those who declined; nobody who was taken down."""
        return self.exclude(state__in=[MemberState.WITHDRAWN, MemberState.REPLACED]).filter(
            participant__taken_down_at=None
        )

    def listed(self) -> Self:
        """Confirmed members who agreed to be named in the list of participants, not refused and not taken down.

        Nobody under an alias: below its own heading a delegation would see whose it is.
        """
        return self.filter(
            state=MemberState.CONFIRMED,
            listed_at__isnull=False,
            participant__taken_down_at=None,
            participant__has_alias=False,
        ).exclude(verification=Verification.REFUSED)

    def in_rank(self) -> Self:
        """Head, alternates, advisers, observers; then by the time of nomination."""
        order = [When(capacity=value, then=Value(rank)) for rank, value in enumerate(DelegationCapacity.values)]
        return self.order_by(Case(*order, output_field=IntegerField()), "nominated_at", "pk")


class Membership(models.Model):
    """One person nominated as a member of a delegation. The person is a participant of their own, made for this.

    Somebody who registered on their own as well has two rows, and nothing joins them: whoever reads the one cannot
    reach the other. Quotas are kept by the database (constraint name delegation_quota_is_kept).

    Towards the delegation a member stands as it wrote them (as_written), whatever the person does afterwards. It must
    never be shown Participant.display_name, which may be an alias that it does not know.
    """

    public_id = PublicIdField()
    delegation = models.ForeignKey(
        Delegation, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("delegation")
    )
    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, related_name="membership", verbose_name=_("participant")
    )
    # AsWritten under the person's key. None: the person is erased.
    sealed_as_written = models.BinaryField(null=True, editable=False)
    mode = models.CharField(_("attendance"), max_length=12, choices=AttendanceMode)
    capacity = models.CharField(_("capacity in the delegation"), max_length=12, choices=DelegationCapacity)
    state = models.CharField(_("state"), max_length=12, choices=MemberState, default=MemberState.NOMINATED)
    replaces = models.OneToOneField(
        "self", on_delete=models.SET_NULL, related_name="replaced_by", null=True, blank=True, verbose_name=_("replaces")
    )
    answer_version = models.PositiveSmallIntegerField(default=1, editable=False)
    answer_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    nominated_at = models.DateTimeField(_("nominated at"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    verification = models.CharField(_("verification"), max_length=12, choices=Verification, default=Verification.OPEN)
    verification_reason = models.CharField(_("reason"), max_length=250, blank=True)
    listed_at = models.DateTimeField(_("agreed to be listed at"), null=True, blank=True)
    listed_wording = models.CharField(_("wording agreed to"), max_length=20, blank=True)

    objects: ClassVar[MembershipQuerySet] = MembershipQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("member of a delegation")
        verbose_name_plural = _("members of delegations")
        constraints = [
            models.UniqueConstraint(
                name="delegation_has_one_head",
                fields=["delegation"],
                condition=Q(capacity=DelegationCapacity.HEAD, state__in=sorted(ACTIVE_STATES)),
            ),
            models.CheckConstraint(name="membership_state_is_known", condition=Q(state__in=MemberState.values)),
            models.CheckConstraint(name="membership_mode_is_known", condition=Q(mode__in=AttendanceMode.values)),
            models.CheckConstraint(
                name="membership_capacity_is_known", condition=Q(capacity__in=DelegationCapacity.values)
            ),
            models.CheckConstraint(
                name="membership_ends_at_a_time",
                condition=Q(state__in=sorted(ACTIVE_STATES), ended_at__isnull=True)
                | (~Q(state__in=sorted(ACTIVE_STATES)) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="membership_verification_is_known", condition=Q(verification__in=Verification.values)
            ),
            models.CheckConstraint(
                name="membership_is_refused_with_a_reason",
                condition=~Q(verification=Verification.REFUSED) | ~Q(verification_reason=""),
            ),
            models.CheckConstraint(
                name="membership_listed_with_wording",
                condition=Q(listed_at__isnull=True, listed_wording="")
                | (Q(listed_at__isnull=False) & ~Q(listed_wording="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} (#{self.pk})"

    @property
    def answer_token(self) -> str:
        """The secret of the link by which the member answers; only its hash is stored."""
        return crypto.derive_token("delegation-answer", str(self.public_id), str(self.answer_version))

    def seal_as_written(self, written: AsWritten, key: bytes) -> None:
        """Put what the delegation wrote under the person's key. The row must be saved by the caller."""
        self.sealed_as_written = crypto.seal(asdict(written), key=key, row=self._row)
        self.__dict__.pop("as_written", None)

    @cached_property
    def as_written(self) -> AsWritten:
        """How the delegation itself wrote this member. Needs participant with identity_key loaded.

        No opening of an identity: it tells the delegation what it said. Empty for who is erased, or where no key opens.
        """
        if self.sealed_as_written is None:
            return AsWritten("", "")
        try:
            key = crypto.unwrap_person_key(bytes(self.participant.identity_key.wrapped))
            return AsWritten(**crypto.unseal(bytes(self.sealed_as_written), key=key, row=self._row))
        except (IdentityKey.DoesNotExist, crypto.Unreadable):
            return AsWritten("", "")

    @property
    def _row(self) -> bytes:
        return b"membership" + self.public_id.bytes

    @property
    def is_active(self) -> bool:
        """Whether it counts against the quota."""
        return self.state in ACTIVE_STATES


class CredentialLetter(models.Model):
    """A letter by which a State or organisation names its delegation. Encrypted; only organisers read it."""

    MOST_BYTES: ClassVar[int] = 5_000_000

    public_id = PublicIdField()
    delegation = models.ForeignKey(
        Delegation, on_delete=models.CASCADE, related_name="letters", verbose_name=_("delegation")
    )
    content_type = models.CharField(_("content type"), max_length=40)
    size = models.PositiveIntegerField(_("size"))
    content = EncryptedTextField(_("content"))  # base64
    uploaded_at = models.DateTimeField(_("uploaded at"))
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("uploaded by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("credential letter")
        verbose_name_plural = _("credential letters")
        ordering: ClassVar[list[str]] = ["-uploaded_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.content_type} (#{self.pk})"


class ParticipantList(models.Model):
    """The list of participants by delegation of a conference, from the day it is final.

    entries: public ids of memberships with name, function and capacity as they were. Whoever takes their consent back
    or is erased is left out when it is read, so the frozen list never shows more than people agree to.
    """

    conference = models.OneToOneField(
        Conference, on_delete=models.CASCADE, primary_key=True, related_name="participant_list",
        verbose_name=_("conference"),
    )  # fmt: skip
    entries = models.JSONField(_("entries"), default=list, blank=True)
    final_at = models.DateTimeField(_("final since"), null=True, blank=True)
    is_published = models.BooleanField(_("published"), default=False)

    class Meta:
        verbose_name = _("list of participants")
        verbose_name_plural = _("lists of participants")

    def __str__(self) -> str:
        return f"list of participants (#{self.pk})"
