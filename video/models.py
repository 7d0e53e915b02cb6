"""Where people meet on-line: the room on a platform behind a session or a whole conference."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from alliance.db import EncryptedTextField, PublicIdField
from events.models import Conference, Session


class Platform(models.TextChoices):
    """Platforms we can speak of. video.adapters has one adapter for each."""

    STATIC = "static", _("Fixed address")
    ZOOM_WEBINAR = "zoom_webinar", _("Zoom webinar")
    ZOOM_MEETING = "zoom_meeting", _("Zoom meeting")
    WEBEX = "webex", _("Webex meeting")
    WEBEX_WEBINAR = "webex_webinar", _("Webex webinar")
    TEAMS = "teams", _("Microsoft Teams webinar")
    BIGBLUEBUTTON = "bigbluebutton", _("BigBlueButton")
    JITSI = "jitsi", _("Jitsi")


class Service(models.TextChoices):
    """Who runs a platform. Each has accounts, credentials and a way out of the outbox of its own."""

    ZOOM = "zoom", "Zoom"
    WEBEX = "webex", "Webex"
    TEAMS = "teams", "Microsoft Teams"
    BIGBLUEBUTTON = "bbb", "BigBlueButton"
    JITSI = "jitsi", "Jitsi"


SERVICE_OF: dict[str, Service] = {
    Platform.ZOOM_WEBINAR: Service.ZOOM,
    Platform.ZOOM_MEETING: Service.ZOOM,
    Platform.WEBEX: Service.WEBEX,
    Platform.WEBEX_WEBINAR: Service.WEBEX,
    Platform.TEAMS: Service.TEAMS,
    Platform.BIGBLUEBUTTON: Service.BIGBLUEBUTTON,
    Platform.JITSI: Service.JITSI,
}

# Where people are entered one by one and each gets an address of their own. Elsewhere the address is one for all, or
# computed at the click.
WITH_REGISTRANTS = frozenset(
    {Platform.ZOOM_WEBINAR, Platform.ZOOM_MEETING, Platform.WEBEX, Platform.WEBEX_WEBINAR, Platform.TEAMS}
)


class Fallback(models.TextChoices):
    """What somebody gets who has no personal address on the platform when they click."""

    WAIT = "wait", _("A page that asks them to wait")
    SHARED = "shared", _("The address that is the same for everybody")


class MeetingState(models.TextChoices):
    """Whether people can be let in."""

    PLANNED = "planned", _("Planned")
    READY = "ready", _("Ready")
    BROKEN = "broken", _("Broken")
    CANCELLED = "cancelled", _("Cancelled")


class HostAccount(models.Model):
    """An account on a platform under which meetings are held.

    The credentials stand in the environment (docs/operations.md): the variables that begin with `variables`, such as
    ZOOM_ACCOUNT_ID; or in `credentials`, one NAME=value a line, encrypted, which win.
    """

    public_id = PublicIdField()
    service = models.CharField(_("platform"), max_length=12, choices=Service)
    label = models.CharField(_("name"), max_length=80)
    is_active = models.BooleanField(_("in use"), default=True)
    host = models.CharField(
        _("host"), max_length=200, blank=True,
        help_text=_("The user of the platform who holds the meetings: an id or a work address."),
    )  # fmt: skip
    variables = models.CharField(
        _("variables begin with"), max_length=40, blank=True,
        help_text=_("Of the environment, with the credentials. Empty: the name of the platform, such as ZOOM."),
    )  # fmt: skip
    credentials = EncryptedTextField(_("credentials"), blank=True)
    meetings_overlap = models.BooleanField(
        _("several meetings at a time"), default=False, help_text=_("Only if the licence allows it.")
    )
    daily_changes = models.PositiveIntegerField(
        _("meetings made or changed a day"), default=100, help_text=_("At most, by days of UTC.")
    )
    daily_registrants = models.PositiveIntegerField(
        _("people entered a day"), default=10000, help_text=_("At most, by days of UTC.")
    )
    own_languages = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("further interpretation languages"),
        help_text=_("Codes of languages that were added to the account, such as it."),
    )  # fmt: skip
    # Set when the platform says that the account asked for too much of one kind: until then it is not asked for more.
    changes_rest_until = models.DateTimeField(null=True, blank=True, editable=False)
    registrants_rest_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("host account")
        verbose_name_plural = _("host accounts")
        constraints = [
            models.UniqueConstraint(name="host_account_label_unique", fields=["service", "label"]),
            models.CheckConstraint(name="host_account_service_is_known", condition=Q(service__in=Service.values)),
        ]

    def __str__(self) -> str:
        return f"{self.label} (#{self.pk})"


class HostUse(models.Model):
    """What a host account has used up of its budget on a day of UTC."""

    account = models.ForeignKey(HostAccount, on_delete=models.CASCADE, related_name="uses")
    day = models.DateField()
    changes = models.PositiveIntegerField(default=0)
    registrants = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("use of a host account")
        verbose_name_plural = _("use of host accounts")
        constraints = [models.UniqueConstraint(name="host_use_once_a_day", fields=["account", "day"])]

    def __str__(self) -> str:
        return f"{self.day} (#{self.pk})"


class AccessToken(models.Model):
    """A platform's token, one for all workers: fetching a second one may make the first worthless.

    name: a hash of whose token it is. version rises with each token. Who fetches a new one has the row until
    fetching_until; nobody holds a lock meanwhile. failed_until: nobody asks again before, the platform said no.
    """

    name = models.CharField(max_length=64, unique=True)
    value = EncryptedTextField(blank=True)
    api_url = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=0)
    fetching_until = models.DateTimeField(null=True)
    failed_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return f"version {self.version} (#{self.pk})"


class PlatformPrivacy(models.Model):
    """What the platforms may learn of the people of a conference. Without a row: display name and address.

    Somebody with an alias never appears with their own address, whatever stands here.
    """

    conference = models.OneToOneField(
        Conference, on_delete=models.CASCADE, related_name="platform_privacy", verbose_name=_("conference")
    )
    hides_people = models.BooleanField(
        _("hide people from the platforms"), default=True,
        help_text=_("Platforms get a number instead of a name, and an address made up by us."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("what platforms learn")
        verbose_name_plural = _("what platforms learn")

    def __str__(self) -> str:
        return f"#{self.pk}"


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
    account = models.ForeignKey(
        HostAccount, on_delete=models.PROTECT, related_name="meetings", null=True, blank=True,
        verbose_name=_("host account"), help_text=_("Empty: one that is free at the time is chosen."),
    )  # fmt: skip
    fallback = models.CharField(
        _("without a personal address"), max_length=8, choices=Fallback, default=Fallback.WAIT,
        help_text=_("What people get while the platform has not entered them."),
    )  # fmt: skip
    generation = models.PositiveSmallIntegerField(default=0, editable=False)  # rises with each room made anew
    revision = models.PositiveIntegerField(default=0, editable=False)  # rises with each order to the platform
    ordered = models.CharField(max_length=64, blank=True, editable=False)  # fingerprint of what was ordered last
    made = models.CharField(max_length=64, blank=True, editable=False)  # fingerprint of what the platform has
    is_unsure = models.BooleanField(default=False, editable=False)  # asked to be made; whether it was, is not known
    made_starts_at = models.DateTimeField(null=True, editable=False)
    made_ends_at = models.DateTimeField(null=True, editable=False)
    # Of the interpretation that the platform was asked for when it made the room; None where nobody wrote it down.
    made_languages = ArrayField(models.CharField(max_length=8), null=True, editable=False)
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
    began_at = models.DateTimeField(_("began at"), null=True, blank=True, editable=False)  # as the platform told us
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)
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

    @property
    def service(self) -> Service | None:
        """Who runs it; None for a fixed address."""
        return SERVICE_OF.get(self.platform)

    @property
    def has_registrants(self) -> bool:
        """Whether people are entered one by one and get addresses of their own."""
        return self.platform in WITH_REGISTRANTS

    @property
    def key(self) -> str:
        """What the platform knows it by as ours. Nobody guesses it; it names the room where rooms have names."""
        return crypto.token_hash(crypto.derive_token("meeting", str(self.public_id), str(self.generation))).hex()[:32]

    def window(self, *, starts_at: datetime | None, ends_at: datetime | None) -> tuple[datetime, datetime] | None:
        """The half-open span in which the gateway lets people in; None while the time is not known.

        starts_at, ends_at: the span of the session or conference (aware).
        """
        opens = self.opens_at or (starts_at - self.opens_before if starts_at else None)
        closes = self.closes_at or ends_at
        return (opens, closes) if opens and closes else None


class RegistrantState(models.TextChoices):
    """Where somebody stands with the platform."""

    WANTED = "wanted", _("To be entered")
    SENDING = "sending", _("Being entered")
    ADDED = "added", _("Entered")
    REFUSED = "refused", _("Not taken by the platform")
    REMOVED = "removed", _("Taken out")


class Registrant(models.Model):
    """Somebody in a meeting on a platform.

    person_id: the public id of the registration, which this app knows nothing else of. provider_meeting: the meeting on
    the platform that the rest speaks of; when it is another one than the meeting has now, the rest is void. SENDING
    with busy_until passed means that the outcome is not known: look before adding. relay: the address the platform
    knows them by when that is not their own. join_url is a secret like a password. mark: a keyed hash of the address
    the platform knows them by, for platforms that name people by it. joined_at, left_at: as the platform says.
    """

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="registrants")
    person_id = models.UUIDField()
    state = models.CharField(max_length=12, choices=RegistrantState, default=RegistrantState.WANTED)
    provider_meeting = models.CharField(max_length=120, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)
    join_url = EncryptedTextField(blank=True)
    relay = EncryptedTextField(blank=True)
    busy_until = models.DateTimeField(null=True)
    adds_on = models.DateField(null=True)
    adds = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    mark = models.BinaryField(max_length=32, null=True)
    joined_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("person on a platform")
        verbose_name_plural = _("people on platforms")
        constraints = [
            models.UniqueConstraint(name="registrant_once_per_meeting", fields=["meeting", "person_id"]),
            models.CheckConstraint(name="registrant_state_is_known", condition=Q(state__in=RegistrantState.values)),
        ]
        indexes = [
            models.Index(name="registrant_person", fields=["person_id"]),
            models.Index(name="registrant_provider", fields=["provider_meeting", "provider_id"]),
            models.Index(name="registrant_mark", fields=["provider_meeting", "mark"], condition=Q(mark__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.state} (#{self.pk})"


class PlatformEvent(models.Model):
    """Something a platform told us. It holds ids and times, no name and no address.

    mark: a keyed hash of what was sent, by which the same is known again. person: a keyed hash of the address somebody
    was entered with, where the platform names no registrant.
    """

    public_id = PublicIdField()
    account = models.ForeignKey(HostAccount, on_delete=models.CASCADE, related_name="events")
    mark = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=12)
    provider_meeting = models.CharField(max_length=120)
    provider_id = models.CharField(max_length=120, blank=True)
    person = models.BinaryField(max_length=32, null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = _("event of a platform")
        verbose_name_plural = _("events of platforms")
        constraints = [models.UniqueConstraint(name="platform_event_once", fields=["account", "mark"])]
        indexes = [models.Index(name="platform_event_age", fields=["received_at"])]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"
