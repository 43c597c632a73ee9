"""Letters about margin: each fits the limit that the account's level fell through."""

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import letter
from crm.texts.catalogue import Text, Variable

VARIABLES = (
    Variable("login", _("Number of the trading account"), "100001"),
    Variable("level", _("Margin level in per cent"), "92"),
    Variable("limit", _("Limit that the margin level fell below, in per cent"), "100"),
)
END = "\n\n[Open the client portal]({{ portal_url }})\n\nKind regards\n{{ brand }}"
ENDE = "\n\n[Zum Kundenportal]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}"

letter(
    "trading.margin_warning",
    title=_("Margin level is low"),
    variables=VARIABLES,
    texts={
        "en": Text(
            "The margin level of account {{ login }} is {{ level }} %",
            "Hello {{ first_name }},\n\nthe margin level of your trading account {{ login }} has fallen below {{ limit }} %; it is "
            "now {{ level }} %. If it falls further, you can't open positions, and open ones may be closed for you. You can "
            "deposit funds or close positions yourself." + END,
        ),
        "de": Text(
            "Der Margin-Level von Konto {{ login }} beträgt {{ level }} %",
            "Guten Tag {{ first_name }},\n\nder Margin-Level Ihres Handelskontos {{ login }} ist unter {{ limit }} % gefallen und "
            "beträgt jetzt {{ level }} %. Fällt er weiter, können keine Positionen mehr eröffnet und offene können für Sie "
            "geschlossen werden. Sie können einzahlen oder selbst Positionen schließen." + ENDE,
        ),
    },
)
letter(
    "trading.margin_call",
    title=_("Margin call"),
    variables=VARIABLES,
    texts={
        "en": Text(
            "Margin call on account {{ login }}",
            "Hello {{ first_name }},\n\nyour trading account {{ login }} has no free margin left: its margin level is "
            "{{ level }} %, below {{ limit }} %. You can't open positions now. Please deposit funds or close positions; if the "
            "level falls further, the platform closes positions automatically." + END,
        ),
        "de": Text(
            "Margin Call auf Konto {{ login }}",
            "Guten Tag {{ first_name }},\n\nIhr Handelskonto {{ login }} hat keine freie Margin mehr: Der Margin-Level beträgt "
            "{{ level }} % und liegt unter {{ limit }} %. Sie können jetzt keine Positionen eröffnen. Bitte zahlen Sie ein oder "
            "schließen Sie Positionen; fällt der Level weiter, schließt die Plattform Positionen automatisch." + ENDE,
        ),
    },
)
letter(
    "trading.margin_stop",
    title=_("Stop-out level reached"),
    variables=VARIABLES,
    texts={
        "en": Text(
            "Account {{ login }} is at its stop-out level",
            "Hello {{ first_name }},\n\nthe margin level of your trading account {{ login }} is {{ level }} %, below the stop-out "
            "level of {{ limit }} %. The platform closes positions, those with the largest loss first, until the level has "
            "recovered." + END,
        ),
        "de": Text(
            "Konto {{ login }} hat das Stop-out-Niveau erreicht",
            "Guten Tag {{ first_name }},\n\nder Margin-Level Ihres Handelskontos {{ login }} beträgt {{ level }} % und liegt "
            "unter dem Stop-out-Niveau von {{ limit }} %. Die Plattform schließt Positionen, die mit dem größten Verlust zuerst, "
            "bis sich der Level erholt hat." + ENDE,
        ),
    },
)
letter(
    "trading.account_type_proposed",
    title=_("Another account type proposed"),
    is_marketing=True,
    variables=(Variable("account_type", _("Name of the account type"), "Professional"),),
    texts={
        "en": Text(
            "An account type for you: {{ account_type }}",
            "Hello {{ first_name }},\n\nthe account type {{ account_type }} may suit you. In the client portal you see what it "
            "costs and what it needs, and you can ask for it there. Your account stays as it is unless you do."
            + END
            + "\n\n"
            "{{ risk_warning }}\n\nYou receive this e-mail because you agreed to news and offers. You can unsubscribe at any time "
            "in the client portal, under your profile.",
        ),
        "de": Text(
            "Ein Kontotyp für Sie: {{ account_type }}",
            "Guten Tag {{ first_name }},\n\nder Kontotyp {{ account_type }} könnte zu Ihnen passen. Im Kundenportal sehen Sie, was "
            "er kostet und was er voraussetzt, und können ihn dort beantragen. Ihr Konto bleibt sonst, wie es ist."
            + ENDE
            + "\n\n"
            "{{ risk_warning }}\n\nSie erhalten diese E-Mail, weil Sie Neuigkeiten und Angeboten zugestimmt haben. Sie können sie "
            "jederzeit im Kundenportal unter Ihrem Profil abbestellen.",
        ),
    },
)
