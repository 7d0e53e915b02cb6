"""Addresses of delegations: focal points' pages in six languages, the answer of a nominated person without one."""

from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from registration.admin import webhooks as webhook_pages
from registration.api import token_pages
from registration.delegations import list_views as lists
from registration.delegations import views

in_six_languages: list[URLPattern | URLResolver] = [
    path("delegations/", views.mine, name="delegations"),
    # Its own page once, and printed in letters: the way in is the same for everybody now.
    path(
        "delegations/login/",
        RedirectView.as_view(pattern_name="registration:delegations"),
        name="delegation-login",
    ),
    path("delegations/<uuid:public_id>/", views.one, name="delegation"),
    path("delegations/<uuid:public_id>/nominate/", views.nominate, name="delegation-nominate"),
    path("delegations/<uuid:public_id>/letter/", views.letter, name="delegation-letter"),
    path("delegations/<uuid:public_id>/list/", views.nominate_list, name="delegation-list"),
    path("delegations/<uuid:public_id>/members.<str:kind>", views.export, name="delegation-export"),
    path("delegations/<uuid:public_id>/tokens/", token_pages.of_delegation, name="delegation-tokens"),
    path("delegations/<uuid:public_id>/webhooks/", webhook_pages.of_delegation, name="delegation-webhooks"),
    path("delegations/<uuid:public_id>/members/<uuid:member_id>/", views.member, name="delegation-member"),
    path("<slug:slug>/participants/", lists.public_list, name="participants"),
    path("<slug:slug>/participants.<str:kind>", lists.public_list, name="participants-file"),
]

without_language: list[URLPattern | URLResolver] = [
    path("d/<str:token>/", views.answer, name="delegation-answer"),
]
