"""Where people meet on-line: the room on a platform behind a session or a whole conference."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import EncryptedTextField, PublicIdField
from events.models import Conference, Session


class Platform(models.TextChoices):
    """Platforms we can speak of. An adapter exists for those in video.adapters.ADAPTERS."""

    STATIC = "static", _("Fixed address")
    ZOOM_WEBINAR = "zoom_webinar", _("Zoom webinar")
    ZOOM_MEETING = "zoom_meeting", _("Zoom meeting")
    WEBEX = "webex", _("Webex")
    TEAMS = "teams", _("Microsoft Teams")
    BIGBLUEBUTTON = "bigbluebutton", _("BigBlueButton")
    JITSI = "jitsi", _("Jitsi")


class MeetingState(models.TextChoices):
    """Whether people can be let in."""

    PLANNED = "planned", _("Planned")
    READY = "ready", _("Ready")
    BROKEN = "broken", _("Broken")
    CANCELLED = "cancelled", _("Cancelled")


class MeetingQuerySet(models.QuerySet["Meeting"]):
    """Meetings on platforms."""

    def for_admission(self, *, conference_id: int, session_id: int | None) -> Self:
        """The meeting behind an on-line admission: the session's own, else none; for a conference, the conference's."""
        if session_id is None:
            return self.filter(conference_id=conference_id)
        return self.filter(session_id=session_id)


class Meeting(models.Model):
    """A room on a platform. Its addresses are secrets: encrypted at rest, shown to nobody, only redirected to."""

    public_id = PublicIdField()
    session = models.OneToOneField(
        Session, on_delete=models.CASCADE, related_name="meeting", null=True, blank=True, verbose_name=_("session")
    )
    conference = models.OneToOneField(
        Conference, on_delete=models.CASCADE, related_name="meeting", null=True, blank=True,
        verbose_name=_("conference"),
    )  # fmt: skip
    platform = models.CharField(_("platform"), max_length=16, choices=Platform, default=Platform.STATIC)
    state = models.CharField(_("state"), max_length=12, choices=MeetingState, default=MeetingState.PLANNED)
    host_account = models.CharField(_("host account"), max_length=120, blank=True)
    provider_id = models.CharField(_("id on the platform"), max_length=120, blank=True)
    address = EncryptedTextField(_("address"), blank=True)
    host_address = EncryptedTextField(_("address for hosts"), blank=True)
    passcode = EncryptedTextField(_("passcode"), blank=True)
    dial_in = EncryptedTextField(_("dial-in"), blank=True)
    allowed_hosts = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("hosts we may redirect to"),
    )  # fmt: skip
    opens_before = models.DurationField(_("opens before the start"), default=timedelta(minutes=15))
    opens_at = models.DateTimeField(
        _("opens at"), null=True, blank=True, help_text=_("Overrides the time before the start, for a rehearsal.")
    )
    closes_at = models.DateTimeField(
        _("closes at"), null=True, blank=True, help_text=_("Empty: when the session ends.")
    )
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects: ClassVar[MeetingQuerySet] = MeetingQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        constraints = [
            models.CheckConstraint(
                name="meeting_belongs_to_session_or_conference",
                condition=Q(session__isnull=True, conference__isnull=False)
                | Q(session__isnull=False, conference__isnull=True),
            ),
            models.CheckConstraint(name="meeting_platform_is_known", condition=Q(platform__in=Platform.values)),
            models.CheckConstraint(name="meeting_state_is_known", condition=Q(state__in=MeetingState.values)),
            models.CheckConstraint(name="meeting_closes_after_it_opens", condition=Q(closes_at__gt=F("opens_at"))),
            models.CheckConstraint(
                name="meeting_ready_has_address",
                condition=~Q(state=MeetingState.READY, platform=Platform.STATIC, address=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.platform} (#{self.pk})"

    def window(self, *, starts_at: datetime | None, ends_at: datetime | None) -> tuple[datetime, datetime] | None:
        """The half-open span in which the gateway lets people in; None while the time is not known.

        starts_at, ends_at: the span of the session or conference (aware).
        """
        opens = self.opens_at or (starts_at - self.opens_before if starts_at else None)
        closes = self.closes_at or ends_at
        return (opens, closes) if opens and closes else None
