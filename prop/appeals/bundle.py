"""What a breach or an ending for a forbidden style rests on, as one archive: rules, what was found, deals, and each file's hash."""

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
from prop.models import Breach, EquityMinute, PhaseAccount, StyleEnding
from prop.programmes.files import write_terms
from prop.sentences import rules_of
from trading.models import Deal

DEALS_MAX: Final = 20_000
# Samples go on for so long after a breach, deals as well: one that was read late has its own time.
AFTER: Final = dt.timedelta(minutes=5)
MONEY: Final = ("profit", "commission", "swap", "fee")


def bundle_of(subject: Breach | StyleEnding) -> bytes:
    """Write the evidence of a breach, or of an ending for a forbidden style, as a ZIP archive.

    The same evidence gives the same bytes; names are English, times UTC. Samples are those that are kept (`prop/judge/kept.py`);
    deals are as the platform shows them now, deleted ones too.
    """
    files = _of_breach(subject) if isinstance(subject, Breach) else _of_ending(subject)
    made_at = subject.recorded_at if isinstance(subject, Breach) else subject.ended_at
    sums = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items()]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in [*files.items(), ("SHA256SUMS", "".join(sums))]:
            archive.writestr(zipfile.ZipInfo(name, made_at.timetuple()[:6]), text)
    return target.getvalue()


def _of_breach(breach: Breach) -> dict[str, str]:
    """Write the verdict, the terms, and the samples and deals of that server day."""
    row = breach.judged_account
    days = ServerDays(row.account.server.time_zone)
    since = to_time(days.start(days.day(to_msc(breach.occurred_at))))
    until = breach.occurred_at + AFTER
    verdict = {
        "rule": breach.rule,
        "occurred_at": breach.occurred_at.isoformat(),
        "recorded_at": breach.recorded_at.isoformat(),
        "balance": str(breach.balance),
        "equity": str(breach.equity),
        "threshold": str(breach.threshold),
        "evidence": breach.evidence,
    }
    return {
        "breach.json": json.dumps(_terms(row) | verdict, indent=2, sort_keys=True),
        "terms.yaml": write_terms(row.phase.version),
        "samples.csv": "".join(csv_lines(list(_samples(row, since, until)))),
        "deals.csv": "".join(csv_lines(list(_deals(row, since, until)))),
    }


def _of_ending(ending: StyleEnding) -> dict[str, str]:
    """Write what was found, as it was then, the terms, and the account's deals from the first evidence trade on."""
    row = ending.phase_account
    found = [dt.datetime.fromisoformat(each["since"]) for each in ending.findings if "since" in each]
    since = min([ending.ended_at, *found])
    ended = {"findings": ending.findings, "ended_at": ending.ended_at.isoformat()}
    return {
        "ending.json": json.dumps(_terms(row) | ended, indent=2, sort_keys=True),
        "terms.yaml": write_terms(row.phase.version),
        "deals.csv": "".join(csv_lines(list(_deals(row, since, ending.ended_at + AFTER)))),
    }


def _terms(row: PhaseAccount) -> dict[str, Any]:
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
