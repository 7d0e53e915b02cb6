"""The settings of the house, with static files packed as in production, in a place of their own."""

import os
from pathlib import Path

from alliance.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["LIGHTHOUSE_STATIC"])
EXIT_URL = "about:blank"  # the browser of the tests leaves this machine for nobody
