"""Addresses of speakers, below the language."""

from django.urls import path

from speakers import views

app_name = "speakers"
urlpatterns = [
    path("speakers/<uuid:public_id>/", views.person, name="person"),
    path("<slug:conference>/speakers/", views.speakers, name="speakers"),
    path("<slug:conference>/search/", views.search, name="search"),
]
