"""The settings of the house, with static files read where they lie: nothing has collected them."""

from alliance.settings import *  # noqa: F403

WHITENOISE_USE_FINDERS = True
EXIT_URL = "about:blank"  # the browser of the tests leaves this machine for nobody
