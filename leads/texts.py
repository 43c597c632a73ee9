"""E-mails that the leads app sends."""

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import letter
from crm.texts.catalogue import Text, Variable

letter(
    "leads.registration_link",
    title=_("Registration link"),
    variables=(
        Variable("expires", _("Last day of the link"), "31 Dec 2026"),
        Variable(
            "link",
            _("Personal registration link"),
            "https://portal.example/register/example",
            is_secret=True,
            is_link=True,
        ),
    ),
    texts={
        "en": Text(
            "Your registration at {{ brand }}",
            "Hello {{ first_name }},\n\nas agreed, here is your personal link to register with {{ brand }}. Your details "
            "are already filled in.\n\n[Register now]({{ link }})\n\nThe link works once, until {{ expires }}. If you didn't "
            "request it, you can ignore this e-mail: only you can register with it.\n\nKind regards\n{{ agent }}\n{{ brand }}",
        ),
        "de": Text(
            "Ihre Registrierung bei {{ brand }}",
            "Guten Tag {{ first_name }},\n\nwie besprochen, hier ist Ihr persönlicher Link zur Registrierung bei {{ brand }}. "
            "Ihre Angaben sind bereits eingetragen.\n\n[Jetzt registrieren]({{ link }})\n\nDer Link gilt einmal und bis zum "
            "{{ expires }}. Wenn Sie ihn nicht angefordert haben, brauchen Sie nichts zu tun: Niemand außer Ihnen kann sich "
            "damit registrieren.\n\nFreundliche Grüße\n{{ agent }}\n{{ brand }}",
        ),
    },
)
