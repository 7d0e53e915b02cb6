"""The settings of the house, with one more address: a trivial view to compare with."""

from alliance.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
