"""Time as people at a conference read it: the venue's clock, named from the zone data and never typed.

Instants are aware UTC everywhere else (docs/design.md section 4.4).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """IANA zones a venue can be in. The Etc/ zones are left out: Etc/GMT+2 means UTC-2."""
    return frozenset(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    )


def validate_zone(name: str) -> None:
    """Raise ValidationError unless the name is an IANA zone of a place, such as Europe/Vienna."""
    if name not in zone_names():
        raise ValidationError(
            gettext_lazy("“%(name)s” is not a time zone of a place. Write it like Europe/Vienna."),
            params={"name": name},
        )


def offset_text(instant: datetime) -> str:
    """The offset of an aware instant in its own zone, as "UTC+2", "UTC-3:30" or "UTC"."""
    minutes = int((instant.utcoffset() or timedelta()).total_seconds() // 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def zone_label(instant: datetime, *, zone: str, city: str) -> str:
    """The label of the venue's clock on that date: "Vienna time (CEST, UTC+2)".

    Abbreviation and offset come from the zone data for the instant, so the same city gets CET in October. Zones without
    a name of their own (such as "+03") show the offset alone.
    """
    local = instant.astimezone(ZoneInfo(zone))
    abbreviation = local.tzname() or ""
    offset = offset_text(local)
    if not abbreviation or abbreviation[0] in "+-" or abbreviation == offset:
        return _("%(city)s time (%(offset)s)") % {"city": city, "offset": offset}
    return _("%(city)s time (%(abbreviation)s, %(offset)s)") % {
        "city": city,
        "abbreviation": abbreviation,
        "offset": offset,
    }


class LocalTimeProblem(ValueError):
    """A local time that does not exist or exists twice, because clocks change that night."""


def to_instant(day: date, clock: time, *, zone: str) -> datetime:
    """The UTC instant of a local clock time.

    Raises LocalTimeProblem for the hour that clocks skip in spring and the one that comes twice in autumn: a person
    must say what is meant.
    """
    local = datetime.combine(day, clock, ZoneInfo(zone))
    instant = local.astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise LocalTimeProblem(f"{clock:%H:%M} does not exist on {day:%Y-%m-%d} in {zone}: clocks go forward.")
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise LocalTimeProblem(f"{clock:%H:%M} comes twice on {day:%Y-%m-%d} in {zone}: clocks go back.")
    return instant
