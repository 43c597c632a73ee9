"""Addresses of SMS and WhatsApp."""

from django.urls import path

from clients.texting import views
from clients.texting.tables import TextEventTable, TextOptOutTable, TextThreadTable, UnknownTextTable
from crm.connections import views as connections
from crm.ui.views import TableView

urlpatterns = [
    path("webhooks/text-files/<slug:token>/", views.text_file_link, name="text_file_link"),
    path("webhooks/text/<slug:code>/", views.text_webhook, name="text_webhook"),
    path("webhooks/text/<slug:code>/<slug:reference>/", views.text_webhook, name="text_message_webhook"),
    path("clients/<int:client_id>/sms/", views.client_text, name="client_text"),
    path("clients/<int:client_id>/sms/preview/", views.text_preview, name="client_text_preview"),
    path("sms/threads/", TableView.as_view(table=TextThreadTable), name="text_threads"),
    path("sms/threads/<int:thread_id>/", views.thread, name="text_thread"),
    path("sms/threads/<int:thread_id>/close/", views.thread_close, name="text_thread_close"),
    path("sms/threads/<int:thread_id>/opt-out/", views.thread_opt_out, name="text_thread_opt_out"),
    path("sms/threads/<int:thread_id>/assign/<int:client_id>/", views.thread_assign, name="text_thread_assign"),
    path("sms/threads/<int:thread_id>/discard/", views.thread_discard, name="text_thread_discard"),
    path("sms/opt-outs/", TableView.as_view(table=TextOptOutTable), name="text_opt_outs"),
    path("sms/unassigned/", TableView.as_view(table=UnknownTextTable), name="unassigned_texts"),
    path("sms/files/<int:file_id>/", views.text_file, name="text_file"),
    path("sms/messages/<int:message_id>/undo/", views.text_undo, name="text_undo"),
    *connections.paths(views.PAGES),
    path("sms/events/", TableView.as_view(table=TextEventTable), name="text_events"),
    path("sms/events/<int:event_id>/", views.text_event, name="text_event"),
    path("sms/events/<int:event_id>/retry/", views.text_event_retry, name="text_event_retry"),
]
