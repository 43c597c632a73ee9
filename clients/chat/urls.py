"""Addresses of chats."""

from django.urls import path

from clients.chat import views
from clients.chat.tables import CannedAnswerTable
from crm.ui.views import TableView

urlpatterns = [
    path("chats/", views.ChatList.as_view(), name="chats"),
    path("chats/available/", views.chat_availability, name="chat_availability"),
    path(
        "chats/answers/",
        TableView.as_view(table=CannedAnswerTable, template_name="clients/chat/answers.html"),
        name="canned_answers",
    ),
    path("chats/answers/new/", views.canned_answer, name="canned_answer_new"),
    path("chats/answers/<int:answer_id>/", views.canned_answer, name="canned_answer"),
    path("chats/answers/<int:answer_id>/archive/", views.canned_answer_archive, name="canned_answer_archive"),
    path("chats/<int:chat_id>/", views.chat, name="chat"),
    path("chats/<int:chat_id>/write/", views.chat_write, name="chat_write"),
    path("chats/<int:chat_id>/hand-over/", views.chat_hand_over, name="chat_hand_over"),
    path("chats/<int:chat_id>/<slug:act>/", views.chat_do, name="chat_do"),
]
