"""`manage.py aml_replay`: what each rule would have raised over some days, with the movements behind it; bad input is refused."""

import datetime as dt
import io
import json

import pytest
from django.core.management import CommandError, call_command

from compliance.aml.models import AmlAlert, AmlMovement
from tests.compliance.aml.factories import draft, live, moved

pytestmark = pytest.mark.django_db
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def run(*args, errors=None):
    out = io.StringIO()
    call_command("aml_replay", *args, stdout=out, stderr=errors or io.StringIO())
    return out.getvalue()


def replayed(start, end, *args):
    return json.loads(run("--from", start, "--to", end, *args, "--json"))


def test_every_rule_answers_with_its_alerts_and_their_movements(cast):
    rule = draft(cast.brand, "velocity_count", 2, name="Two a week")
    quiet = live(cast, "chargebacks", 1, brand=cast.other_brand, name="Chargebacks")
    moved(cast.client, "deposit", 100, DAY - dt.timedelta(seconds=1), method="card")
    first = moved(cast.client, "deposit", 250.5, DAY + dt.timedelta(hours=1), method="bank")
    last = moved(cast.client, "deposit", 90, DAY + dt.timedelta(days=1, seconds=-1))
    moved(cast.other_client, "deposit", 70, DAY + dt.timedelta(days=1))
    found = replayed("2026-03-02", "2026-03-02")
    assert (found["from"], found["to"]) == ("2026-03-02", "2026-03-02")
    said = {entry["rule"]: entry for entry in found["rules"]}
    assert said.keys() == {rule.rule_id, quiet.rule_id}
    assert said[quiet.rule_id] | {"sentence": ""} == {
        "rule": quiet.rule_id,
        "name": "Chargebacks",
        "brand": cast.other_brand.code,
        "version": 1,
        "state": "live",
        "sentence": "",
        "alerts": [],
    }
    one = said[rule.rule_id]
    assert (one["name"], one["version"], one["state"]) == ("Two a week", 1, "draft") and one["sentence"]
    (alert,) = one["alerts"]
    # What was before the first day counts in the window; an alert is of the days that were asked about alone.
    assert (alert["client"], alert["at"], alert["value"]) == (cast.client.pk, first.at.isoformat(), "2")
    assert [(entry["at"], entry["method"]) for entry in alert["evidence"]] == [
        ("2026-03-01T23:59:59+00:00", "card"),
        ("2026-03-02T01:00:00+00:00", "bank"),
    ]
    assert alert["evidence"][1] == {
        "source": first.source,
        "kind": "deposit",
        "at": first.at.isoformat(),
        "method": "bank",
        "amount": "250.5",
        "currency": "EUR",
    }
    assert not AmlAlert.objects.exists()

    # Both days belong to the period to their last second, and the newest version of a rule is asked.
    (two,) = replayed("2026-03-02", "2026-03-03", "--rule", str(rule.rule_id))["rules"]
    assert [entry["at"] for entry in two["alerts"]] == [first.at.isoformat()]
    later = draft(cast.brand, "velocity_count", 3, name="Three a week")
    (three,) = replayed("2026-03-01", "2026-03-02", "--rule", str(later.rule_id))["rules"]
    assert [entry["at"] for entry in three["alerts"]] == [last.at.isoformat()]
    assert replayed("2026-03-03", "2026-03-03", "--rule", str(later.rule_id))["rules"][0]["alerts"] == []
    text = run("--from", "2026-03-02", "--to", "2026-03-02")
    assert (
        f"{cast.brand.code} · Two a week v1 (draft): 1\n  client {cast.client.pk}  {first.at.isoformat()}  2  " in text
    )


def test_history_that_the_stream_lacks_is_written_when_asked(cast):
    errors = io.StringIO()
    run("--from", "2026-03-02", "--to", "2026-03-02", "--backfill", "--json", errors=errors)
    assert "wallet.deposits: 0" in errors.getvalue() and not AmlMovement.objects.exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--from", "2.3.2026", "--to", "2026-03-02"], "“2.3.2026” isn't a valid date. Write it as YYYY-MM-DD"),
        (["--from", "2026-03-02", "--to", "2026-02-30"], "“2026-02-30” isn't a valid date"),
        (["--from", "2026-03-03", "--to", "2026-03-02"], "must begin before it ends"),
        (["--from", "2026-03-02", "--to", "9999-12-31"], "isn't a valid date"),
        (["--from", "2026-03-02"], "--to"),
        (["--from", "2026-03-02", "--to", "2026-03-02", "--rule", "x"], "--rule"),
        (["--from", "2026-03-02", "--to", "2026-03-02", "--rule", "0"], "There is no rule 0"),
        (["--from", "2026-03-02", "--to", "2026-03-02", "--rule", "404"], "There is no rule 404"),
    ],
)
def test_bad_input_is_said(args, says):
    with pytest.raises(CommandError, match=says):
        run(*args)
