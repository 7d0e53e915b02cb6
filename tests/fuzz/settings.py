"""The settings of the house without limits on how often: a fuzzer asks more often than anybody may."""

from alliance.settings import *  # noqa: F403

CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
ROOT_URLCONF = "tests.fuzz.urls"  # lifts what is counted in the process
