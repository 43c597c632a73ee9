"""Addresses of e-mail."""

from django.urls import path

from clients.messages import forward_views as forwarding
from clients.messages import views
from clients.messages.tables import SuppressionTable, ThreadTable, UnknownMailTable
from crm.connections import views as connections
from crm.ui.views import TableView

urlpatterns = [
    path("mail/threads/", TableView.as_view(table=ThreadTable), name="mail_threads"),
    path("mail/threads/<int:thread_id>/", views.thread, name="mail_thread"),
    path("mail/threads/<int:thread_id>/close/", views.thread_close, name="mail_thread_close"),
    path("mail/unassigned/", TableView.as_view(table=UnknownMailTable), name="unassigned_mail"),
    path("mail/incoming/<int:mail_id>/", views.mail, name="incoming_mail"),
    path("mail/incoming/<int:mail_id>/frame/", views.mail_frame, name="incoming_mail_frame"),
    path("mail/incoming/<int:mail_id>/assign/<int:client_id>/", views.mail_assign, name="incoming_mail_assign"),
    path("mail/incoming/<int:mail_id>/discard/", views.mail_discard, name="incoming_mail_discard"),
    path("mail/incoming/<int:mail_id>/forward/", forwarding.forward_incoming, name="incoming_mail_forward"),
    path("mail/sent/<int:message_id>/forward/", forwarding.forward_sent, name="mail_forward"),
    path("mail/attachments/<int:attachment_id>/", views.attachment, name="mail_attachment"),
    path("mail/sent/files/<int:file_id>/", views.sent_file, name="mail_sent_file"),
    path(
        "mail/suppressions/",
        TableView.as_view(table=SuppressionTable, template_name="clients/messages/suppressions.html"),
        name="suppressions",
    ),
    path("mail/suppressions/new/", views.suppression_new, name="suppression_new"),
    path("mail/suppressions/<int:suppression_id>/", views.suppression_lift, name="suppression_lift"),
    path("mail/unsubscribe/<str:token>/", views.unsubscribe, name="mail_unsubscribe"),
    path("mail/sent/<int:message_id>/undo/", views.mail_undo, name="mail_undo"),
    path("clients/<int:client_id>/mail/draft/", views.mail_draft, name="mail_draft"),
    path("clients/<int:client_id>/mail/preview/", views.mail_preview, name="mail_preview"),
    *connections.paths(views.PAGES),
]
