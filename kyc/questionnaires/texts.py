"""E-mails about questionnaires."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import letter
from crm.texts.catalogue import Text, Variable

letter(
    "kyc.answers_expire",
    title=_("Answers need to be renewed"),
    variables=(
        Variable("questionnaire", _("Title of the questionnaire"), _("Source of funds and wealth")),
        Variable("day", _("Day until which the answers count"), "1 March 2027"),
    ),
    texts={
        "en": Text(
            "Please update your information",
            "Hello {{ first_name }},\n\nwe have to keep what we know about you up to date. Your answers to "
            "“{{ questionnaire }}” count until {{ day }}. Please answer the questions again in the client portal: it "
            "takes a few minutes.\n\n[Answer now]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Bitte aktualisieren Sie Ihre Angaben",
            "Guten Tag {{ first_name }},\n\nwir sind verpflichtet, Ihre Angaben aktuell zu halten. Ihre Antworten zu "
            "„{{ questionnaire }}“ gelten bis {{ day }}. Bitte beantworten Sie die Fragen im Kundenportal erneut. Das "
            "dauert nur wenige Minuten.\n\n[Jetzt beantworten]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)
