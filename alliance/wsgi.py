"""The WSGI entry point: `gunicorn alliance.wsgi:application`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from alliance.content_types import guarded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")

application = guarded(get_wsgi_application())

# What is loaded now stays: the collector need not walk through it again, and requests leave few cycles behind.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
