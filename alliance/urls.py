"""All addresses of the house."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from alliance import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("admin/", admin.site.urls),
    path("", include("accounts.openid_urls")),
    path("api/", include("alliance.api.router")),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("robots.txt", pages.robots, name="robots"),
    path("", include("events.root_urls")),
    path("", include("video.urls")),
    path("", include("speakers.personal_urls")),
    path("", include("registration.urls")),  # brings its own language prefix
]

urlpatterns += i18n_patterns(
    path("", include("accounts.urls")),
    path("", include("speakers.component_urls")),
    path("", include("events.about_urls")),
    path("about/privacy/", pages.privacy, name="privacy"),
    path("", include("speakers.urls")),
    path("", include("events.urls")),
)

if settings.DEMO:
    urlpatterns += [
        path("demo/mailbox/", include("alliance.mailbox_urls")),
        path("demo/meeting/", pages.demo_meeting, name="demo-meeting"),
    ]

handler400 = "alliance.errors.bad_request"
handler403 = "alliance.errors.forbidden"
handler404 = "alliance.errors.not_found"
handler500 = "alliance.errors.server_error"
