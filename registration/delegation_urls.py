"""Addresses of delegations: focal points' pages in six languages, the answer of a nominated person without one."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, path, reverse_lazy

from registration import delegation_list_views as lists
from registration import delegation_views as views
from registration import token_pages, webhook_pages

in_six_languages: list[URLPattern | URLResolver] = [
    path("delegations/", views.mine, name="delegations"),
    path("delegations/login/", views.Login.as_view(), name="delegation-login"),
    path(
        "delegations/logout/",
        LogoutView.as_view(next_page=reverse_lazy("registration:delegation-login")),
        name="delegation-logout",
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
