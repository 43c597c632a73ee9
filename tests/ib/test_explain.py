"""An explanation says the figures that decided, and no more than the reader may know."""

import datetime as dt
from decimal import Decimal

import pytest

from ib import explain
from ib.choices import AccrualKind, AccrualState, Reason
from ib.models import Accrual, Plan, PlanVersion, ReversedPart, Settlement
from tests.wallet.factories import make_psp
from tests.wallet.withdrawals.test_withdrawal import paid_in

AT = dt.datetime(2026, 9, 10, 12, tzinfo=dt.UTC)


@pytest.fixture
def version() -> PlanVersion:
    return PlanVersion(plan=Plan(name="Gold"), number=2, min_hold_seconds=180, currency="USD")


def accrual(**fields) -> Accrual:
    values = {
        "kind": AccrualKind.ORIGINAL,
        "state": AccrualState.ACCRUED,
        "ticket": 77,
        "lots": Decimal("0.50000000"),
        "symbol": "EURUSD",
        "symbol_group": "fx_majors",
        "closed_at": AT,
        "level": 1,
        "rate": Decimal("10.00000000"),
        "share": Decimal("0.60000000"),
        "rate_currency": "EUR",
        "currency": "EUR",
        "amount": Decimal(3),
    }
    return Accrual(**{**values, **fields})


def said(*args, **fields) -> list[str]:
    return [step.text for step in explain.explain(*args, **fields)]


def test_a_paid_trade_is_lots_times_rate_times_share(version):
    steps = explain.explain(accrual(), version)
    assert steps[0].text.startswith("Deal #77 closed 0.5 lots of EURUSD") and steps[0].figure == "0.5 lots"
    assert "symbol group" in steps[1].text
    assert steps[2].text == f"{version}: 0.5 lots × 10 EUR per lot × 60 % for level 1"
    assert [step.figure for step in steps[2:]] == ["3 EUR"]


def test_without_a_group_or_a_version_nothing_is_made_up():
    steps = said(accrual(symbol_group=""))
    assert len(steps) == 2 and steps[1].startswith(": 0.5 lots")


@pytest.mark.parametrize(
    ("seconds", "least", "words"),
    [(None, 180, ""), (600, 180, "Held for 10\xa0min; the plan's minimum is 3\xa0min"), (600, 0, "Held for 10\xa0min")],
)
def test_how_long_it_was_held(version, seconds, least, words):
    version.min_hold_seconds = least
    steps = said(accrual(held_seconds=seconds), version)
    assert [text for text in steps if text.startswith("Held")] == ([words] if words else [])


@pytest.mark.parametrize(
    ("fields", "figures"),
    [
        ({"rate_currency": "USD", "fx_rate": Decimal("0.8"), "fx_on": AT.date()}, ["3 USD", "2.4 EUR"]),
        ({"rate_currency": "USD"}, ["3 USD"]),
        ({"fx_rate": Decimal("0.8"), "fx_on": AT.date()}, ["3 EUR"]),
        ({"is_override": True, "share": Decimal(1)}, ["5 EUR"]),
    ],
)
def test_currencies_and_fixed_rates(version, fields, figures):
    steps = explain.explain(accrual(**fields), version)
    assert [step.figure for step in steps[2:]] == figures
    assert ("a fixed 10 EUR per lot" in steps[2].text) is ("is_override" in fields)


@pytest.mark.parametrize(
    ("reason", "fields", "with_version", "without"),
    [
        (Reason.HELD_TOO_SHORT, {"held_seconds": 100}, "closed after 100 seconds", "Closed before the plan"),
        (Reason.HELD_TOO_SHORT, {}, "Closed before the plan", "Closed before the plan"),
        (Reason.SYMBOL_NOT_MAPPED, {}, "symbol EURUSD isn't assigned", "symbol EURUSD isn't assigned"),
        (Reason.NO_RATE, {}, "has no rate for", "The plan has no rate"),
        (Reason.BEYOND_LEVELS, {}, "pays no commission at level 1", "The plan pays no commission at this level"),
        (Reason.SELF_TRADE, {}, "Partners earn no", "Partners earn no"),
    ],
)
def test_why_a_trade_paid_nothing(version, reason, fields, with_version, without):
    row = accrual(state=AccrualState.EXCLUDED, reason=reason, rate=None, share=None, **fields)
    for known, words in ((version, with_version), (None, without)):
        steps = explain.explain(row, known)
        assert words in steps[-1].text and steps[-1].text.startswith("Not paid: ")
        assert steps[-1].figure == "€0.00"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [AccrualKind.CLAWBACK, AccrualKind.RESTORED])
@pytest.mark.parametrize("for_staff", [True, False])
def test_a_partner_never_reads_which_deposit_went_back(cast, version, kind, for_staff):
    deposit = paid_in(cast.client, make_psp(cast.brand), 50_000)
    name, amount = ("taken", Decimal(200)) if kind == AccrualKind.CLAWBACK else ("restored", Decimal(100))
    ReversedPart.objects.create(
        deposit=deposit,
        client=cast.client,
        source="deposit:17",
        reference="dp_1",
        amount=Decimal(400),
        currency="EUR",
        base=Decimal(400),
        paid_in=Decimal(800),
        since=AT,
        **{name: amount, f"{name}_at": AT},
    )
    row = accrual(kind=kind, reason=Reason.DEPOSIT_REVERSED, source="deposit:17", amount=Decimal(-1))
    steps = said(row, version, for_staff=for_staff)
    assert any(deposit.reference in text for text in steps) is for_staff
    share = "25" if kind == AccrualKind.CLAWBACK else "12.5"
    assert any(text.startswith(f"{share} % of the client's deposits") for text in steps)
    assert steps[-1].startswith("Correction: ")
    other = accrual(kind=kind, reason=Reason.DEPOSIT_REVERSED, source="deposit:18", amount=Decimal(-1))
    assert not any("of the client's deposits" in text for text in said(other, version, for_staff=for_staff))


@pytest.mark.parametrize(
    ("carried_in", "carried_out", "figures"),
    [
        ("0", "0", ["0.0666 EUR", "€0.06"]),
        ("0.01", "0", ["0.0666 EUR", "0.01 EUR", "€0.06"]),
        ("0", "0.0066", ["0.0666 EUR", "−0.0066 EUR", "€0.06"]),
    ],
)
def test_a_settlement_names_what_was_carried(carried_in, carried_out, figures):
    row = Settlement(
        trades=1,
        lots=Decimal("0.0111"),
        accrued=Decimal("0.0666"),
        carried_in=Decimal(carried_in),
        carried_out=Decimal(carried_out),
        amount=Decimal("0.06"),
        currency="EUR",
    )
    assert [step.figure for step in explain.explain_settlement(row)] == figures
