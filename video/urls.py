"""Addresses that platforms call. Included at the root, without a language."""

from django.urls import path

from video import hooks

app_name = "video"

urlpatterns = [path("hooks/<slug:service>/<uuid:account>/", hooks.hook, name="hook")]
