"""The accessibility statement: it names the offices of conferences, so its address is made here."""

from django.urls import path

from alliance import pages
from events import selectors

urlpatterns = [
    path("about/accessibility/", pages.accessibility, {"offices": selectors.offices}, name="accessibility"),
]
