"""How often equity samples of a server's challenge accounts are read: every second, unless its platform asks for less.

MetaTrader 5 answers for some hundred logins in one request, Match-Trader pushes equity. A MetaTrader 4 bridge costs two requests
and the margin list of the whole server each time, cTrader's WebServices the list of all accounts, Sirix a request per account.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from trading.platforms.options import Option

NAME: Final = "sample_seconds"
DEFAULTS: Final = {"mt5": "1", "matchtrader": "1", "mt4": "2", "ctrader": "5", "sirix": "10"}


def sample_option(kind: str) -> Option:
    """Describe the setting for one kind of platform."""
    return Option(
        NAME,
        _("Seconds between two equity samples of challenges"),
        _("Raise it if the platform limits the number of requests. Traders see it on their challenge."),
        default=DEFAULTS.get(kind, "10"),
        pattern=r"[1-9]|[1-5][0-9]",
    )
