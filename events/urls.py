"""Addresses of the programme, below the language."""

from django.urls import path

from events import agenda_views, results_views, views
from events.documents import Kind
from events.documents import views as documents
from events.feeds import views as feeds
from events.releases import views as releases

app_name = "events"
urlpatterns = [
    path("", views.conferences, name="conferences"),
    path("recommendations/", results_views.recommendations, name="recommendations"),
    path("<slug:conference>/", views.conference, name="conference"),
    path("<slug:conference>/programme/", views.programme, name="programme"),
    path("<slug:conference>/programme/<int:day>/", views.programme, name="day"),
    path("<slug:conference>/sessions/<slug:session>/", views.session, name="session"),
    path("<slug:conference>/side-events/<slug:session>/", views.side_event, name="side-event"),
    path("<slug:conference>/changes/", releases.changes, name="changes"),
    path("<slug:conference>/agenda/", agenda_views.page, name="agenda"),
    path("<slug:conference>/agenda/state/", agenda_views.state, name="agenda-state"),
    path("<slug:conference>/agenda.ics", agenda_views.download, name="agenda-calendar"),
    path("<slug:conference>/agenda/<str:selection>.ics", agenda_views.feed, name="agenda-feed"),
    path("<slug:conference>/programme.ics", feeds.programme_calendar, name="calendar"),
    path("<slug:conference>/sessions/<slug:session>.ics", feeds.session_calendar, name="session-calendar"),
    path("<slug:conference>/programme.xml", feeds.schedule_xml, name="schedule-xml"),
    path("<slug:conference>/programme.json", feeds.schedule_json, name="schedule-json"),
    path("<slug:conference>/changes.atom", feeds.changes_atom, name="changes-atom"),
    path("<slug:conference>/sessions/<slug:session>.pdf", documents.session_pdf, name="session-pdf"),
]
for kind in Kind.of_conference():
    where = f"<slug:conference>/{kind}"
    urlpatterns += [
        path(f"{where}.pdf", documents.conference_pdf, {"kind": kind}, name=f"{kind}-pdf"),
        path(f"{where}.docx", documents.conference_docx, {"kind": kind}, name=f"{kind}-docx"),
    ]
