"""Suspected abuse on accounts of challenges: which kinds a phase can forbid, and what those who review an account read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.i18n.localized_text import label_of
from crm.models import User
from prop.models import PhaseAccount
from prop.programmes.styles import StyleFinding
from prop.queries import challenges_visible_to
from risk.abuse.choices import Abuse, EpisodeState
from risk.abuse.evidence import Party, trades_of
from risk.abuse.models import AbuseEpisode
from risk.abuse.texts import sentence

SHOWN_MAX = 10
# As traders read them. Left out: what no trader decides (toxic flow), and what needs real money (bonuses, laundering).
FORBIDDABLE: Final[Mapping[str, str | Promise]] = {
    Abuse.LATENCY.value: _("No latency arbitrage: no trades at prices that the market has already left."),
    Abuse.NEWS.value: _("No trading on price jumps: no habit of opening positions just before or during them."),
    Abuse.SCALPING.value: _("No scalping: most trades have to be held for longer than moments."),
    Abuse.SWAP.value: _("No swap trading: no positions held for minutes over the rollover to be paid swap."),
    Abuse.GAP.value: _("No gap trading: no positions opened late on Friday to be closed when the market opens again."),
    Abuse.SIZE.value: _("No oversized trades: none many times larger than those before it."),
    Abuse.HEDGE.value: _("No opposite positions in the same symbol on several accounts."),
    Abuse.COPY.value: _("No copied trades: not the same trades on several accounts."),
    Abuse.MULTI.value: _("One person has accounts under one name only."),
}


@dataclass(frozen=True, slots=True)
class FoundOn:
    """An account of a challenge in an episode, and whether its phase forbids that style."""

    row: PhaseAccount
    is_forbidden: bool


def challenges_in(user: User, episode: AbuseEpisode) -> list[FoundOn]:
    """List the accounts of challenges in an episode that a person sees."""
    seen = challenges_visible_to(user).order_by().values("pk")
    rows = PhaseAccount.objects.filter(account_id__in=episode.accounts, challenge__in=seen).select_related(
        "phase", "account", "challenge__version__programme"
    )
    return [FoundOn(row, episode.kind in row.phase.forbidden_styles) for row in rows.order_by("pk")[:SHOWN_MAX]]


def findings_of(row: PhaseAccount) -> list[StyleFinding]:
    """Name each open or confirmed episode of an account with its state."""
    rows = AbuseEpisode.objects.filter(
        accounts__contains=[row.account_id], state__in=(EpisodeState.OPEN, EpisodeState.CONFIRMED)
    ).select_related("brand")
    return [
        StyleFinding(
            each.kind,
            f"{label_of(each, 'kind')}: {label_of(each, 'state')}.",
            each.state == EpisodeState.CONFIRMED,
            partial(evidence_for, row, each),
        )
        for each in rows.order_by("-pk")[:SHOWN_MAX]
    ]


def evidence_for(row: PhaseAccount, episode: AbuseEpisode) -> dict[str, Any]:
    """Write what an episode rests on for the trader of one of its accounts: nothing of other people's, no threshold. In English."""
    own = Party(row.account_id, row.account.login, row.account.currency, row.challenge.client)
    tickets = [trade.ticket for trade in trades_of(episode, [own]) if trade.party is not None]
    with translation.override("en"):
        return {
            "finding": str(Abuse(episode.kind).label),
            "text": sentence(episode.kind, episode.facts, episode.brand.base_currency),
            "since": episode.first_at.isoformat(),
            "until": episode.last_at.isoformat(),
            "tickets": tickets,
        }
