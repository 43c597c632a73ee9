"""E-mails about tickets."""

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import letter
from crm.texts.catalogue import Text, Variable

NUMBER = Variable("number", _("Number of the ticket"), "1024")
SUBJECT = Variable("subject", _("Subject of the ticket"), _("Deposit not shown"), is_required=True)
letter(
    "support.ticket_received",
    title=_("Ticket received"),
    variables=(NUMBER, SUBJECT),
    texts={
        "en": Text(
            "[#{{ number }}] {{ subject }}",
            "Hello {{ first_name }},\n\nwe have received your request and opened ticket #{{ number }}. A colleague will reply "
            "soon.\n\nTo add something, reply to this e-mail.\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "[#{{ number }}] {{ subject }}",
            "Guten Tag {{ first_name }},\n\nwir haben Ihre Anfrage erhalten und das Ticket #{{ number }} eröffnet. Sie erhalten "
            "bald eine Antwort.\n\nWenn Sie etwas ergänzen möchten, antworten Sie auf diese E-Mail.\n\nFreundliche Grüße\n"
            "{{ brand }}",
        ),
    },
)
letter(
    "support.ticket_reply",
    title=_("Reply to a ticket"),
    variables=(NUMBER, SUBJECT, Variable("message", _("Reply"), _("Your deposit has arrived."), is_required=True)),
    texts={
        "en": Text(
            "[#{{ number }}] {{ subject }}",
            "Hello {{ first_name }},\n\n{{ message }}\n\nKind regards\n{{ brand }}\n\nTicket #{{ number }}. To answer, reply to "
            "this e-mail.",
        ),
        "de": Text(
            "[#{{ number }}] {{ subject }}",
            "Guten Tag {{ first_name }},\n\n{{ message }}\n\nFreundliche Grüße\n{{ brand }}\n\nTicket #{{ number }}. Um zu "
            "antworten, antworten Sie auf diese E-Mail.",
        ),
    },
)
letter(
    "support.ticket_solved",
    title=_("Ticket solved"),
    variables=(NUMBER, SUBJECT),
    texts={
        "en": Text(
            "[#{{ number }}] {{ subject }}",
            "Hello {{ first_name }},\n\nwe have marked ticket #{{ number }} as solved. If something is still open, reply to this "
            "e-mail and the ticket is reopened.\n\nYou can rate our help in the client portal:\n\n[Open client portal]"
            "({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "[#{{ number }}] {{ subject }}",
            "Guten Tag {{ first_name }},\n\nwir haben das Ticket #{{ number }} als gelöst markiert. Ist noch etwas offen, "
            "antworten Sie auf diese E-Mail, und das Ticket wird wieder geöffnet.\n\nIm Kundenportal können Sie unsere Hilfe "
            "bewerten:\n\n[Kundenportal öffnen]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)
