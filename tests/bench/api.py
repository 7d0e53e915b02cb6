"""The programme as the API gives it to programs, beside a trivial view of the same framework and size."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tests.bench import programme
from tests.house import House

if TYPE_CHECKING:
    from events.models import Conference

SESSIONS = 60
_PATH = "/api/v1/sessions/?conference={slug}&page_size=60&expand=contributions.organisation,contributions.country"
_ROUNDS_COLD = 10


def conference() -> Conference:
    """Three days of twenty sessions with four speakers each, published."""
    from events.releases import publishing
    from tests.factories import (
        NOW,
        ConferenceDayFactory,
        ConferenceFactory,
        ContributionFactory,
        ConvenorshipFactory,
        SegmentFactory,
        SessionFactory,
    )

    made: Conference = ConferenceFactory(slug="bench-api")
    for number in range(1, 4):
        day = ConferenceDayFactory(conference=made, number=number)
        for position in range(1, SESSIONS // 3 + 1):
            session = SessionFactory(conference=made, day=day, position=position)
            ConvenorshipFactory(session=session)
            ContributionFactory.create_batch(4, session=session, segment=SegmentFactory(session=session))
    publishing.publish(made, by=None, now=NOW, check=False)
    return made


def measure(running: House, made: Conference, options: argparse.Namespace) -> None:
    """Print the table."""
    meter = programme.Meter(running)
    get = meter.get
    path = _PATH.format(slug=made.slug)
    answer, body = get(path)
    if answer.status != 200:
        raise RuntimeError(f"the API answers {answer.status}")
    known = {"If-None-Match": answer.headers["ETag"] or ""}
    print(f"\nThe API: {SESSIONS} sessions with their speakers expanded, {len(body) / 1000:.0f} kB")
    values = meter.compare(
        {
            "trivial view of the framework, same size": lambda: get(f"/bench/api/{len(body)}/"),
            "programme list, warm": lambda: get(path),
            "programme list, 304": lambda: get(path, known),
        },
        options.pages // 3,
    )

    def forgotten() -> None:
        programme.change(made)
        get(path)

    cold = meter.cost(_ROUNDS_COLD, forgotten)
    programme.print_cost("programme list, cold", *cold, without=programme.LONGEST_OLD_VERSION)
    programme.print_ratio("warm list against the trivial view (aim: at least 0.6)", values[0], values[1])
