"""All addresses of the house and /bench/, static answers through the same middleware."""

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alliance.urls import handler400, handler403, handler404, handler500
from alliance.urls import urlpatterns as house
from tests.bench import api_rush

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

api_rush.without_limits()


@lru_cache
def _body(size: int) -> bytes:
    return b"<!doctype html><title>x</title>".ljust(size, b"x")


def trivial(request: HttpRequest, size: int) -> HttpResponse:
    """The least a Django view can do: a fixed page of a size in bytes."""
    return HttpResponse(_body(size))


class TrivialApi(APIView):
    """The least a view of the API's framework can do: one text of a size in bytes, as JSON."""

    authentication_classes = ()
    permission_classes = [AllowAny]

    def get(self, request: Request, size: int) -> Response:
        """The text."""
        return Response({"results": "x" * size})


urlpatterns = [
    path("bench/trivial/<int:size>/", trivial),
    path("bench/api/<int:size>/", TrivialApi.as_view()),
    *house,
]
