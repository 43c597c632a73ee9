"""The demo brokerage as three sides: its platforms, its PSPs and its ledger agree, and its months were signed by two."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Count

from crm.models import Brand
from trading.models import Deal
from wallet import source_runs
from wallet.models import Break, ClientMoneyDay, MonthSignOff, Period, SourceRun, Transfer
from wallet.month_choices import SourceKind
from wallet.month_end import month_end_of
from wallet.platform_leg import compare

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demo_s_three_sides_agree(settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path / "private"
    settings.VAR_DIR = tmp_path
    call_command("load_demo", "--scale", "0.02", stdout=StringIO())
    first = Deal.objects.order_by("executed_at").first()
    assert first is not None
    brands = list(Brand.objects.all())
    servers = [one for one in source_runs.sources_of(brands) if one.kind == SourceKind.PLATFORM]
    assert servers
    checked = 0
    for source in servers:
        assert source.server is not None
        compared = compare(
            brand_id=source.brand.pk, server_id=source.server.pk, since=first.executed_at - dt.timedelta(days=1),
            until=dt.datetime.now(dt.UTC), with_strays=True,
        )  # fmt: skip
        checked += compared.checked
        assert [one.explanation for one in compared.found if not one.is_settled] == []
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
        assert found.open_breaks == Break.objects.filter(
            brand=period.brand, state="open", happened_at__date__lte=period.last_day
        ).count()  # fmt: skip
