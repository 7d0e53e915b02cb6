"""Releases as the public sees them. Call these while reading what is published."""

from __future__ import annotations

from events.models import Conference
from events.releases import wording
from events.releases.wording import ChangeList

MOST_SHOWN = 50


def change_lists(conference: Conference) -> list[ChangeList]:
    """What the releases of a public conference changed, the newest first: 5 queries at most.

    The first release changed nothing; it is there with an empty list. Feeds and the page of changes are made of this.
    """
    releases = list(conference.releases.newest_first()[:MOST_SHOWN])
    return wording.change_lists(conference, releases)
