"""The WSGI entry point: `gunicorn alliance.wsgi:application`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")

application = get_wsgi_application()

# What is loaded now stays: the collector need not walk through it again, and requests leave few cycles behind.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
