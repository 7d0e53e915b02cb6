"""Addresses of registration: the form in six languages, the personal page and the join link without a language."""

from django.urls import URLPattern, URLResolver, path
from django.urls.resolvers import LocalePrefixPattern, RoutePattern

from registration import convenors, views
from registration.delegations import urls as delegation_urls
from registration.door import personal as door_personal
from registration.door import views as door_views
from registration.figures import views as figure_views
from registration.invitations import views as invitation_views
from registration.letters import unsubscribe_views
from registration.personal import asked_views, companion_views, offer_views, own_data_views, protection_views
from registration.personal import views as personal_views
from registration.seating import places

app_name = "registration"

# Include this module at the root, outside i18n_patterns. One namespace holds pages with and without a language in the
# address, and Django gives a namespace to one include only; so the prefix is set here, one level down.
_in_six_languages: list[URLPattern | URLResolver] = [
    *delegation_urls.in_six_languages,
    path("convenor/", convenors.mine, name="convenor"),
    path("convenor/<uuid:public_id>/", convenors.registrations, name="convenor-session"),
    path("<slug:slug>/register/", views.register, name="register"),
    path("<slug:slug>/register/received/<str:token>/", views.received, name="received"),
    path("<slug:slug>/register/resend/", views.resend, name="resend"),
    path("<slug:slug>/door/", door_views.doors, name="doors"),
    path("<slug:slug>/door/<slug:where>/", door_views.door, name="door"),
    path("<slug:slug>/door/<slug:where>/undo/", door_views.undo, name="door-undo"),
    path("<slug:slug>/figures/", figure_views.public_figures, name="figures"),
    path("<slug:slug>/places/<slug:session>/", places.places, name="places"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    URLResolver(RoutePattern(""), [URLResolver(LocalePrefixPattern(), _in_six_languages)]),
    *delegation_urls.without_language,
    path("r/deleted/", own_data_views.deleted, name="deleted"),
    path("r/<str:token>/", personal_views.personal, name="personal"),
    path("r/<str:token>/calendar.ics", personal_views.calendar_file, name="calendar"),
    path("r/<str:token>/calendar/<uuid:public_id>.ics", personal_views.calendar_one, name="calendar-one"),
    path("r/<str:token>/correct/", own_data_views.correct, name="correct"),
    path("r/<str:token>/address/", own_data_views.address, name="address"),
    path("r/<str:token>/consents/", own_data_views.consent, name="consent"),
    path("r/<str:token>/protection/", protection_views.protection_page, name="protection"),
    path("r/<str:token>/data/", own_data_views.data, name="data"),
    path("r/<str:token>/data.json", own_data_views.data_file, name="data-file"),
    path("r/<str:token>/delete/", own_data_views.delete, name="delete"),
    path("a/<str:token>/", own_data_views.address_confirm, name="address-confirm"),
    path("r/<str:token>/asked/", asked_views.answer, name="asked"),
    path("r/<str:token>/cancel/", personal_views.cancel_all, name="cancel-all"),
    path("r/<str:token>/cancel/<uuid:public_id>/", personal_views.cancel_one, name="cancel-one"),
    path("r/<str:token>/offer/<uuid:public_id>/", offer_views.answer, name="offer"),
    path("r/<str:token>/online/<uuid:public_id>/", offer_views.online, name="online-meanwhile"),
    path("r/<str:token>/companion/<uuid:public_id>/", companion_views.companion, name="companion"),
    path("r/<str:token>/send/", personal_views.send_link, name="send-link"),
    path("r/<str:token>/ticket/", door_personal.ticket, name="ticket"),
    path("r/<str:token>/certificate.pdf", door_personal.certificate, name="certificate"),
    path("verify/<str:code>/", door_personal.verify, name="verify"),
    path("join/<str:token>/", views.join, name="join"),
    path("u/<str:token>/", unsubscribe_views.unsubscribe, name="unsubscribe"),
    path("i/<str:token>/", invitation_views.invitation, name="invitation"),
    path("i/<str:token>/register/", invitation_views.accept, name="invitation-accept"),
]
