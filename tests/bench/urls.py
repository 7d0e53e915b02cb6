"""All addresses of the house and /bench/trivial/, a static answer through the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from alliance.urls import handler400, handler403, handler404, handler500
from alliance.urls import urlpatterns as house

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

_BODY = b"<!doctype html><title>x</title>" + b"x" * 30_000


def trivial(request: HttpRequest) -> HttpResponse:
    """The least a Django view can do: a fixed page of the size of a programme page."""
    return HttpResponse(_BODY)


urlpatterns = [path("bench/trivial/", trivial), *house]
