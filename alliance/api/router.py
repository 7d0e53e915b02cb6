"""Addresses of the API. Views are named, not imported: this package knows none of the apps."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from rest_framework.routers import SimpleRouter

from alliance.api import guide, schema
from alliance.api.views import Root, nothing

ROUTES = [
    ("conferences", "events.api.conferences.ConferenceViewSet"),
    ("sessions", "speakers.api.SessionViewSet"),
    ("side-events", "speakers.api.SideEventViewSet"),
    ("speakers", "speakers.api.SpeakerViewSet"),
    ("organisations", "speakers.api.OrganisationViewSet"),
    ("rooms", "events.api.rooms.RoomViewSet"),
    ("releases", "events.api.releases.ReleaseViewSet"),
    ("materials", "events.api.materials.MaterialViewSet"),
    ("recommendations", "events.api.recommendations.RecommendationViewSet"),
    ("countries", "events.api.bodies.CountryViewSet"),
    ("admissions", "registration.api.admissions.AdmissionViewSet"),
    ("figures", "registration.api.figures.FigureViewSet"),
]
# Closed without a token (docs/api.md).
WITH_TOKEN = [
    ("delegations", "registration.api.delegations.DelegationViewSet"),
    ("participants", "registration.api.members.ParticipantViewSet"),
    ("registrations", "registration.api.delegations.RegistrationViewSet"),
]


def resources_in_order(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular hook: resources in the order in which the guide tells them."""
    result["tags"] = [{"name": name} for name, _view in [*ROUTES, *WITH_TOKEN]]
    return result


router = SimpleRouter(use_regex_path=False)
for resource, view in [*ROUTES, *WITH_TOKEN]:
    router.register(resource, import_string(view), basename=resource)

app_name = "api"
urlpatterns = [
    path("v1/", Root.as_view(resources=tuple(resource for resource, _view in ROUTES)), name="root"),
    path("v1/", include(router.urls)),
    # No cookie counts here, so a program that posts to the wrong address is told just that.
    path("v1/schema/", csrf_exempt(schema.schema), name="schema"),
    path("v1/docs/", csrf_exempt(schema.docs), name="docs"),
    path("v1/docs/<slug:name>/", csrf_exempt(guide.page), name="guide"),
    path("<path:rest>", csrf_exempt(nothing)),
]
