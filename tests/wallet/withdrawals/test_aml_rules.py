"""AML rules and withdrawals: what moved reaches the stream, an open alert waits for a person, and so does what would raise one."""

import pytest
from django.utils import timezone

from compliance.aml import stream
from compliance.aml.models import AmlAlert, AmlMovement
from compliance.aml.running import run_pending
from crm import events
from tests.brand_policies import set_policies
from tests.compliance.aml.factories import live
from tests.days import now
from tests.wallet.withdrawals.test_withdrawal import ask, outcome, rich

__all__ = ["rich"]
pytestmark = pytest.mark.django_db


def test_a_request_that_would_raise_an_alert_is_reviewed(rich, outside, cast):
    version = live(
        cast, "velocity_sum", 15, since=now(), severity="high", parameters={"direction": "withdrawal"}, name="Much"
    )
    assert outcome(ask(rich, outside, "10"), "aml") == "pass"
    events.drain()
    assert run_pending() == 0
    second = ask(rich, outside, "10", key="k2")
    assert outcome(second, "aml") == "review"
    assert second.checks.get(name="aml").reason == "AML rule: Much."
    assert not AmlAlert.objects.exists() and AmlMovement.objects.filter(kind="withdrawal").count() == 1
    events.drain()
    assert run_pending() == 1 and AmlAlert.objects.get().version == version
    assert outcome(ask(rich, outside, "10", key="k3"), "aml") == "review"
    set_policies(rich.brand, aml_alerts_hold=False)
    assert outcome(ask(rich, outside, "10", key="k4"), "aml") == "pass"


def test_deposits_and_withdrawals_reach_the_stream(rich, outside):
    withdrawal = ask(rich, outside, "10")
    events.drain()
    moved = {row.source: row for row in AmlMovement.objects.all()}
    taken = moved[f"withdrawal:{withdrawal.pk}"]
    assert (taken.client_id, taken.kind, taken.amount) == (rich.client.pk, "withdrawal", 10)
    assert taken.at == withdrawal.requested_at and taken.base_amount == withdrawal.base_amount
    before = AmlMovement.objects.count()
    written = sum(stream.backfill(name) for name in sorted(stream.SOURCES))
    deposits = AmlMovement.objects.filter(kind="deposit")
    assert deposits.filter(client=rich.client, at__lte=timezone.now()).exists()
    assert AmlMovement.objects.count() == before + written
    assert sum(stream.backfill(name) for name in sorted(stream.SOURCES)) == 0
