"""AML rules and withdrawals: what moved reaches the stream, an open alert waits for a person, and so does what would raise one."""

import io
import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from compliance.aml import stream
from compliance.aml.models import AmlAlert, AmlMovement, AmlPending
from compliance.aml.running import run_pending
from crm import events
from tests.brand_policies import set_policies
from tests.compliance.aml.factories import draft, live
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


def replayed_with_history():
    """Replay today with the history that the stream lacks; returns (what was written by source, the first rule's answer)."""
    out, errors, today = io.StringIO(), io.StringIO(), f"{timezone.now():%Y-%m-%d}"
    call_command("aml_replay", "--from", today, "--to", today, "--backfill", "--json", stdout=out, stderr=errors)
    written = dict(line.split(": ") for line in errors.getvalue().splitlines())
    return {name: int(count) for name, count in written.items()}, json.loads(out.getvalue())["rules"][0]


def test_replay_command_reads_history_from_before_the_stream(rich, outside, cast):
    """What went before the stream was kept is replayed as what went after it, once, and raises nothing live."""
    draft(cast.brand, "velocity_sum", 15, parameters={"direction": "withdrawal"}, name="Much")
    asked = [ask(rich, outside, "10", key=key) for key in ("k1", "k2")]
    assert not AmlMovement.objects.exists()
    written, rule = replayed_with_history()
    assert (written["wallet.withdrawals"], written["wallet.taken_back"]) == (2, 0) and written["wallet.deposits"] >= 1
    (alert,) = rule["alerts"]
    assert (alert["client"], alert["at"]) == (rich.client.pk, asked[1].requested_at.isoformat())
    assert [row["source"] for row in alert["evidence"]] == [f"withdrawal:{row.pk}" for row in asked]
    assert not AmlAlert.objects.exists() and not AmlPending.objects.exists()
    again, same = replayed_with_history()
    assert set(again.values()) == {0} and same == rule
    before = AmlMovement.objects.count()
    events.drain()
    assert AmlMovement.objects.count() == before
