"""Addresses of the programme that stand outside the language prefix."""

from django.urls import path

from events import views

urlpatterns = [path("sitemap.xml", views.sitemap, name="sitemap")]
