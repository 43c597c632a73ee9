"""What a breach rests on, as one archive: rules, verdict, samples and deals of that server day, and the hash of each file."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from crm.money.amounts import from_minor
from crm.ui.exports import csv_lines
from prop.judge.days import ServerDays, to_msc, to_time
from prop.judge.kept import samples_in
from prop.models import Breach, EquityMinute, PhaseAccount
from prop.programmes.files import write_terms
from prop.sentences import rules_of
from trading.models import Deal

DEALS_MAX: Final = 20_000
# Samples go on for so long after a breach, deals as well: one that was read late has its own time.
AFTER: Final = dt.timedelta(minutes=5)
MONEY: Final = ("profit", "commission", "swap", "fee")


def bundle_of(breach: Breach) -> bytes:
    """Write the evidence of a breach as a ZIP archive. The same evidence gives the same bytes; names are English, times UTC.

    Samples are those that are kept (`prop/judge/kept.py`); deals are as the platform shows them now, deleted ones too.
    """
    row = breach.judged_account
    days = ServerDays(row.account.server.time_zone)
    since = to_time(days.start(days.day(to_msc(breach.occurred_at))))
    until = breach.occurred_at + AFTER
    files = {
        "breach.json": json.dumps(_verdict(breach), indent=2, sort_keys=True),
        "terms.yaml": write_terms(row.phase.version),
        "samples.csv": "".join(csv_lines(list(_samples(row, since, until)))),
        "deals.csv": "".join(csv_lines(list(_deals(row, since, until)))),
    }
    sums = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items()]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in [*files.items(), ("SHA256SUMS", "".join(sums))]:
            archive.writestr(zipfile.ZipInfo(name, breach.recorded_at.timetuple()[:6]), text)
    return target.getvalue()


def _verdict(breach: Breach) -> dict[str, Any]:
    row = breach.judged_account
    challenge = row.challenge
    return {
        "challenge": challenge.pk,
        "programme": challenge.version.programme.name,
        "version": challenge.version.number,
        "phase": row.phase.number,
        "attempt": row.attempt,
        "login": row.account.login,
        "server": row.account.server.name,
        "server_zone": row.account.server.time_zone,
        "currency": challenge.currency,
        "starting_balance": str(challenge.balance),
        "size": str(row.size),
        "rules": rules_of(row.phase),
        "rule": breach.rule,
        "occurred_at": breach.occurred_at.isoformat(),
        "recorded_at": breach.recorded_at.isoformat(),
        "balance": str(breach.balance),
        "equity": str(breach.equity),
        "threshold": str(breach.threshold),
        "evidence": breach.evidence,
    }


def _samples(row: PhaseAccount, since: dt.datetime, until: dt.datetime) -> Iterator[list[Any]]:
    yield ["time", "balance", "equity", "lowest_equity_reported"]
    currency, minute = row.challenge.currency, since.replace(second=0, microsecond=0)
    kept = EquityMinute.objects.filter(phase_account=row, minute__gte=minute, minute__lte=until).order_by("minute")
    for sample in (sample for each in kept for sample in samples_in(each.samples)):
        if to_msc(since) <= sample.at <= to_msc(until):
            figures = (sample.balance, sample.equity, sample.worst)
            shown = ["" if figure is None else str(from_minor(figure, currency)) for figure in figures]
            yield [to_time(sample.at).isoformat(), *shown]


def _deals(row: PhaseAccount, since: dt.datetime, until: dt.datetime) -> Iterator[list[Any]]:
    yield ["time", "ticket", "position", "action", "entry", "symbol", "lots", "price", *MONEY, "revision", "deleted_at"]
    deals = Deal.every.filter(account_id=row.account_id, executed_at__gte=since, executed_at__lte=until)
    for deal in deals.order_by("executed_at", "pk")[:DEALS_MAX]:
        named = [deal.get_action_display(), deal.get_entry_display() if deal.symbol else "", deal.symbol]
        figures = [
            f"{value.normalize():f}" for value in (deal.lots, deal.price, *(getattr(deal, name) for name in MONEY))
        ]
        deleted = deal.deleted_at.isoformat() if deal.deleted_at else ""
        yield [deal.executed_at.isoformat(), deal.ticket, deal.position_id, *named, *figures, deal.revision, deleted]
