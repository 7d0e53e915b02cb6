"""Who may act: users who sign in by e-mail, their role per conference, API tokens, and the audit trail."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import Access
from accounts.role_kinds import RoleKind as RoleKind
from accounts.safe_models import Safe as Safe
from accounts.safe_models import SafeKeeper as SafeKeeper
from accounts.safe_models import SafeOpening as SafeOpening
from alliance.db import PublicIdField


class UserManager(BaseUserManager["User"]):
    """Makes users; the e-mail address is the log-in name and is compared without regard to case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user who can sign in. Without a password they must set one by mail first."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An administrator of the whole house."""
        return self.create_user(email, password, **(fields | {"is_staff": True, "is_superuser": True}))

    def get_by_natural_key(self, username: str | None) -> User:
        """Find by address without regard to case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: organiser, convenor, focal point, desk. Participants need no account."""

    public_id = PublicIdField()
    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    is_staff = models.BooleanField(_("may open the admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined at"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_is_unique",
                violation_error_message=_("A user with this e-mail address exists already."),
            ),
            models.CheckConstraint(
                name="user_language_is_known", condition=Q(language__in=[code for code, _name in settings.LANGUAGES])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.email} (#{self.pk})"

    def get_full_name(self) -> str:
        """The name as given."""
        return self.name

    def get_short_name(self) -> str:
        """What the admin greets with."""
        return self.name or self.email

    @cached_property
    def access(self) -> Access:
        """What the user may do and where, by permissions and roles. Read once, like Django's own permissions."""
        return Access(self)

    def may_open_admin(self) -> bool:
        """Whether the admin is open to the user: to staff, and to everybody who has a role at a conference."""
        return self.is_active and (self.is_staff or self.access.has_roles)


class Role(models.Model):
    """What one user is at one conference; without a conference, at all of them. A convenor is one of a side event.

    What a role allows stands in accounts.permissions.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="roles", verbose_name=_("user"))
    conference = models.ForeignKey(
        "events.Conference",
        on_delete=models.CASCADE,
        related_name="roles",
        null=True,
        blank=True,
        verbose_name=_("conference"),
        help_text=_("Empty: at every conference."),
    )
    session = models.ForeignKey(
        "events.Session",
        on_delete=models.CASCADE,
        related_name="roles",
        null=True,
        blank=True,
        verbose_name=_("side event"),
        help_text=_("For convenors only, instead of a conference."),
    )
    kind = models.CharField(_("role"), max_length=16, choices=RoleKind)
    may_see_contacts = models.BooleanField(
        _("may read e-mail addresses"),
        default=False,
        help_text=_("For convenors: addresses of people registered for the side event. Aliases stay protected."),
    )
    granted_at = models.DateTimeField(_("granted at"), auto_now_add=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                name="role_held_once", fields=["user", "conference", "session", "kind"], nulls_distinct=False
            ),
            models.CheckConstraint(name="role_kind_is_known", condition=Q(kind__in=RoleKind.values)),
            models.CheckConstraint(
                name="role_of_convenor_is_at_a_session",
                condition=Q(kind=RoleKind.CONVENOR, session__isnull=False, conference__isnull=True)
                | (~Q(kind=RoleKind.CONVENOR) & Q(session__isnull=True, may_see_contacts=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"


class ApiToken(models.Model):
    """A key for a program. Only its hash is stored; the prefix tells people which one it is."""

    public_id = PublicIdField()
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("owner"))
    label = models.CharField(_("label"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=12)
    secret_hash = models.BinaryField(_("hash of the secret"), max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        constraints = [
            models.CheckConstraint(
                name="api_token_expires_after_creation", condition=Q(expires_at__gt=F("created_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… (#{self.pk})"


class ActorKind(models.TextChoices):
    """Who a change goes back to."""

    ORGANISER = "organiser", _("Organiser")
    PARTICIPANT = "participant", _("Participant")
    DELEGATION = "delegation", _("Delegation")
    SYSTEM = "system", _("The system")


class AuditEntry(models.Model):
    """One change that must be accounted for, written in the transaction that made it.

    It names rows by their public ids and holds no personal data, so that erasing a person needs no change here.
    """

    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("who"), max_length=16, choices=ActorKind)
    actor_user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("user")
    )
    action = models.CharField(_("action"), max_length=60)
    about_kind = models.CharField(_("kind of row"), max_length=40)
    about_id = models.UUIDField(_("public id"))
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes = [models.Index(name="audit_about", fields=["about_id", "at"])]
        constraints = [
            models.CheckConstraint(name="audit_actor_kind_is_known", condition=Q(actor_kind__in=ActorKind.values)),
        ]

    def __str__(self) -> str:
        return f"{self.action} (#{self.pk})"


class AttemptCount(models.Model):
    """How often somebody tried a password, a code or a reset in one span of time. accounts.attempts says how many.

    who is a keyed hash of an account, an address, or both: nothing here can be read back.
    """

    limit = models.CharField(max_length=30)
    who = models.BinaryField(max_length=32)
    starts_at = models.DateTimeField()
    used = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="attempt_count_once_per_span", fields=["limit", "who", "starts_at"]),
        ]
        indexes = [models.Index(name="attempt_count_starts_at", fields=["starts_at"])]

    def __str__(self) -> str:
        return f"{self.limit} (#{self.pk})"


class FactorReset(models.Model):
    """The wish that somebody who lost their second factor may set up a new one. It takes two administrators."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factor_resets", verbose_name=_("user"))
    asked_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked at"))
    confirmed_by = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("confirmed by")
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reset of a second factor")
        verbose_name_plural = _("resets of second factors")
        constraints = [
            models.UniqueConstraint(name="factor_reset_one_open", fields=["user"], condition=Q(closed_at=None)),
            models.CheckConstraint(
                name="factor_reset_takes_two_others",
                condition=~Q(asked_by=F("user"))
                & (
                    Q(confirmed_by=None)
                    | Q(closed_at__isnull=False) & ~Q(confirmed_by=F("asked_by")) & ~Q(confirmed_by=F("user"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"reset (#{self.pk})"
