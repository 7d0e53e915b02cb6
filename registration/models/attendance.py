"""Who was there: codes for the door, check-ins, and certificates of attendance."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from events.models import Conference, Room, Session
from registration.models.participant import Participant
from registration.models.registration import Registration

# Crockford's alphabet: no I, L, O and U, so that nothing is misread or spells a word; 32 signs are 5 bits each.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_MOST_TYPED = 60  # signs that are looked at; longer is no code


def code_from(token: str, *, length: int) -> str:
    """The first signs of a derived token as a code that people can read out and type. length: signs of 5 bits."""
    number = int.from_bytes(crypto.token_hash(token), "big")
    return "".join(ALPHABET[(number >> 5 * at) % 32] for at in range(length))


def grouped(code: str, *, size: int) -> str:
    """The code as printed, in groups with hyphens between them."""
    return "-".join(code[at : at + size] for at in range(0, len(code), size))


def as_typed(typed: str, *, length: int) -> str:
    """A code in the form it is compared in, however it was typed; empty when it cannot be one."""
    plain = "".join(sign for sign in typed[:_MOST_TYPED].upper() if sign not in "- \t\r\n.").translate(_MISREAD)
    return plain if len(plain) == length and set(plain) <= set(ALPHABET) else ""


class DoorCode(models.Model):
    """The code by which a participant is let in, on paper as a QR code and as ten letters and digits.

    It opens nothing by itself: only stewards who are signed in can use it. The code is derived anew whenever it is
    shown; stored is a keyed hash, which covers the conference too. version is raised when two codes meet.
    """

    LENGTH = 10  # 50 bits

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, primary_key=True, related_name="door_code", verbose_name=_("participant")
    )
    version = models.PositiveSmallIntegerField(default=1, editable=False)
    code_index = models.BinaryField(max_length=32, unique=True, editable=False)

    class Meta:
        verbose_name = _("code for the door")
        verbose_name_plural = _("codes for the door")

    def __str__(self) -> str:
        return f"code of #{self.pk}"

    @staticmethod
    def index(conference_id: int, code: str) -> bytes:
        """What is stored of a code of the conference."""
        return crypto.blind_index("door-code", f"{conference_id}:{code}")

    @classmethod
    def of(cls, participant: Participant, *, version: int) -> Self:
        """An unsaved row for the participant."""
        row = cls(participant=participant, version=version)
        row.code_index = cls.index(participant.conference_id, row.code)
        return row

    @property
    def code(self) -> str:
        """The code itself. Needs the participant loaded."""
        token = crypto.derive_token("door-code", str(self.participant.public_id), str(self.version))
        return code_from(token, length=self.LENGTH)


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    """Check-ins."""

    def standing(self) -> Self:
        """Those that were not undone."""
        return self.filter(undone_at__isnull=True)

    def at_door(self, *, conference_id: int, session_id: int | None, on_day: date) -> Self:
        """Those at one door: of a session, or of the entrance on one day."""
        if session_id is not None:
            return self.filter(conference_id=conference_id, session_id=session_id)
        return self.filter(conference_id=conference_id, session__isnull=True, on_day=on_day)


class CheckIn(models.Model):
    """Somebody was let in: at the entrance of the conference (no session) on a day, or to a session.

    A row stands for one entry of one person; a second look at the same code makes no second one. What was done by
    mistake is undone and stays as a row. nonce comes from the device, so that a repeated request finds its own row.
    """

    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="check_ins", verbose_name=_("conference")
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="check_ins", verbose_name=_("participant")
    )
    registration = models.ForeignKey(
        Registration, on_delete=models.CASCADE, related_name="check_ins", verbose_name=_("registration")
    )
    session = models.ForeignKey(
        Session, on_delete=models.PROTECT, related_name="check_ins", null=True, blank=True, verbose_name=_("session")
    )
    room = models.ForeignKey(
        Room, on_delete=models.SET_NULL, related_name="+", null=True, blank=True, verbose_name=_("room")
    )
    on_day = models.DateField(_("day"), help_text=_("On the venue's calendar."))
    at = models.DateTimeField(_("at"), help_text=_("When the code was read, by the device that read it."))
    received_at = models.DateTimeField(_("received at"))
    nonce = models.UUIDField(unique=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("by"),
    )  # fmt: skip
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("undone by"),
    )  # fmt: skip

    objects: ClassVar[CheckInQuerySet] = CheckInQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("check-in")
        verbose_name_plural = _("check-ins")
        constraints = [
            models.UniqueConstraint(
                name="check_in_once_per_session",
                fields=["session", "participant"],
                condition=Q(session__isnull=False, undone_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="check_in_once_per_day_at_the_entrance",
                fields=["conference", "on_day", "participant"],
                condition=Q(session__isnull=True, undone_at__isnull=True),
            ),
            models.CheckConstraint(
                name="check_in_is_undone_after_it_came", condition=Q(undone_at__gte=F("received_at"))
            ),
            models.CheckConstraint(
                name="check_in_undone_by_needs_a_time", condition=Q(undone_by__isnull=True) | Q(undone_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"check-in (#{self.pk})"


class Certificate(models.Model):
    """A certificate of attendance that was given out, so that whoever is shown it can have its code confirmed.

    What it says is read from the check-ins each time; only the keyed hash of its code is stored.
    """

    LENGTH = 16  # 80 bits: whoever knows the code has seen the certificate

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, primary_key=True, related_name="certificate",
        verbose_name=_("participant"),
    )  # fmt: skip
    code_index = models.BinaryField(max_length=32, unique=True, editable=False)
    issued_at = models.DateTimeField(_("issued at"))

    class Meta:
        verbose_name = _("certificate of attendance")
        verbose_name_plural = _("certificates of attendance")

    def __str__(self) -> str:
        return f"certificate of #{self.pk}"

    @staticmethod
    def code_of(participant: Participant) -> str:
        """The code on a participant's certificate."""
        return code_from(crypto.derive_token("certificate", str(participant.public_id)), length=Certificate.LENGTH)

    @staticmethod
    def index(code: str) -> bytes:
        """What is stored of a code."""
        return crypto.blind_index("certificate", code)
