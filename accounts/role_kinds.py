"""The kinds of roles: a module of its own, since the table of rights and the models both name them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RoleKind(models.TextChoices):
    """What somebody is at a conference. accounts.permissions says what each of them may do."""

    ADMINISTRATOR = "administrator", _("Administrator")
    ORGANISER = "organiser", _("Organiser")
    EDITOR = "editor", _("Programme editor")
    DESK = "desk", _("Registration desk")
    CONFIDENTIAL = "confidential", _("Reader of confidential answers")
    PROTECTION = "protection", _("Protection officer")
    COMMUNICATIONS = "communications", _("Communications")
    STEWARD = "steward", _("Check-in steward")
    MODERATOR = "moderator", _("Moderator")
    INTERPRETER = "interpreter", _("Interpreter")
    CONVENOR = "convenor", _("Convenor of a side event")
    VIEWER = "viewer", _("Viewer")
