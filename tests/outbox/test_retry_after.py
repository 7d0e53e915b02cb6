"""Retry-After in all forms, and in none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.retry_after import MOST, retry_at

NOW = datetime(2030, 7, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", NOW + timedelta(seconds=120)),
        (" 1.5 ", NOW + timedelta(seconds=1.5)),
        ("0", NOW),
        ("Tue, 02 Jul 2030 09:30:00 GMT", NOW + timedelta(minutes=30)),
        ("Tuesday, 02-Jul-30 09:30:00 GMT", NOW + timedelta(minutes=30)),
        ("Tue Jul  2 09:30:00 2030", NOW + timedelta(minutes=30)),
        ("2030-07-02T10:00:00Z", NOW + timedelta(hours=1)),
        ("2030-07-02T12:00:00+02:00", NOW + timedelta(hours=1)),
        ("2030-07-02T10:00:00", NOW + timedelta(hours=1)),
        ("2030-07-03T00:00:00.000Z", NOW + timedelta(hours=15)),
        ("2029-01-01T00:00:00Z", NOW),  # a clock that is behind does not make us hammer
        ("999999999", NOW + MOST),  # nor one that is ahead stop us for years
        ("2099-01-01T00:00:00Z", NOW + MOST),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("1e9", None),
        ("٣", None),
        ("2030-13-99T99:99:99Z", None),
        ("1" * 100, None),
    ],
)
def test_retry_at_of_each_form(value: str | None, expected: datetime | None) -> None:
    assert retry_at(value, now=NOW) == expected


@given(st.text(max_size=80) | st.from_regex(r"[0-9T:Z+ .,A-Za-z-]{1,40}", fullmatch=True))
def test_retry_at_of_anything_stays_in_its_span(value: str) -> None:
    when = retry_at(value, now=NOW)

    assert when is None or NOW <= when <= NOW + MOST
