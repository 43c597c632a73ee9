"""What of the clients app follows when two records are merged, and what stays."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.followups import FOLLOW_UP
from clients.merging.attachments import all_stay, follows

follows("clients.TimelineEntry.client", _("Timeline entries"))
follows("clients.Call.client", _("Calls"))
follows("clients.DoNotCall.client", _("Do-not-call marks"))
follows("clients.DialEntry.client")
follows("clients.PhoneCall.client", _("Phone calls"))
follows("clients.Note.client", _("Notes"))
follows("clients.Task.client", _("Follow-ups"))
follows("clients.Message.client", _("E-mails"))
follows("clients.Chat.client", _("Chats"))
follows("clients.MailThread.client")
follows("clients.MailDraft.client")
follows("clients.IncomingMail.client", _("E-mails from the client"))
follows("clients.TextThread.client", _("SMS and WhatsApp"))
follows("clients.CustomValue.client", _("Custom fields"))
follows("clients.Identifier.client")
follows("crm.DueRow.client_id", only=Q(kind=FOLLOW_UP.code, state="pending"), part="clients")
all_stay(
    [
        "clients.Client.merged_into",
        "clients.ClientMerge.kept",
        "clients.ClientMerge.merged",
        "clients.Declaration.client",  # of the questionnaires, which stay
        "clients.Exemption.client",
        "clients.Chat.sealed_for",  # whose key opens the lines
        "clients.IncomingMail.sealed_for",  # whose key opens the text
        "clients.MailAttachment.sealed_for",
        "clients.SentAttachment.sealed_for",
        "clients.PhoneRecording.sealed_for",  # whose key opens the file
        "clients.TextThread.sealed_for",  # whose key opens the number
        "clients.TextFile.sealed_for",  # whose key opens the file
        "clients.TextMessage.sealed_for",  # whose key opens the text
        "clients.Ownership.client",  # append-only
        "clients.SegmentMember.client",  # the next refresh finds who fits
        "clients.SignInCountry.client",  # of the login, which stays
        # Proof, keys and what is sealed under them; work on what stays; events that were published.
        "crm.AccessEvent.client_id",
        "crm.AuditEvent.client_id",
        "crm.EventDelivery.client_id",
        "crm.OutboxEvent.client_id",
        "crm.OutgoingMail.client_id",
        "crm.SubjectKey.client_id",
        "crm.WebhookDelivery.client_id",
        "crm.WorkEntry.client_id",
        "crm.WorkItem.client_id",
    ]
)
