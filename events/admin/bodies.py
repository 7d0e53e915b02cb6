"""Bodies, countries, places and series."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from alliance.admin import HouseAdmin, HouseTabular, in_all_languages
from events.models import Country, Organisation, Room, Series, Venue


class OrganisationAdmin(HouseAdmin[Organisation]):
    """Bodies of all kinds."""

    list_display = ["name", "abbreviation", "kind", "country", "is_alliance_partner"]
    list_filter = ["kind", "is_alliance_partner", "is_name_derived"]
    list_select_related = ["country"]
    ordering = ["key"]
    search_fields = ["key", "abbreviation", "aliases", *in_all_languages("name")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["part_of", "country"]
    fieldsets = [
        (None, {"fields": ["name", ("abbreviation", "key"), "kind", "part_of", "country", "is_alliance_partner"]}),
        (
            _("Contact and notes"),
            {"classes": ["collapse"], "fields": ["web", "contact", "aliases", "is_name_derived", "internal_note"]},
        ),
    ]


class CountryAdmin(HouseAdmin[Country]):
    """Countries in protocol order."""

    list_display = ["name", "iso2", "status", "protocol_order"]
    list_filter = ["status"]
    ordering = ["protocol_order", "pk"]
    search_fields = ["iso2", "aliases", *in_all_languages("name")]
    fields = ["name", "iso2", ("status", "protocol_order"), "footnote", "aliases"]


class RoomInline(HouseTabular[Room, Venue]):
    """The rooms of a venue."""

    model = Room
    fields = ["name", "capacity"]
    ordering = ["pk"]


class VenueAdmin(HouseAdmin[Venue]):
    """Places with their rooms."""

    inlines = [RoomInline]
    list_display = ["__str__", "city", "country"]
    list_select_related = ["country"]
    ordering = ["pk"]
    search_fields = ["address", *in_all_languages("name"), *in_all_languages("city")]
    autocomplete_fields = ["country"]
    fields = ["name", "address", "city", "country", "footnote"]


class RoomAdmin(HouseAdmin[Room]):
    """Rooms of all venues."""

    list_display = ["name", "venue", "capacity"]
    list_select_related = ["venue"]
    ordering = ["venue", "pk"]
    search_fields = [*in_all_languages("name"), *in_all_languages("venue__name")]
    autocomplete_fields = ["venue"]
    fields = ["venue", "name", "capacity"]


class SeriesAdmin(HouseAdmin[Series]):
    """Rows of numbered meetings."""

    list_display = ["name", "key"]
    ordering = ["key"]
    search_fields = ["key", *in_all_languages("name")]
    fields = ["name", "key"]
