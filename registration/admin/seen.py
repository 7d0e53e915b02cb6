"""What a form on a page of a conference was opened with, compared before it is saved.

For forms that no model's admin makes (docs/decisions/0013-seen-values.md); those have alliance.admin.versions.
"""

from __future__ import annotations

import hashlib

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

FIELD = "seen"
CHANGED = _("Somebody else has changed this meanwhile. Nothing was saved; you see it as it is now.")
CHANGED_BELOW = _(
    "Somebody else has changed this meanwhile. Nothing was saved, and what you typed is still here: look at the page in"
    " another window, then save it once more if it is to count."
)


def stamp(*facts: object) -> str:
    """Says how things stand; for the hidden field. facts: plain values in an order that stays."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def is_stale(request: HttpRequest, now: str) -> bool:
    """Whether the form that was sent was opened with something else. One sent without the field is not compared."""
    sent = request.POST.get(FIELD)
    return sent is not None and sent != now
