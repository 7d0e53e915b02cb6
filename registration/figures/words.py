"""What figures are counted by, and the words for it: groups of the report, standings, ways to attend, measures."""

from __future__ import annotations

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from events.models import CountryStatus
from registration.models import Category, RegistrationStatus
from registration.models.figure import Breakdown, LiveMeasure

Label = str | Promise

# The three groups of the report on the 2020 conference: "243 participants representing state institutions; 393 from
# international and non-governmental organizations; and 94 from academia and business circles". What the report does
# not name (media, other) stands with the last.
REPORT_CATEGORIES: dict[str, tuple[Category, ...]] = {
    "state": (Category.DELEGATION,),
    "organisations": (
        Category.INTERNATIONAL_ORGANISATION,
        Category.EXECUTIVE_STRUCTURE,
        Category.FIELD_OPERATION,
        Category.CIVIL_SOCIETY,
        Category.SURVIVOR_NETWORK,
        Category.TRADE_UNION,
    ),
    "others": (Category.ACADEMIA, Category.THINK_TANK, Category.BUSINESS, Category.MEDIA, Category.OTHER),
}
REPORT_OF = {str(category): report for report, within in REPORT_CATEGORIES.items() for category in within}
REPORT_LABELS: dict[str, Label] = {
    "state": gettext_lazy("Delegations and State institutions"),
    "organisations": gettext_lazy("International and non-governmental organisations"),
    "others": gettext_lazy("Academia, business and others"),
}
NO_COUNTRY = "none"
STANDING_LABELS: dict[str, Label] = {
    **{status.value: status.label for status in CountryStatus},
    NO_COUNTRY: gettext_lazy("No country stated"),
}
# The 67 countries of 2020 are given as participating States, Partners and others.
PARTNERS = (CountryStatus.ASIAN_PARTNER, CountryStatus.MEDITERRANEAN_PARTNER)
COUNTRY_GROUPS: dict[str, tuple[str, ...]] = {
    "participating_states": (CountryStatus.PARTICIPATING_STATE,),
    "partners": tuple(PARTNERS),
    "others": (CountryStatus.OTHER,),
}
COUNTRY_GROUP_LABELS: dict[str, Label] = {
    "participating_states": gettext_lazy("Participating States"),
    "partners": gettext_lazy("Partners for Co-operation"),
    "others": gettext_lazy("Other countries"),
}
# Ways to attend as bits: somebody may come to the hall one day and by video the other.
MODES: dict[str, int] = {"in_person": 1, "online": 2, "both": 3}
MODE_LABELS: dict[str, Label] = {
    "in_person": gettext_lazy("In person only"),
    "online": gettext_lazy("On-line only"),
    "both": gettext_lazy("In person and on-line"),
}
WHOLE_CONFERENCE = "conference"
TITLES: dict[str, Label] = {
    Breakdown.REPORT_CATEGORY: gettext_lazy("By report category"),
    Breakdown.CATEGORY: gettext_lazy("By category"),
    Breakdown.STANDING: gettext_lazy("By standing of the State"),
    Breakdown.COUNTRIES: gettext_lazy("Countries"),
    Breakdown.COUNTRY: gettext_lazy("By country"),
    Breakdown.LANGUAGE: gettext_lazy("By language"),
    Breakdown.MODE: gettext_lazy("By way of attending"),
    Breakdown.DAY: gettext_lazy("By day"),
    Breakdown.SESSION: gettext_lazy("By session"),
}
# Who has a place, or had one.
CONFIRMED = (RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED, RegistrationStatus.ABSENT)
MEASURES = tuple(LiveMeasure)
MEASURE_NOTES: dict[str, Label] = {
    LiveMeasure.REGISTERED: gettext_lazy("with a registration that stands: also waiting, offered or not decided yet"),
    LiveMeasure.CONFIRMED: gettext_lazy("with a place, whether or not they came"),
    LiveMeasure.WAITING: gettext_lazy("on a waiting list; some have a place for something else"),
    LiveMeasure.ATTENDED: gettext_lazy("checked in, joined on-line, or recorded as having attended"),
}


def languages() -> list[tuple[str, str]]:
    """The languages people are written to in, by name in the active language."""
    return [(code, gettext(str(name))) for code, name in settings.LANGUAGES]


def describe(measure: str, breakdown: str, code: str) -> str:
    """A figure in words, for the heading of its list."""
    labels: dict[str, dict[str, Label]] = {
        Breakdown.REPORT_CATEGORY: REPORT_LABELS,
        Breakdown.CATEGORY: {category.value: category.label for category in Category},
        Breakdown.STANDING: STANDING_LABELS,
        Breakdown.COUNTRIES: COUNTRY_GROUP_LABELS,
        Breakdown.MODE: MODE_LABELS,
        Breakdown.LANGUAGE: dict(languages()),
    }
    label = str(LiveMeasure(measure).label)
    named = labels.get(breakdown, {}).get(code) or (TITLES.get(breakdown, "") if code else "")
    return f"{label}: {named}" if named else label
