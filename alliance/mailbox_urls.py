"""Addresses of the demo's mailbox; mounted at /demo/mailbox/ only when settings.DEMO is set."""

from django.urls import path

from alliance import mailbox_pages

app_name = "mailbox"
urlpatterns = [
    path("", mailbox_pages.index, name="index"),
    path("<slug:name>/", mailbox_pages.message, name="message"),
    path("<slug:name>/html/", mailbox_pages.html, name="html"),
    path("<slug:name>/attachments/<int:place>/", mailbox_pages.attachment, name="attachment"),
]
