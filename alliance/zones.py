"""The clocks a reader can choose from, and the city that names a clock.

The list covers the region from Vancouver to Vladivostok and the Partners for Co-operation; every other IANA zone of a
place is understood as well when it stands in the address (?tz=Asia/Kathmandu).
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from alliance import time

# From west to east by standard time, the order in which people look for their clock.
_CITIES: dict[str, str] = {
    "America/Vancouver": gettext_noop("Vancouver"),
    "America/Los_Angeles": gettext_noop("Los Angeles"),
    "America/Denver": gettext_noop("Denver"),
    "America/Chicago": gettext_noop("Chicago"),
    "America/New_York": gettext_noop("New York"),
    "America/Toronto": gettext_noop("Toronto"),
    "America/Halifax": gettext_noop("Halifax"),
    "Atlantic/Reykjavik": gettext_noop("Reykjavik"),
    "Europe/London": gettext_noop("London"),
    "Europe/Dublin": gettext_noop("Dublin"),
    "Europe/Lisbon": gettext_noop("Lisbon"),
    "Africa/Casablanca": gettext_noop("Casablanca"),
    "Africa/Algiers": gettext_noop("Algiers"),
    "Africa/Tunis": gettext_noop("Tunis"),
    "Europe/Vienna": gettext_noop("Vienna"),
    "Europe/Berlin": gettext_noop("Berlin"),
    "Europe/Brussels": gettext_noop("Brussels"),
    "Europe/Madrid": gettext_noop("Madrid"),
    "Europe/Paris": gettext_noop("Paris"),
    "Europe/Rome": gettext_noop("Rome"),
    "Europe/Stockholm": gettext_noop("Stockholm"),
    "Europe/Warsaw": gettext_noop("Warsaw"),
    "Europe/Athens": gettext_noop("Athens"),
    "Europe/Bucharest": gettext_noop("Bucharest"),
    "Europe/Chisinau": gettext_noop("Chisinau"),
    "Europe/Helsinki": gettext_noop("Helsinki"),
    "Europe/Kyiv": gettext_noop("Kyiv"),
    "Africa/Cairo": gettext_noop("Cairo"),
    "Asia/Amman": gettext_noop("Amman"),
    "Asia/Jerusalem": gettext_noop("Jerusalem"),
    "Europe/Istanbul": gettext_noop("Istanbul"),
    "Europe/Minsk": gettext_noop("Minsk"),
    "Europe/Moscow": gettext_noop("Moscow"),
    "Asia/Baku": gettext_noop("Baku"),
    "Asia/Tbilisi": gettext_noop("Tbilisi"),
    "Asia/Yerevan": gettext_noop("Yerevan"),
    "Asia/Kabul": gettext_noop("Kabul"),
    "Asia/Ashgabat": gettext_noop("Ashgabat"),
    "Asia/Tashkent": gettext_noop("Tashkent"),
    "Asia/Dushanbe": gettext_noop("Dushanbe"),
    "Asia/Almaty": gettext_noop("Almaty"),
    "Asia/Yekaterinburg": gettext_noop("Yekaterinburg"),
    "Asia/Bishkek": gettext_noop("Bishkek"),
    "Asia/Novosibirsk": gettext_noop("Novosibirsk"),
    "Asia/Bangkok": gettext_noop("Bangkok"),
    "Asia/Ulaanbaatar": gettext_noop("Ulaanbaatar"),
    "Asia/Seoul": gettext_noop("Seoul"),
    "Asia/Tokyo": gettext_noop("Tokyo"),
    "Asia/Vladivostok": gettext_noop("Vladivostok"),
    "Australia/Sydney": gettext_noop("Sydney"),
}


class ZoneChoice(NamedTuple):
    """A clock to choose: its IANA name and the city that names it, in the active language."""

    name: str
    city: str


def choices() -> list[ZoneChoice]:
    """The clocks offered to readers, from west to east."""
    return [ZoneChoice(name, _(city)) for name, city in _CITIES.items()]


def city(name: str) -> str:
    """The city that names a zone, in the active language where it is in our list: "Europe/Vienna" gives "Vienna"."""
    if name in _CITIES:
        return _(_CITIES[name])
    return name.rsplit("/", 1)[-1].replace("_", " ")


def find(name: str) -> ZoneInfo | None:
    """The zone with that name, or None for anything that is not the zone of a place."""
    return ZoneInfo(name) if name in time.zone_names() else None
