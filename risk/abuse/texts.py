"""What a finding says, in the reader's language, from its stored facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.choices import IdentifierKind
from crm.i18n import formats
from crm.money.amounts import Money
from risk.abuse.book import amount_of
from risk.abuse.choices import Abuse
from risk.abuse.models import AbuseEpisode


def _sentences() -> dict[Abuse, str]:
    return {
        Abuse.LATENCY: _(
            "%(trades)s of %(judged)s openings (%(share)s) were filled at a price that the market had left within a second; "
            "other clients: %(usual)s. Those gained %(gained)s spreads in that second."
        ),
        Abuse.TOXIC: _(
            "Over %(judged)s trades, the market moved %(gained)s spreads in the client's favour within 30 seconds on average."
        ),
        Abuse.NEWS: _(
            "%(trades)s of %(judged)s openings (%(share)s) fall into the 90 seconds before a price jump or its first minute; "
            "by chance it would be %(usual)s."
        ),
        Abuse.SCALPING: _(
            "%(trades)s of %(judged)s closed trades (%(share)s) were held for less than %(seconds)s seconds, and won on balance. "
            "The median is %(usual_seconds)s seconds."
        ),
        Abuse.SWAP: _(
            "%(trades)s trades (%(share)s of all) were held for minutes over the rollover and were paid swap for it."
        ),
        Abuse.GAP: _(
            "%(trades)s trades (%(share)s of all) on %(weekends)s weekends were opened late on Friday and closed when the market "
            "opened again."
        ),
        Abuse.SIZE: _(
            "A trade of %(lots)s lots is %(times)s times the account's usual %(usual)s lots, and larger than all before it."
        ),
        Abuse.HEDGE: _(
            "%(matches)s times one account bought what the other one sold: the same symbol and size within %(seconds)s seconds, "
            "held together. That is %(share)s of the quieter account's trades."
        ),
        Abuse.COPY: _(
            "%(members)s accounts open and close the same trades within %(seconds)s seconds in a constant proportion, up to "
            "%(matches)s times. That is %(share)s of the quieter account's trades."
        ),
        Abuse.BONUS: _(
            "A bonus of %(bonus)s was traded in opposite positions on two accounts (%(share)s of the trades), and %(withdrawn)s "
            "was withdrawn within %(days)s days."
        ),
        Abuse.LAUNDERING: _(
            "%(deposited)s was deposited and %(withdrawn)s withdrawn within %(days)s days, with %(trades)s trades between."
        ),
        Abuse.MULTI: _("%(clients)s clients are likely one person: they share %(kinds)s."),
    }


SHARES = ("share", "usual")
AMOUNTS = ("bonus", "withdrawn", "deposited")


def sentence(kind: str, facts: Mapping[str, Any], currency: str) -> str:
    """Write a finding in one sentence."""
    values: dict[str, str] = {}
    for name, value in facts.items():
        if name in AMOUNTS:
            values[name] = money(value, currency)
        elif name == "kinds":
            values[name] = ", ".join(kind_label(code) for code in value)
        elif name in SHARES and kind != Abuse.SIZE:
            values[name] = f"{formats.number(round(100 * value))} %"
        elif isinstance(value, int | float) and not isinstance(value, bool):
            values[name] = formats.number(value)
    return _sentences()[Abuse(kind)] % values


def reservations(facts: Mapping[str, Any]) -> list[str]:
    """Say what a finding doesn't rest on: deals beyond those that are read of an account, and trades with impossible times."""
    said = []
    if newest := facts.get("newest_deals"):
        text = _("Only the newest %(deals)s deals of an account were judged; there are more.")
        said.append(text % {"deals": formats.number(newest)})
    if left_out := facts.get("left_out"):
        text = ngettext(
            "%(n)s trade was left out: by its times it closed before it opened.",
            "%(n)s trades were left out: by their times they closed before they opened.",
            left_out,
        )
        said.append(text % {"n": formats.number(left_out)})
    if ahead := facts.get("ahead"):
        text = ngettext(
            "%(n)s trade lies in the future: the platform's clock runs ahead.",
            "%(n)s trades lie in the future: the platform's clock runs ahead.",
            ahead,
        )
        said.append(text % {"n": formats.number(ahead)})
    return said


def money(units: int, currency: str) -> str:
    """Write an amount of money units; a file may not say its currency."""
    amount = amount_of(units)
    return formats.money(Money(amount, currency)) if currency else formats.number(amount)


def kind_label(code: str) -> str:
    """Name a kind of shared thing."""
    return _("Name") if code == "name" else str(IdentifierKind(code).label)


def not_judged(trades: int, without_quotes: int) -> str:
    """Say why an account could not be judged."""
    return _("Not judged: quotes are missing for %(missing)s of %(trades)s trades.") % {
        "missing": formats.number(without_quotes),
        "trades": formats.number(trades),
    }


def money_note(episode: AbuseEpisode, *, is_short: bool = False) -> str:
    """State that simulated money of challenges is at stake; empty where all of it is real. The episode comes from `with_money`."""
    if not episode.has_simulated:  # type: ignore[attr-defined]
        return ""
    if episode.has_real:  # type: ignore[attr-defined]
        return (
            _("partly simulated")
            if is_short
            else _("Accounts of challenges have a part in it: their money is simulated.")
        )
    return (
        _("simulated")
        if is_short
        else _("Simulated money: these are accounts of challenges. It isn’t in any sum of real money.")
    )
