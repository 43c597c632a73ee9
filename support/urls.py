from django.urls import URLPattern, URLResolver, path

from crm.ui.views import TableView
from support import views
from support.macro import macro_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/", views.Queue.as_view(), name="tickets"),
    path("tickets/next/", views.NextTicket.as_view(), name="ticket_next"),
    path("tickets/assign/", views.AssignTickets.as_view(), name="tickets_assign"),
    path("tickets/figures/", macro_pages.ticket_figures, name="ticket_figures"),
    path(
        "tickets/macros/",
        TableView.as_view(table=macro_pages.MacroTable, template_name="support/macros.html"),
        name="ticket_macros",
    ),
    path("tickets/macros/new/", macro_pages.macro, name="ticket_macro_new"),
    path("tickets/macros/<int:macro_id>/", macro_pages.macro, name="ticket_macro"),
    path("tickets/chats/<int:chat_id>/", views.from_chat, name="ticket_from_chat"),
    path("tickets/threads/<int:thread_id>/", views.from_thread, name="ticket_from_thread"),
    path("tickets/files/<int:file_id>/", views.file, name="ticket_file"),
    path("tickets/<int:ticket_id>/", views.ticket, name="ticket"),
    path("tickets/<int:ticket_id>/write/", views.write, name="ticket_write"),
    path("tickets/<int:ticket_id>/assign/", views.assign, name="ticket_assign"),
    path("tickets/<int:ticket_id>/merge/", views.merge, name="ticket_merge"),
    path("tickets/<int:ticket_id>/do/<slug:act>/", views.change, name="ticket_change"),
    path("clients/<int:client_id>/tickets/new/", views.client_ticket_new, name="client_ticket_new"),
]
