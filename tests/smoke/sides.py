"""The demo brokerage as three sides: its platforms, its PSPs and its ledger agree, and its months were signed by two."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q
from django.utils import timezone

from crm.models import Brand
from trading.models import Deal
from wallet.choices.month_end import SourceKind
from wallet.closing.month_end import month_end_of
from wallet.models import (
    BankEntry,
    Break,
    BreakNote,
    BreakPosting,
    ClientMoneyDay,
    Journal,
    MatchGroup,
    MonthSignOff,
    Period,
    SettlementImport,
    SourceRun,
    Transfer,
)
from wallet.reconciliation import source_runs
from wallet.reconciliation.platform_leg import compare


def agree() -> None:
    """Run inside the instance, before anybody has done anything in it. Prints what was compared; raises AssertionError."""
    first = Deal.objects.order_by("executed_at").first()
    assert first is not None
    brands = list(Brand.objects.all())
    servers = [one for one in source_runs.sources_of(brands) if one.kind == SourceKind.PLATFORM]
    assert servers
    checked = 0
    for source in servers:
        assert source.server is not None
        compared = compare(
            brand_id=source.brand.pk,
            server_id=source.server.pk,
            since=first.executed_at - dt.timedelta(days=1),
            until=dt.datetime.now(dt.UTC),
            with_strays=True,
        )
        checked += compared.checked
        assert [one.explanation for one in compared.differences if not one.is_settled] == []
    assert checked >= Transfer.objects.filter(state="settled").count() > 0
    assert SourceRun.objects.exists()
    assert ClientMoneyDay.objects.exists()
    closed = Period.objects.filter(state="closed")
    assert closed.exists()
    signed = MonthSignOff.objects.values("period").annotate(people=Count("signed_by", distinct=True))
    assert {row["period"]: row["people"] for row in signed} == {period.pk: 2 for period in closed}
    for period in closed.select_related("brand"):
        found = month_end_of(period)
        assert found.trial.balances
        # Those that were open when it was closed, whatever became of them since.
        assert (
            found.open_breaks
            == Break.objects.filter(
                Q(state="open") | Q(resolved_at__gt=period.closed_at),
                brand=period.brand,
                happened_at__lt=dt.datetime.combine(period.last_day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC),
            ).count()
        )
    finance_has_work_to_do(timezone.now().date())
    print(f"{checked} transfers compared with {len(servers)} platforms, {closed.count()} months signed by two")


def finance_has_work_to_do(today: dt.date) -> None:
    """Whatever the day: reports until yesterday but for the late source, breaks with what was done about them, a bank's lines."""
    kinds = set(Break.objects.filter(leg="psp").values_list("kind", flat=True))
    assert {"missing_here", "amount"} <= kinds, kinds
    assert Break.objects.filter(state="resolved", resolved_by__isnull=False).exists()
    assert Break.objects.filter(owner__isnull=False, state="open").exists()
    assert set(BreakPosting.objects.values_list("state", flat=True)) == {"approved", "pending"}
    undone = MatchGroup.objects.get(undone_at__isnull=False)
    assert undone.adjustment is not None
    assert Journal.objects.filter(reverses=undone.adjustment).count() == 1
    assert BreakNote.objects.exclude(body="").exists()
    assert BankEntry.objects.filter(state="unmatched").count() == 2
    late = set(SourceRun.objects.filter(state="missing").values_list("psp__code", flat=True))
    assert late <= {"kassa"}
    # Nothing that is planted is younger than the reports, or told of a day that is not over.
    assert not SettlementImport.objects.filter(last_day__gte=today).exists()
    assert not Break.objects.filter(leg="psp", happened_at__date__gte=today).exists()
