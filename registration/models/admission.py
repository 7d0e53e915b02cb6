"""The right to attend one thing in one way, and the narrow row that counts its places."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.translated import TranslatedField
from events.models import Conference, ConferenceState, Country, CountryStatus, Organisation, Session, SessionState
from video.models import Meeting

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


LONGEST_CLAIM_HOURS = 336  # two weeks


class AttendanceMode(models.TextChoices):
    """How somebody attends."""

    IN_PERSON = "in_person", _("In person")
    ONLINE = "online", _("On-line")


class ApprovalMode(models.TextChoices):
    """Who decides."""

    AUTOMATIC = "automatic", _("Everybody is admitted")
    AUDIENCE = "audience", _("The audience is admitted, others wait for approval")
    MANUAL = "manual", _("An organiser approves everybody")
    INVITATION = "invitation", _("By invitation only")


class WaitingMode(models.TextChoices):
    """What happens when all places are taken."""

    DIRECT = "direct", _("Waiting list, promoted at once")
    OFFER = "offer", _("Waiting list, a place is offered for a time")
    NONE = "none", _("No waiting list")


class Category(models.TextChoices):
    """Who somebody comes as: fine enough for the report categories."""

    DELEGATION = "delegation", _("Delegation or State institution")
    INTERNATIONAL_ORGANISATION = "international_organisation", _("International organisation")
    EXECUTIVE_STRUCTURE = "executive_structure", _("OSCE executive structure")
    FIELD_OPERATION = "field_operation", _("OSCE field operation")
    CIVIL_SOCIETY = "civil_society", _("Civil society or NGO")
    SURVIVOR_NETWORK = "survivor_network", _("Survivor network")
    ACADEMIA = "academia", _("Academia")
    THINK_TANK = "think_tank", _("Think tank")
    BUSINESS = "business", _("Business")
    TRADE_UNION = "trade_union", _("Trade union")
    MEDIA = "media", _("Media")
    OTHER = "other", _("Other")


class AdmissionQuerySet(models.QuerySet["Admission"]):
    """Admissions."""

    def with_meeting(self) -> Self:
        """Together with what decides about the join link; the secret addresses stay in the database."""
        secret = ["address", "host_address", "passcode", "dial_in"]
        return self.select_related("conference__meeting", "session__meeting").defer(
            *[f"{owner}__meeting__{name}" for owner in ("conference", "session") for name in secret]
        )

    def public(self) -> Self:
        """Admissions to things strangers may see."""
        return self.filter(Q(session__isnull=True) | Q(session__in=Session.objects.public())).filter(
            conference__in=Conference.objects.public()
        )

    def in_form_order(self) -> Self:
        """The conference first, then its sessions in programme order."""
        return self.order_by(
            F("session__day__number").asc(nulls_first=True), F("session__position").asc(nulls_first=True), "mode", "pk"
        )


class Admission(models.Model):
    """The right to attend a conference or a session, in person or on-line. The places stand in Places."""

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="admissions", verbose_name=_("conference")
    )
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="admissions", null=True, blank=True, verbose_name=_("session"),
        help_text=_("Empty: the conference as a whole."),
    )  # fmt: skip
    mode = models.CharField(_("attendance"), max_length=12, choices=AttendanceMode, default=AttendanceMode.ONLINE)
    opens_at = models.DateTimeField(_("registration opens at"), null=True, blank=True)
    closes_at = models.DateTimeField(
        _("registration closes at"), null=True, blank=True, help_text=_("Empty: when the conference or session ends.")
    )
    is_closed = models.BooleanField(_("closed by hand"), default=False)
    approval = models.CharField(_("approval"), max_length=12, choices=ApprovalMode, default=ApprovalMode.AUTOMATIC)
    waiting = models.CharField(_("waiting list"), max_length=8, choices=WaitingMode, default=WaitingMode.DIRECT)
    claim_hours = models.PositiveSmallIntegerField(
        _("hours to answer"), default=24, db_default=24,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_CLAIM_HOURS)],
        help_text=_(
            "How long somebody may think about an offered place, or about which of two places at the same time to keep."
        ),
    )  # fmt: skip
    audience_categories = ArrayField(
        models.CharField(max_length=32, choices=Category), default=list, blank=True,
        verbose_name=_("audience: categories"),
    )  # fmt: skip
    audience_country_statuses = ArrayField(
        models.CharField(max_length=24, choices=CountryStatus), default=list, blank=True,
        verbose_name=_("audience: delegations of"),
    )  # fmt: skip
    audience_organisations = models.ManyToManyField(
        Organisation, related_name="+", blank=True, verbose_name=_("audience: organisations")
    )
    note = TranslatedField(_("note for participants"))

    objects: ClassVar[AdmissionQuerySet] = AdmissionQuerySet.as_manager()  # type: ignore[assignment]

    if TYPE_CHECKING:
        registrations: RelatedManager[Any]
        reserves: RelatedManager[Any]
        places: Places

    class Meta:
        verbose_name = _("admission")
        verbose_name_plural = _("admissions")
        constraints = [
            models.UniqueConstraint(
                name="admission_unique_per_thing_and_mode",
                fields=["conference", "session", "mode"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="admission_mode_is_known", condition=Q(mode__in=AttendanceMode.values)),
            models.CheckConstraint(name="admission_approval_is_known", condition=Q(approval__in=ApprovalMode.values)),
            models.CheckConstraint(name="admission_waiting_is_known", condition=Q(waiting__in=WaitingMode.values)),
            models.CheckConstraint(
                name="admission_claim_hours_are_between_1_and_336",
                condition=Q(claim_hours__range=(1, LONGEST_CLAIM_HOURS)),
            ),
            models.CheckConstraint(name="admission_closes_after_it_opens", condition=Q(closes_at__gt=F("opens_at"))),
            models.CheckConstraint(
                name="admission_audience_categories_are_known",
                condition=Q(audience_categories__contained_by=Category.values),
            ),
            models.CheckConstraint(
                name="admission_audience_statuses_are_known",
                condition=Q(audience_country_statuses__contained_by=CountryStatus.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode} (#{self.pk})"

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """Start and end of what is attended, as far as known. Needs the session loaded where there is one."""
        return (self.session.starts_at, self.session.ends_at) if self.session is not None else (None, None)

    @property
    def meeting(self) -> Meeting | None:
        """The meeting behind an on-line admission, if it has been set up. Needs it loaded (with_meeting)."""
        if self.mode != AttendanceMode.ONLINE:
            return None
        return getattr(self.session or self.conference, "meeting", None)

    @property
    def join_window(self) -> tuple[datetime, datetime] | None:
        """When the join link lets people in; None while the time is not known or attendance is in person."""
        if self.mode != AttendanceMode.ONLINE:
            return None
        starts_at, ends_at = self.span
        return (self.meeting or Meeting()).window(starts_at=starts_at, ends_at=ends_at)

    @property
    def is_cancelled(self) -> bool:
        """Whether what it admits to does not take place. Needs conference and session loaded."""
        if self.session is not None and self.session.state == SessionState.CANCELLED:
            return True
        return self.conference.state == ConferenceState.CANCELLED

    def may_promote(self, now: datetime) -> bool:
        """Whether a freed place still helps somebody: until registration has closed and the thing has begun.

        Never into what is cancelled. Needs conference and session loaded.
        """
        if self.is_cancelled:
            return False
        return self.promotes_until is None or now < self.promotes_until

    @property
    def promotes_until(self) -> datetime | None:
        """The instant from which a freed place helps nobody any more, as far as known. Needs what may_promote needs."""
        begins = self.session.starts_at if self.session is not None else self.conference.ends_at
        return max((limit for limit in (begins, self.closes_at) if limit is not None), default=None)

    def offer_expires_at(self, now: datetime) -> datetime:
        """Until when a place offered at the instant may be claimed: the window, or as long as it helps somebody."""
        expires_at = now + timedelta(hours=self.claim_hours)
        return expires_at if self.promotes_until is None else min(expires_at, self.promotes_until)

    def clashes_with(self, other: Admission) -> bool:
        """Whether nobody can attend both: the same thing in the other way, or another at the same time.

        Spans are half-open: what begins when the other ends does not clash. What is cancelled clashes with nothing.
        Needs conference and session of both loaded.
        """
        if self.pk == other.pk or self.is_cancelled or other.is_cancelled:
            return False
        if (self.conference_id, self.session_id) == (other.conference_id, other.session_id):
            return True
        (starts, ends), (other_starts, other_ends) = self.span, other.span
        if starts is None or ends is None or other_starts is None or other_ends is None:
            return False
        return starts < other_ends and other_starts < ends

    def is_over(self, now: datetime) -> bool:
        """Whether nothing is left to attend or cancel: it has ended, and so has registration where that goes on longer.

        Something without a known end is not over. Needs conference and session loaded.
        """
        ends_at = self.session.ends_at if self.session is not None else self.conference.ends_at
        return ends_at is not None and max(ends_at, self.closes_at or ends_at) <= now

    def is_open(self, now: datetime) -> bool:
        """Whether anybody may register at the instant. Needs conference and session loaded."""
        return self.approval != ApprovalMode.INVITATION and self.is_open_to_invited(now)

    def is_open_to_invited(self, now: datetime) -> bool:
        """Whether somebody with a live invitation to it may register at the instant. Needs what is_open needs."""
        if self.is_closed or (self.opens_at and now < self.opens_at):
            return False
        if self.is_cancelled:
            return False
        closes = self.closes_at or self.span[1] or self.conference.ends_at
        return closes is None or now < closes

    def admits(self, *, category: str, country: Country | None, organisation_id: int | None) -> bool:
        """Whether the audience rule lets somebody in without approval.

        An audience with nothing set admits nobody without approval. Delegations are admitted by the standing of their
        country, others by category or by a named organisation. Needs audience_organisations prefetched.
        """
        if self.approval in {ApprovalMode.MANUAL, ApprovalMode.INVITATION}:
            return False
        if self.approval == ApprovalMode.AUTOMATIC:
            return True
        if category == Category.DELEGATION:
            if country is not None and country.status in self.audience_country_statuses:
                return True
        elif category in self.audience_categories:
            return True
        named = {organisation.pk for organisation in self.audience_organisations.all()}
        return organisation_id is not None and organisation_id in named


class Places(models.Model):
    """How many places an admission has and how many are gone.

    Narrow on purpose, and no foreign key points at it: it is the row everybody waits for. taken, waiting, held and
    next_position are kept by database triggers on registrations and reserves and cannot be set by hand; triggers refuse
    any increase of taken above capacity (constraint name places_not_oversold), and a seat for everybody that a reserve
    holds back (places_kept_for_reserves), from whatever path it comes. Lowering the capacity below taken is legal and
    stops new places. Rows are made by a trigger when an admission is made.
    """

    admission = models.OneToOneField(
        Admission, on_delete=models.CASCADE, primary_key=True, related_name="places", verbose_name=_("admission")
    )
    capacity = models.PositiveIntegerField(_("capacity"), null=True, blank=True, help_text=_("Empty: no limit."))
    taken = models.PositiveIntegerField(_("taken"), default=0, editable=False)
    waiting = models.PositiveIntegerField(_("waiting"), default=0, editable=False)
    held = models.PositiveIntegerField(
        _("held back by reserves"), default=0, db_default=0, editable=False
    )  # what their seats that nobody has yet come to
    next_position = models.PositiveBigIntegerField(_("next position"), default=1, editable=False)

    class Meta:
        verbose_name = _("places")
        verbose_name_plural = _("places")

    def __str__(self) -> str:
        return f"{self.taken} of {self.capacity}"

    @property
    def left(self) -> int | None:
        """Free places for everybody; None without a limit; 0 while others wait, since the next free place is theirs.

        Seats that reserves hold back are not among them; that one of those is taken does not show here.
        """
        if self.capacity is None:
            return None
        return 0 if self.waiting else max(self.capacity - self.taken - self.held, 0)
