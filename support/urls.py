from django.urls import URLPattern, URLResolver, path

from support import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/", views.Queue.as_view(), name="tickets"),
    path("tickets/next/", views.NextTicket.as_view(), name="ticket_next"),
    path("tickets/assign/", views.AssignTickets.as_view(), name="tickets_assign"),
    path("tickets/files/<int:file_id>/", views.file, name="ticket_file"),
    path("tickets/<int:ticket_id>/", views.ticket, name="ticket"),
    path("tickets/<int:ticket_id>/write/", views.write, name="ticket_write"),
    path("tickets/<int:ticket_id>/assign/", views.assign, name="ticket_assign"),
    path("tickets/<int:ticket_id>/do/<slug:act>/", views.change, name="ticket_change"),
    path("clients/<int:client_id>/tickets/new/", views.client_ticket_new, name="client_ticket_new"),
]
