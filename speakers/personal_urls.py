"""The address of a speaker's personal page: short, without a language, for mails."""

from django.urls import path

from speakers import invitation_views

app_name = "speaking"
urlpatterns = [path("s/<str:token>/", invitation_views.invitation, name="invitation")]
