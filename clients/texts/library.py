"""The library of educational e-mails, in series. Their words are files: `educational/<language>/<name>.txt`, subject first.

All but the help with documents and the first steps are marketing: they go only to clients who agreed to it, carry the risk
warning with its percentage, and say how to unsubscribe. None promises a result or urges to deposit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import letter
from crm.texts.catalogue import Label, Text

FOLDER: Final = Path(__file__).parent / "educational"
REGARDS: Final = {"en": "Kind regards\n{{ brand }}", "de": "Freundliche Grüße\n{{ brand }}"}
BELOW_MARKETING: Final = {
    "en": "{{ risk_warning }}\n\nYou receive this e-mail because you agreed to news and offers. You can unsubscribe at any time "
    "in the client portal, under your profile.",
    "de": "{{ risk_warning }}\n\nSie erhalten diese E-Mail, weil Sie Neuigkeiten und Angeboten zugestimmt haben. Sie können sie "
    "jederzeit im Kundenportal unter Ihrem Profil abbestellen.",
}
WELCOME, FUNDING, PLATFORMS = _("Welcome series"), _("How to fund and withdraw"), _("Platform tips")
RISK_BASICS, DOCUMENT_HELP = _("Risk management basics"), _("Help with documents")
MARKETING: Final = True


def _text(name: str, language: str, is_marketing: bool) -> Text:
    heading, _line, body = (FOLDER / language / f"{name}.txt").read_text(encoding="utf-8").partition("\n")
    below = [REGARDS[language], *([BELOW_MARKETING[language]] if is_marketing else [])]
    return Text(heading.strip(), "\n\n".join([body.strip(), *below]))


def _educational(name: str, title: Label, series: Label, is_marketing: bool = False) -> None:
    texts = {language: _text(name, language, is_marketing) for language in REGARDS}
    letter(f"clients.learn_{name}", title=title, texts=texts, is_marketing=is_marketing, series=series)


_educational("welcome_1", _("Welcome 1: first steps"), WELCOME)
_educational("welcome_2", _("Welcome 2: money and login are protected"), WELCOME)
_educational("welcome_3", _("Welcome 3: practise on a demo account"), WELCOME, MARKETING)
_educational("welcome_4", _("Welcome 4: leverage and margin"), WELCOME, MARKETING)
_educational("welcome_5", _("Welcome 5: costs, help and complaints"), WELCOME, MARKETING)
_educational("funding_1", _("How to fund your account"), FUNDING, MARKETING)
_educational("funding_2", _("Bank transfers and their reference"), FUNDING, MARKETING)
_educational("funding_3", _("How withdrawals work"), FUNDING, MARKETING)
_educational("platform_mt5", _("Tips for MetaTrader 5"), PLATFORMS, MARKETING)
_educational("platform_mt4", _("Tips for MetaTrader 4"), PLATFORMS, MARKETING)
_educational("platform_ctrader", _("Tips for cTrader"), PLATFORMS, MARKETING)
_educational("platform_matchtrader", _("Tips for Match-Trader"), PLATFORMS, MARKETING)
_educational("risk_1", _("Risk 1: the size of a position"), RISK_BASICS, MARKETING)
_educational("risk_2", _("Risk 2: what a stop-loss can do"), RISK_BASICS, MARKETING)
_educational("risk_3", _("Risk 3: five questions before each trade"), RISK_BASICS, MARKETING)
_educational("kyc_1", _("Documents that pass the first time"), DOCUMENT_HELP)
_educational("kyc_2", _("Proof of address"), DOCUMENT_HELP)
