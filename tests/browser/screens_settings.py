"""The settings of the browser tests, with addresses at which the error pages can be looked at."""

from tests.browser.settings import *  # noqa: F403

ROOT_URLCONF = "tests.browser.screens_urls"
