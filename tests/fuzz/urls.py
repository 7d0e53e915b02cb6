"""All addresses of the house, counted without an end."""

from alliance.urls import handler400, handler403, handler404, handler500, urlpatterns
from tests.bench import api_rush

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

api_rush.without_limits()
