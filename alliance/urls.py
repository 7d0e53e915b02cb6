"""All addresses of the house."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]

handler400 = "alliance.errors.bad_request"
handler403 = "alliance.errors.forbidden"
handler404 = "alliance.errors.not_found"
handler500 = "alliance.errors.server_error"
