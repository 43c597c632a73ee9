"""Addresses of telephony."""

from django.urls import path

from clients.telephony import dial_views, views
from clients.telephony.tables import PhoneCallTable, PhoneEventTable
from crm.connections import views as connections
from crm.ui.views import TableView

urlpatterns = [
    path("webhooks/phone/<slug:code>/", views.phone_webhook, name="phone_webhook"),
    path("webhooks/phone/<slug:code>/<slug:reference>/", views.phone_webhook, name="phone_call_webhook"),
    path("clients/<int:client_id>/phone/", views.client_phone, name="client_phone"),
    path("clients/<int:client_id>/do-not-call/", views.client_do_not_call, name="client_do_not_call"),
    path("phone/dial/", dial_views.dial_list, name="dial_list"),
    path("phone/dial/new/", dial_views.dial_new, name="dial_new"),
    path("phone/dial/end/", dial_views.dial_end, name="dial_end"),
    path("phone/dial/<int:entry_id>/skip/", dial_views.dial_skip, name="dial_skip"),
    path("phone/mine/", views.own_phone, name="own_phone"),
    path("phone/calls/", TableView.as_view(table=PhoneCallTable), name="phone_calls"),
    path("phone/calls/<int:call_id>/", views.phone_call, name="phone_call"),
    path("phone/calls/<int:call_id>/link/", views.phone_call_link, name="phone_call_link"),
    path("phone/calls/<int:call_id>/hang-up/", views.phone_call_hang_up, name="phone_call_hang_up"),
    path("phone/recordings/<int:recording_id>/audio/", views.recording_audio, name="recording_audio"),
    *connections.paths(views.PAGES),
    path("phone/events/", TableView.as_view(table=PhoneEventTable), name="phone_events"),
    path("phone/events/<int:event_id>/", views.phone_event, name="phone_event"),
    path("phone/events/<int:event_id>/retry/", views.phone_event_retry, name="phone_event_retry"),
]
