"""What the database refuses about conferences and their programme, in words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from alliance.admin import explain

_END_AFTER_START = _("The end must come after the start.")
_TIMES_ARE_A_PAIR = _("Give both times or none.")
_YEAR = _("Look at the year: it must be from 1900 to 2199.")

explain("country_iso2_is_two_capitals", _("Give the ISO code as two capital letters."), field="iso2")
explain("organisation_is_not_part_of_itself", _("A body is not part of itself."), field="part_of")
explain("conference_edition_unique_in_series", _("The series has this edition already."), field="edition")
explain("conference_edition_needs_series", _("An edition number needs a series."), field="series")
explain("conference_edition_is_positive", _("Editions count from 1."), field="edition")
explain("conference_dates_are_a_pair", _("Give both days or none."), field="ends_on")
explain("conference_ends_on_or_after_it_starts", _("The last day is before the first."), field="ends_on")
explain("conference_dates_are_near", _YEAR, field="starts_on")
explain("conference_zone_is_a_place", _("Write the time zone like Europe/Vienna."), field="time_zone")
explain("conference_day_number_is_unique", _("Two days have the same number."))
explain("conference_day_date_is_unique", _("Two days have the same date."))
explain("conference_day_is_near", _YEAR)
explain("session_key_unique_in_conference", _("Another session of the conference has this key."), field="key")
explain("session_slug_unique_in_conference", _("Another session of the conference has this address."), field="slug")
explain("session_number_unique_in_kind", _("Another session of this kind has this number."), field="number")
explain("session_times_are_a_pair", _TIMES_ARE_A_PAIR, field="ends_at")
explain("session_ends_after_it_starts", _END_AFTER_START, field="ends_at")
explain("session_times_are_near", _YEAR, field="starts_at")
explain("session_room_is_free", _("Another session is in this room at that time."), field="room")
explain("segment_key_unique_in_session", _("Two segments have the same key."))
explain("segment_position_unique_in_session", _("Two segments have the same position."))
explain("segment_times_are_a_pair", _TIMES_ARE_A_PAIR)
explain("segment_ends_after_it_starts", _END_AFTER_START)
explain("segment_times_are_near", _YEAR)
explain("convenorship_stands_once", _("The same organisation is named twice in the same relation."))
explain("recommendation_number_is_unique", _("The session has this number already."), field="number")
explain("recommendation_number_is_unique_below", _("Another item below the same one has this number."), field="number")
explain("recommendation_items_form_a_tree", _("An item cannot stand below itself or deeper than three levels."))
explain("recommendation_parent_in_session", _("An item stands below one of its own session."), field="parent")
explain("recommendation_topics_are_known", _("This topic is not known."), field="topics")
explain("topic_in_use_stays", _("Results carry this topic: its key stays."), field="key")
explain("reference_number_unique_in_document", _("The document has this number already."), field="number_printed")
explain("material_address_stands_once", _("This address is listed already."), field="url")
