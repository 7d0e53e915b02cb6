"""Addresses of the programme, below the language."""

from django.urls import path

from events import views
from events.feeds import views as feeds

app_name = "events"
urlpatterns = [
    path("", views.conferences, name="conferences"),
    path("<slug:conference>/", views.conference, name="conference"),
    path("<slug:conference>/programme/", views.programme, name="programme"),
    path("<slug:conference>/programme/<int:day>/", views.programme, name="day"),
    path("<slug:conference>/sessions/<slug:session>/", views.session, name="session"),
    path("<slug:conference>/side-events/<slug:session>/", views.side_event, name="side-event"),
    path("<slug:conference>/programme.ics", feeds.programme_calendar, name="calendar"),
    path("<slug:conference>/sessions/<slug:session>.ics", feeds.session_calendar, name="session-calendar"),
    path("<slug:conference>/programme.xml", feeds.schedule_xml, name="schedule-xml"),
    path("<slug:conference>/programme.json", feeds.schedule_json, name="schedule-json"),
]
