"""A conference with one panel that has no faults."""

from __future__ import annotations

import pytest

from events.models import Conference, Session
from speakers.models import Role
from tests.factories import ConferenceFactory, ContributionFactory, RoomFactory, SessionFactory, SideEventFactory


@pytest.fixture
def conference(db: None) -> Conference:
    """A conference that has a working language, 15 to 17 July 2030."""
    made: Conference = ConferenceFactory(slug="checked", working_languages=["en"])
    return made


@pytest.fixture
def panel(conference: Conference) -> Session:
    """A panel without faults: 09:00 to 10:00 UTC on the first day, with a moderator."""
    made: Session = SessionFactory(conference=conference, key="panel", title={"en": "The panel"})
    ContributionFactory(session=made, role=Role.MODERATOR)
    return made


@pytest.fixture
def side(conference: Conference) -> Session:
    """A side event with its own form in a room with 100 seats."""
    made: Session = SideEventFactory(conference=conference, key="side", room=RoomFactory(name={"en": "Hall"}))
    return made
