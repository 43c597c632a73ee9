"""Findings become episodes with a work item; what goes on extends the open one; what was decided lately stays decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils import timezone

from crm import work
from crm.choices import WorkPriority
from crm.db.locking import lock_all
from crm.i18n.localized_text import label_of, phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from risk.abuse.book import MONEY_UNITS, amount_of
from risk.abuse.choices import EpisodeState, RiskNotice
from risk.abuse.findings import Finding, Judgement, Limits
from risk.abuse.loading import LiveBook
from risk.abuse.models import AbuseEpisode, EpisodeParty, EpisodeTrade
from risk.abuse.queue import ABUSE, RIGHT, episodes_visible_to
from risk.abuse.thresholds import used_for
from trading.models import Deal

# What was decided isn't raised again for so long, unless far more is at stake.
QUIET: Final = dt.timedelta(days=30)
MORE_AT_STAKE: Final = 3
HIGH_SCORE: Final = Decimal("0.9")
AT_ONCE_MAX: Final = 500


@dataclass(frozen=True)
class Suspicion:
    """A finding with the ids that it is about; `client_id`: whose account has the most evidence trades.

    facts: those of the finding, the thresholds that it was judged by, and what it doesn't rest on.
    """

    finding: Finding
    accounts: tuple[int, ...]
    clients: tuple[int, ...]
    client_id: int
    facts: dict[str, object]

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        return str(self.finding.kind), self.accounts


def suspicions(live: LiveBook, limits: Limits, judgement: Judgement, touched: set[int]) -> list[Suspicion]:
    """Give findings that an account of these has a part in, with their ids, the strongest first and so many at once."""
    found = []
    for row in judgement.findings[: 4 * AT_ONCE_MAX]:
        pairs = sorted((live.account_id(n), live.client_id(n)) for n in row.accounts)
        if not touched.intersection(account for account, _client in pairs):
            continue
        of_client: dict[int, int] = {client: 0 for _account, client in pairs}
        for trade in row.rows:
            of_client[live.client_id(int(live.book.account[trade]))] += 1
        main = max(of_client, key=lambda client: (of_client[client], -client))
        accounts, clients = zip(*pairs, strict=True)
        facts = {**row.facts, "units": MONEY_UNITS, "thresholds": used_for(limits, row), **live.reservations(accounts)}
        found.append(Suspicion(row, accounts, clients, main, facts))
    return found[:AT_ONCE_MAX]


def raise_found(
    live: LiveBook, limits: Limits, judgement: Judgement, touched: set[int], *, now: dt.datetime | None = None
) -> list[AbuseEpisode]:
    """Open an episode for each new suspicion and extend the open ones, in the caller's transaction. Returns the new ones."""
    now = now or timezone.now()
    found = suspicions(live, limits, judgement, touched)
    if not found:
        return []
    known = _known(found, now)
    made: list[AbuseEpisode] = []
    for row in found:
        stake = amount_of(row.finding.stake)
        open_one, decided_stake = known.get(row.key, (None, None))
        if open_one is not None:
            _extend(open_one, row, live, stake)
        elif decided_stake is None or stake > MORE_AT_STAKE * max(decided_stake, Decimal(1)):
            made.append(_open(live, row, stake, now))
    for episode in made:
        _notify(episode)
    return made


def _known(
    found: list[Suspicion], now: dt.datetime
) -> dict[tuple[str, tuple[int, ...]], tuple[AbuseEpisode | None, Decimal | None]]:
    """Lock the open episodes of these accounts, and read what was decided lately: by kind and accounts.

    A cluster that grows is the same episode: one open episode of the kind that shares most of its accounts is extended.
    """
    everyone = sorted({account for row in found for account in row.accounts})
    rows = AbuseEpisode.objects.filter(accounts__overlap=everyone)
    still_open = lock_all(rows.filter(state=EpisodeState.OPEN))
    decided = rows.filter(decided_at__gte=now - QUIET).values_list("kind", "accounts", "stake")
    taken: set[int] = set()
    known: dict[tuple[str, tuple[int, ...]], tuple[AbuseEpisode | None, Decimal | None]] = {}
    for row in found:
        match = next(
            (
                episode
                for episode in still_open
                if episode.kind == row.finding.kind
                and episode.pk not in taken
                and 2 * len(set(episode.accounts) & set(row.accounts)) > max(len(episode.accounts), len(row.accounts))
            ),
            None,
        )
        if match is not None:
            taken.add(match.pk)
        stakes = [
            stake
            for kind, accounts, stake in decided
            if kind == row.finding.kind and set(row.accounts) <= set(accounts)
        ]
        known[row.key] = match, max(stakes, default=None)
    return known


def _moment(ms: int, now: dt.datetime) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC) if ms else now


def _open(live: LiveBook, row: Suspicion, stake: Decimal, now: dt.datetime) -> AbuseEpisode:
    score = Decimal(str(row.finding.score))
    item = work.open_item(
        ABUSE,
        brand=live.brand,
        opened_at=now,
        client_id=row.client_id,
        priority=WorkPriority.HIGH if score >= HIGH_SCORE and stake > 0 else WorkPriority.NORMAL,
    )
    episode = AbuseEpisode.objects.create(
        kind=row.finding.kind,
        brand=live.brand,
        client_id=row.client_id,
        accounts=list(row.accounts),
        work=item,
        score=score,
        stake=stake,
        facts=row.facts,
        first_at=_moment(row.finding.since_ms, now),
        last_at=_moment(row.finding.until_ms, now),
        raised_at=now,
    )
    _write_parties(episode, row)
    _write_trades(episode, row, live)
    return episode


def _extend(episode: AbuseEpisode, row: Suspicion, live: LiveBook, stake: Decimal) -> None:
    """Go on with an open episode: what is known now takes the place of what was known then."""
    episode.score, episode.stake = Decimal(str(row.finding.score)), stake
    episode.facts, episode.lost = row.facts, ""
    episode.accounts = list(row.accounts)
    episode.first_at = min(episode.first_at, _moment(row.finding.since_ms, episode.first_at))
    episode.last_at = max(episode.last_at, _moment(row.finding.until_ms, episode.last_at))
    episode.save(update_fields=["score", "stake", "facts", "lost", "accounts", "first_at", "last_at"])
    _write_parties(episode, row)
    EpisodeTrade.objects.filter(episode=episode).delete()
    _write_trades(episode, row, live)


def _write_parties(episode: AbuseEpisode, row: Suspicion) -> None:
    EpisodeParty.objects.bulk_create(
        (
            EpisodeParty(episode=episode, account_id=account, client_id=client)
            for account, client in zip(row.accounts, row.clients, strict=True)
        ),
        ignore_conflicts=True,
    )


def _write_trades(episode: AbuseEpisode, row: Suspicion, live: LiveBook) -> None:
    ids = [int(live.book.keys[n]) for n in row.finding.rows]
    deals = dict(_revisions(ids))
    EpisodeTrade.objects.bulk_create(
        EpisodeTrade(episode=episode, place=place, deal_id=pk, opened_at=deals[pk][0], revision=deals[pk][1])
        for place, pk in enumerate(ids)
        if pk in deals
    )


def _revisions(ids: list[int]) -> Iterable[tuple[int, tuple[dt.datetime, int]]]:
    rows = Deal.every.filter(pk__in=ids).order_by().values_list("pk", "executed_at", "revision")
    return ((pk, (at, revision)) for pk, at, revision in rows)


def _notify(episode: AbuseEpisode) -> None:
    """Notify those of the brand who decide it and see it."""
    holders = User.objects.filter(pk__in=people_with(RIGHT, brand_id=episode.brand_id))
    notify(
        [user for user in holders if episodes_visible_to(user).filter(pk=episode.pk).exists()],
        kind=RiskNotice.ABUSE,
        title=phrase("Suspected abuse: %(kind)s") % {"kind": label_of(episode, "kind")},
        body=str(episode.client),
        url=episode.get_absolute_url(),
        dedupe_key=f"risk.abuse:{episode.pk}",
    )
