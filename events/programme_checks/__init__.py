"""Checks of a programme before it is published: what is missing or contradicts itself, with the row it is about.

core          findings, and the registry through which each app brings what it checks
dates         weekdays and dates that disagree, in labels of days and in printed texts
sessions      times, languages, rooms, segments
addresses     addresses that people will follow
completeness  texts in six languages: what is there, what is missing
"""

from events.programme_checks.addresses import ends_in_punctuation, is_damaged
from events.programme_checks.completeness import Figure, Text, figures, register_texts, texts_of
from events.programme_checks.core import (
    Finding,
    Programme,
    Row,
    Severity,
    error,
    errors,
    programme_of,
    register,
    row_of,
    run,
    title,
    warning,
)
from events.programme_checks.dates import contradictions, label_contradicts
from events.programme_checks.sources import register_checks

__all__ = [
    "Figure",
    "Finding",
    "Programme",
    "Row",
    "Severity",
    "Text",
    "contradictions",
    "ends_in_punctuation",
    "error",
    "errors",
    "figures",
    "is_damaged",
    "label_contradicts",
    "programme_of",
    "register",
    "register_checks",
    "register_texts",
    "row_of",
    "run",
    "texts_of",
    "title",
    "warning",
]
