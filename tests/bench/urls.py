"""All addresses of the house and /bench/trivial/, a static answer through the same middleware."""

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.urls import path

from alliance.urls import handler400, handler403, handler404, handler500
from alliance.urls import urlpatterns as house

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@lru_cache
def _body(size: int) -> bytes:
    return b"<!doctype html><title>x</title>".ljust(size, b"x")


def trivial(request: HttpRequest, size: int) -> HttpResponse:
    """The least a Django view can do: a fixed page of a size in bytes."""
    return HttpResponse(_body(size))


urlpatterns = [path("bench/trivial/<int:size>/", trivial), *house]
