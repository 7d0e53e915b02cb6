"""Venues and rooms for programs: those at which something public takes place."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers

from alliance.api.fields import IdField, TextField, WrittenField
from alliance.api.filters import Filters, SlugOrId, by_slug_or_id
from alliance.api.paging import Key
from events.api.base import ProgrammeViewSet
from events.api.bodies import WHOLE_COUNTRY, CountryRefSerializer
from events.models import Conference, Room, Venue


class VenueSerializer(serializers.ModelSerializer[Venue]):
    """A place. The city is known, the house may not be."""

    name = TextField(allow_null=True)
    address = WrittenField()
    city = TextField()
    country = CountryRefSerializer(read_only=True, allow_null=True)
    footnote = TextField(allow_null=True, help_text="To be printed wherever the place is named.")

    class Meta:
        model = Venue
        fields = ["name", "address", "city", "country", "footnote"]
        ref_name = "Venue"


class RoomSerializer(serializers.ModelSerializer[Room]):
    """A room of a venue. Sessions name theirs by room_id."""

    id = IdField()
    name = TextField()
    seats = serializers.IntegerField(source="capacity", read_only=True, allow_null=True, help_text="Null: not known.")
    venue = VenueSerializer(read_only=True)

    class Meta:
        model = Room
        fields = ["id", "name", "seats", "venue"]
        ref_name = "Room"


class RoomFilters(Filters):
    """Filters of the list of rooms."""

    conference = SlugOrId("Id or slug of a conference at the venue.", method="by_conference")

    def by_conference(self, rooms: QuerySet[Room], name: str, value: Any) -> QuerySet[Room]:
        """Rooms of the venue of a public conference."""
        held = Conference.objects.public().filter(**by_slug_or_id(value))
        return rooms.filter(venue__in=held.values("venue"))


class RoomViewSet(ProgrammeViewSet[Room]):
    """Rooms of the venues where public conferences meet."""

    serializer_class = RoomSerializer
    filterset_class = RoomFilters
    expansions = {"venue.country": WHOLE_COUNTRY}
    orderings: ClassVar[dict[str, tuple[Key, ...]]] = {"id": ()}

    def get_queryset(self) -> QuerySet[Room]:
        """Of public conferences alone."""
        venues = Conference.objects.public().filter(venue__isnull=False).values("venue")
        return Room.objects.filter(venue__in=venues).select_related("venue__country")
