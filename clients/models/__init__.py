from clients.models.client import Client
from clients.models.mail import MailTemplate, Message
from clients.models.timeline import TimelineEntry
from clients.models.work import Call, Note, NoteVersion, Task

__all__ = ["Call", "Client", "MailTemplate", "Message", "Note", "NoteVersion", "Task", "TimelineEntry"]
