"""Addresses that are registered with the provider of OpenID accounts, and so have no language."""

from allauth.socialaccount.providers.openid_connect import views
from django.urls import URLPattern, URLResolver, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/openid/<slug:provider_id>/login/", views.login, name="openid_connect_login"),
    path("accounts/openid/<slug:provider_id>/back/", views.callback, name="openid_connect_callback"),
]
