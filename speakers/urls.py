"""Addresses of speakers, organisations and the search, below the language."""

from django.urls import path

from speakers import views

app_name = "speakers"
urlpatterns = [
    path("search/", views.search_all, name="search-all"),
    path("speakers/<uuid:public_id>/", views.person, name="person"),
    path("organisations/<uuid:public_id>/", views.organisation, name="organisation"),
    path("<slug:conference>/organisations/", views.organisations, name="organisations"),
    path("<slug:conference>/speakers/", views.speakers, name="speakers"),
    path("<slug:conference>/search/", views.search, name="search"),
]
