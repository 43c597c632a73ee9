"""The warning that a client reads before they give up protections, and the e-mails about their request."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import COMMON, letter
from crm.texts.catalogue import DeclaredText, Text, TextKind, Variable, declare_text

OF_BRAND: Final = tuple(one for one in COMMON if one.name in ("brand", "legal_name", "support_email"))
# MiFID II Annex II section II.2: a clear written warning of the protections that may be lost, acknowledged in writing in a
# document of its own. Retail CFD protections: ESMA's product intervention (EU) 2019/796 as taken over nationally.
WARNING: Final = declare_text(
    DeclaredText(
        "kyc.professional_warning",
        TextKind.AGREEMENT,
        _("Warning to clients who ask to be professional"),
        {
            "en": Text(
                "I have read this warning. I ask to be treated as a professional client and know that I lose these protections.",
                "As a professional client of {{ legal_name }} you lose protections that the law gives to retail clients:\n\n"
                "Leverage limits. The limits on leverage for retail clients no longer apply. With higher leverage you can "
                "lose your money much faster.\n\n"
                "Negative balance protection. You may owe us more than you have paid in.\n\n"
                "Margin close-out. We need not close your positions when your margin falls to half of what is required.\n\n"
                "Bonuses and incentives. The ban on offering them to retail clients no longer protects you.\n\n"
                "Information. We may give you less information about costs, risks and our services, and may assume that you "
                "have the experience and knowledge to understand them without a test or a warning.\n\n"
                "Best execution. Price and cost need not come first when we execute your orders.\n\n"
                "Complaints and compensation. You may lose access to the financial ombudsman and to the investor "
                "compensation scheme.\n\n"
                "You can ask us at any time to be treated as a retail client again. Tell us if you no longer meet the "
                "criteria.",
            ),
            "de": Text(
                "Ich habe diese Warnung gelesen. Ich beantrage die Einstufung als professioneller Kunde und weiß, dass ich "
                "diesen Schutz verliere.",
                "Als professioneller Kunde von {{ legal_name }} verlieren Sie Schutz, den das Gesetz Privatkunden gibt:\n\n"
                "Hebelgrenzen. Die Hebelgrenzen für Privatkunden gelten nicht mehr. Mit höherem Hebel können Sie Ihr Geld "
                "sehr viel schneller verlieren.\n\n"
                "Schutz vor negativem Saldo. Sie können uns mehr schulden, als Sie eingezahlt haben.\n\n"
                "Zwangsschließung. Wir müssen Ihre Positionen nicht schließen, wenn Ihre Margin auf die Hälfte der "
                "erforderlichen fällt.\n\n"
                "Boni und Anreize. Das Verbot, sie Privatkunden anzubieten, schützt Sie nicht mehr.\n\n"
                "Informationen. Wir dürfen Sie weniger ausführlich über Kosten, Risiken und unsere Dienstleistungen "
                "informieren und davon ausgehen, dass Sie sie ohne Prüfung und Warnung beurteilen können.\n\n"
                "Bestmögliche Ausführung. Preis und Kosten müssen bei der Ausführung Ihrer Aufträge nicht an erster Stelle "
                "stehen.\n\n"
                "Beschwerden und Entschädigung. Sie können den Zugang zur Schlichtungsstelle und zur Anlegerentschädigung "
                "verlieren.\n\n"
                "Sie können jederzeit verlangen, wieder als Privatkunde eingestuft zu werden. Teilen Sie uns mit, wenn Sie "
                "die Voraussetzungen nicht mehr erfüllen.",
            ),
        },
        common=OF_BRAND,
    )
)
letter(
    "kyc.category_approved",
    title=_("Professional client: approved"),
    texts={
        "en": Text(
            "You are now a professional client",
            "Hello {{ first_name }},\n\nwe have approved your request: from now on we treat you as a professional client. The "
            "protections named in the warning that you confirmed no longer apply. You can return to being a retail client "
            "at any time in the client portal.\n\n[Open the client portal]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Sie sind jetzt professioneller Kunde",
            "Guten Tag {{ first_name }},\n\nwir haben Ihrem Antrag zugestimmt und stufen Sie ab sofort als professionellen Kunden "
            "ein. Der Schutz, den die von Ihnen bestätigte Warnung nennt, gilt nicht mehr. Im Kundenportal können Sie "
            "jederzeit zum Privatkunden zurückkehren.\n\n[Zum Kundenportal]({{ portal_url }})\n\n"
            "Freundliche Grüße\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.category_declined",
    title=_("Professional client: declined"),
    variables=(
        Variable("reason", _("Why the request was declined"), _("The documents don't prove this."), is_required=True),
    ),
    texts={
        "en": Text(
            "Your request to be a professional client",
            "Hello {{ first_name }},\n\nwe have reviewed your request to be treated as a professional client. We can't approve "
            "it:\n\n{{ reason }}\n\nYou keep all protections of a retail client.\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Ihr Antrag auf Einstufung als professioneller Kunde",
            "Guten Tag {{ first_name }},\n\nwir haben Ihren Antrag auf Einstufung als professioneller Kunde geprüft. Wir können "
            "ihm "
            "nicht zustimmen:\n\n{{ reason }}\n\nSie behalten den vollen Schutz eines Privatkunden.\n\n"
            "Freundliche Grüße\n{{ brand }}",
        ),
    },
)
