"""Addresses of mail services."""

from django.urls import path

from clients.mail_services import views
from clients.mail_services.tables import MailEventTable
from crm.connections import views as connections
from crm.ui.views import TableView

urlpatterns = [
    path("webhooks/mail/<slug:code>/", views.mail_service_webhook, name="mail_service_webhook"),
    *connections.paths(views.PAGES),
    path("mail/events/", TableView.as_view(table=MailEventTable), name="mail_events"),
    path("mail/events/<int:event_id>/", views.mail_event, name="mail_event"),
    path("mail/events/<int:event_id>/retry/", views.mail_event_retry, name="mail_event_retry"),
]
