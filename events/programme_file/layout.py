"""The order of keys in a programme file that we write: what people look for first stands first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _words(text: str) -> list[str]:
    return text.split()


_ROOT = _words(
    "format sources conference days sessions side_events persons organisations countries topics references statistics "
    "resources report"
)
_CONFERENCE = _words(
    "key series series_key edition title title_variants kind state visibility level theme theme_subtitle start_date "
    "end_date date_precision timezone timezone_text_printed format format_printed venue platform livestream "
    "livestream_url_printed hashtag twitter_account event_page_url organiser chairmanship working_languages "
    "interpretation_languages anniversaries goal description results_disclaimer neutral_title contact admissions note"
)
_SESSION = _words(
    "key kind title slug title_source number date position_in_day start end time_text_printed state visibility "
    "in_conference_agenda mode room platform platform_variants convenors collaborators capacity audience "
    "working_languages interpretation_languages registration admissions sections_printed segments related_video_url "
    "materials reference_numbers description background objectives outcomes questions format_and_audience "
    "participation texts challenges_or_practices recommendations results call_to_action summary sources note "
    "contributions"
)


def _sorted(entry: Mapping[str, Any], order: list[str]) -> dict[str, Any]:
    places = {key: place for place, key in enumerate(order)}
    return {key: entry[key] for key in sorted(entry, key=lambda key: places.get(key, len(places)))}


def arranged(root: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of the file and the keys of its larger entries in their order; a key without a place comes last."""
    found = _sorted(root, _ROOT)
    found["conference"] = _sorted(found["conference"], _CONFERENCE)
    for part in ("sessions", "side_events"):
        if part in found:
            found[part] = [_sorted(entry, _SESSION) for entry in found[part]]
    return found
