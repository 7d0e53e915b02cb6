"""Tags of the timeline and the personal agenda: short clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alliance import dates, time, zones
from events.models import Conference

register = template.Library()


def _second(context: Context) -> tuple[ZoneInfo, bool]:
    chosen: ZoneInfo | None = context.get("reader_zone")
    return chosen or ZoneInfo("UTC"), chosen is not None


@register.simple_tag(takes_context=True)
def second_clock(context: Context, instant: datetime, conference: Conference) -> SafeString:
    """The second clock of one instant, in figures alone; nothing where the reader's clock is the venue's.

    It is UTC or the zone chosen by ?tz=; without a choice JavaScript replaces it by the browser's own.
    """
    zone, is_chosen = _second(context)
    second, venue = instant.astimezone(zone), instant.astimezone(conference.zone)
    if is_chosen:
        same = second.utcoffset() == venue.utcoffset()
        return SafeString("") if same else format_html("<span>{}</span>", dates.clock(second))
    return format_html(
        '<span data-own-clock data-short data-starts="{}" data-zone="{}" data-offset="{}">{}</span>',
        instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        conference.time_zone,
        _minutes(venue),
        dates.clock(second),
    )


@register.simple_tag(takes_context=True)
def zone_pair(context: Context, instant: datetime, conference: Conference) -> SafeString:
    """The names of the two clocks on a date: "Vienna time (CEST, UTC+2) · UTC"."""
    zone, is_chosen = _second(context)
    venue = instant.astimezone(conference.zone)
    city = str(conference.venue.city) if conference.venue else ""
    name = time.zone_label(instant, zone=conference.time_zone, city=city or zones.city(conference.time_zone))
    if is_chosen:
        if instant.astimezone(zone).utcoffset() == venue.utcoffset():
            return format_html("{}", name)
        return format_html("{} · {}", name, time.zone_label(instant, zone=zone.key, city=zones.city(zone.key)))
    return format_html('{} · <span data-own-zone-name data-offset="{}">UTC</span>', name, _minutes(venue))


@register.simple_tag
def old_time(instant: datetime, conference: Conference) -> str:
    """A time that was, by the venue's clock: "Monday 15 July 2030, 11:00"."""
    venue = instant.astimezone(conference.zone)
    return f"{dates.day(venue.date())}, {dates.clock(venue)}"


def _minutes(instant: datetime) -> int:
    offset = instant.utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0
