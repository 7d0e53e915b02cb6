"""The list behind a figure: the registrations of the people whom it counts, as a filter."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from events.models import ConferenceDay, CountryStatus
from registration.figures.words import (
    CONFIRMED,
    COUNTRY_GROUPS,
    MODES,
    NO_COUNTRY,
    REPORT_CATEGORIES,
    STANDING_LABELS,
    WHOLE_CONFERENCE,
)
from registration.models import AttendanceMode, Category, CheckIn, Registration, RegistrationStatus
from registration.models.figure import Breakdown, LiveMeasure
from registration.models.registration import ENDED

_S = RegistrationStatus
# Recorded as having attended, or joined on-line and still has the place; who was let in stands beside it.
_SAYS_SO = Q(status=_S.ATTENDED) | Q(joined_at__isnull=False, status__in=CONFIRMED)


def registrations(measure: str, breakdown: str, code: str) -> Q | None:
    """The registrations of the people whom a figure counts, as a filter of them; None for what is not counted.

    The people behind these registrations, each once, are as many as the figure says.
    """
    if measure not in LiveMeasure.values:
        return None
    measured = _measured(LiveMeasure(measure))
    if breakdown == Breakdown.MODE and code in MODES:
        return measured & _in_mode(LiveMeasure(measure), code)
    if breakdown in (Breakdown.SESSION, Breakdown.DAY):
        return _of_thing(LiveMeasure(measure), breakdown, code)
    found = _who(breakdown, code)
    return None if found is None else measured & found


def _measured(measure: LiveMeasure) -> Q:
    entered = CheckIn.objects.standing().filter(registration=OuterRef("pk"))
    return {
        LiveMeasure.REGISTERED: ~Q(status__in=ENDED),
        LiveMeasure.CONFIRMED: Q(status__in=CONFIRMED),
        LiveMeasure.WAITING: Q(status=_S.WAITLISTED),
        LiveMeasure.ATTENDED: _SAYS_SO | Q(Exists(entered)),
    }[measure]


def _key(code: str) -> int | None:
    return int(code) if code.isascii() and code.isdigit() and len(code) < 19 else None


def _who(breakdown: str, code: str) -> Q | None:
    if breakdown == Breakdown.TOTAL and not code:
        return Q()
    if breakdown == Breakdown.REPORT_CATEGORY and code in REPORT_CATEGORIES:
        return Q(participant__category__in=REPORT_CATEGORIES[code])
    if breakdown == Breakdown.CATEGORY and code in Category.values:
        return Q(participant__category=code)
    if breakdown == Breakdown.STANDING and code in STANDING_LABELS:
        nowhere = Q(participant__country__isnull=True)
        return nowhere if code == NO_COUNTRY else Q(participant__country__status=code)
    if breakdown == Breakdown.COUNTRIES and (not code or code in COUNTRY_GROUPS):
        within = COUNTRY_GROUPS.get(code, CountryStatus.values)
        return Q(participant__country__status__in=within)
    if breakdown == Breakdown.COUNTRY and _key(code) is not None:
        return Q(participant__country_id=_key(code))
    if breakdown == Breakdown.LANGUAGE:
        return Q(participant__language=code)
    return None


def _in_mode(measure: LiveMeasure, code: str) -> Q:
    def some(mode: AttendanceMode) -> Q:
        others = Registration.objects.filter(_measured(measure), participant=OuterRef("participant"))
        return Q(Exists(others.filter(admission__mode=mode)))

    in_person, online = some(AttendanceMode.IN_PERSON), some(AttendanceMode.ONLINE)
    return {"in_person": in_person & ~online, "online": online & ~in_person, "both": in_person & online}[code]


def _of_thing(measure: LiveMeasure, breakdown: str, code: str) -> Q | None:
    key = _key(code)
    if breakdown == Breakdown.SESSION and code == WHOLE_CONFERENCE:
        found, entry = Q(admission__session__isnull=True), Q(session__isnull=True)
    elif key is None:
        return None
    elif breakdown == Breakdown.SESSION:
        found, entry = Q(admission__session_id=key), Q(session_id=key)
    else:
        found = Q(admission__session__day_id=key)
        entry = Q(on_day=ConferenceDay.objects.filter(pk=key).values("date")[:1])
    if measure != LiveMeasure.ATTENDED:
        return _measured(measure) & found
    # Who was let in to a session may have registered for the conference as a whole.
    entered = CheckIn.objects.standing().filter(entry, registration=OuterRef("pk"))
    return _SAYS_SO & found | Q(Exists(entered))
