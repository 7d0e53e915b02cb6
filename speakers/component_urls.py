"""The developers' page of components: it shows lines of speakers, so its address is made here."""

from django.urls import path

from alliance import pages
from speakers import examples

urlpatterns = [path("_components/", pages.components, {"more": examples.context}, name="components")]
