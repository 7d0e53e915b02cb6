"""Conferences and programme, as organisers look after them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from alliance.admin import RelatedPage
from events.admin import explanations as explanations  # registers them
from events.admin import pages
from events.admin.bodies import CountryAdmin, OrganisationAdmin, RoomAdmin, SeriesAdmin, VenueAdmin
from events.admin.conferences import ConferenceAdmin
from events.admin.papers import MaterialAdmin, RecommendationAdmin, ReferenceAdmin, TopicAdmin
from events.admin.sessions import SessionAdmin, SideEventAdmin
from events.admin.shared import OfConferenceForm, chosen_id, conference_clock, conference_slug
from events.models import (
    Conference,
    Country,
    Material,
    Organisation,
    Recommendation,
    Reference,
    Room,
    Series,
    Session,
    SideEvent,
    Topic,
    Venue,
)

__all__ = [
    "ConferenceAdmin",
    "OfConferenceForm",
    "SessionAdmin",
    "SideEventAdmin",
    "chosen_id",
    "conference_clock",
    "conference_slug",
]

# The order of this list is the order of the admin's front page.
admin.site.register(Conference, ConferenceAdmin)
admin.site.register(Session, SessionAdmin)
admin.site.register(SideEvent, SideEventAdmin)
admin.site.register(Material, MaterialAdmin)
admin.site.register(Recommendation, RecommendationAdmin)
admin.site.register(Reference, ReferenceAdmin)
admin.site.register(Organisation, OrganisationAdmin)
admin.site.register(Country, CountryAdmin)
admin.site.register(Venue, VenueAdmin)
admin.site.register(Room, RoomAdmin)
admin.site.register(Series, SeriesAdmin)
admin.site.register(Topic, TopicAdmin)

ConferenceAdmin.related_pages += [
    RelatedPage(_("Sessions"), Session, "conference__id"),
    RelatedPage(_("Side events"), SideEvent, "conference__id"),
    RelatedPage(_("Materials"), Material, "conference__id"),
    RelatedPage(_("References"), Reference, "conference__id"),
]
for _name, _model, _lookup in (
    ("sessions", Session, "conference__id__exact"),
    ("side-events", SideEvent, "conference__id__exact"),
    ("materials", Material, "conference__id__exact"),
    ("references", Reference, "conference__id__exact"),
    ("recommendations", Recommendation, "session__conference__id__exact"),
):
    pages.register_list(_name, _model, _lookup, of="programme")
SessionAdmin.related_pages += [RelatedPage(_("Recommendations"), Recommendation, "session__id")]

# Pages of a conference register themselves with events.admin.pages; one import each, here at the end.
from events import admin_checks as admin_checks  # noqa: E402
from events import admin_documents as admin_documents  # noqa: E402
from events import admin_mail_texts as admin_mail_texts  # noqa: E402
from events import admin_programme_file as admin_programme_file  # noqa: E402
from events import admin_releases as admin_releases  # noqa: E402
from events.admin import long_work as long_work  # noqa: E402
from events.admin import next_edition as next_edition  # noqa: E402
from events.admin import programme as programme  # noqa: E402
from events.admin import removals as removals  # noqa: E402
from events.admin import searching as searching  # noqa: E402
from events.admin import start as start  # noqa: E402
