from django.urls import path

from portal.tickets import views

urlpatterns = [
    path("portal/tickets/", views.ticket_list, name="portal_tickets"),
    path("portal/tickets/new/", views.ticket_new, name="portal_ticket_new"),
    path("portal/tickets/files/<int:file_id>/", views.ticket_file, name="portal_ticket_file"),
    path("portal/tickets/<int:ticket_id>/", views.ticket, name="portal_ticket"),
    path("portal/tickets/<int:ticket_id>/reply/", views.ticket_reply, name="portal_ticket_reply"),
    path("portal/tickets/<int:ticket_id>/<slug:act>/", views.ticket_change, name="portal_ticket_change"),
]
