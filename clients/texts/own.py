"""The e-mails that the clients app itself sends."""

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import letter
from crm.texts.catalogue import Text, Variable

letter(
    "clients.free_text",
    title=_("Blank e-mail"),
    variables=(
        Variable("subject", _("Subject that the sender enters"), _("Your question"), is_required=True),
        Variable("message", _("Text that the sender enters"), _("Thank you for your call."), is_required=True),
    ),
    texts={"en": Text("{{ subject }}", "{{ message }}"), "de": Text("{{ subject }}", "{{ message }}")},
)
letter(
    "clients.to_many",
    title=_("E-mail to many"),
    variables=(
        Variable("subject", _("Subject that the sender enters"), _("Your question"), is_required=True),
        Variable("message", _("Text that the sender enters"), _("Thank you for your call."), is_required=True),
    ),
    texts={
        "en": Text("{{ subject }}", "{{ message }}\n\n{{ risk_warning }}"),
        "de": Text("{{ subject }}", "{{ message }}\n\n{{ risk_warning }}"),
    },
    is_marketing=True,
)
letter(
    "clients.we_tried_to_reach_you",
    title=_("We tried to reach you"),
    texts={
        "en": Text(
            "We tried to reach you",
            "Hello {{ first_name }},\n\nI tried to call you today and could not reach you. When is a good time? "
            "Just answer this e-mail with a day and an hour.\n\nKind regards\n{{ agent }}\n{{ brand }}",
        ),
        "de": Text(
            "Wir haben versucht, Sie zu erreichen",
            "Guten Tag {{ first_name }},\n\nich habe heute versucht, Sie anzurufen, und Sie leider nicht erreicht. Wann "
            "passt es Ihnen? Antworten Sie einfach auf diese E-Mail mit Tag und Uhrzeit.\n\nFreundliche Grüße\n{{ agent }}\n"
            "{{ brand }}",
        ),
    },
)
letter(
    "clients.welcome",
    title=_("Welcome: account opened"),
    variables=(
        Variable("platform", _("Trading platform"), "MetaTrader 5"),
        Variable("login", _("Number of the trading account"), "100001"),
        Variable("server", _("Name of the trading server"), "Meridian-Live"),
    ),
    texts={
        "en": Text(
            "Your {{ platform }} account is open",
            "Hello {{ first_name }},\n\nyour identity is confirmed and your trading account is open.\n\n"
            "Platform: {{ platform }}\nLogin: {{ login }}\nServer: {{ server }}\n\n"
            "You set the password in the client portal; we never send it by e-mail.\n\n"
            "[Open the client portal]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Ihr {{ platform }}-Konto ist eröffnet",
            "Guten Tag {{ first_name }},\n\nIhre Identität ist bestätigt und Ihr Handelskonto ist eröffnet.\n\n"
            "Plattform: {{ platform }}\nKontonummer: {{ login }}\nServer: {{ server }}\n\n"
            "Das Passwort legen Sie im Kundenportal fest; wir versenden es nie per E-Mail.\n\n"
            "[Zum Kundenportal]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)
