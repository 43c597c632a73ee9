"""Client categories: requested with criteria and warning, decided by two, returned by the client alone; what follows them."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clients.choices import Category
from clients.facts import FACTS, differences
from clients.models import Client
from crm import approvals, due
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import DueRow, Notification
from kyc.categories import decisions, figures, requests
from kyc.categories.choices import Basis
from kyc.categories.models import CategoryDecision, CategoryProposal, CategoryRequest
from kyc.categories.views import history_of
from kyc.models import Document
from tests.kyc.categories.factories import categorise
from tests.kyc.factories import uploaded
from tests.outbox import published
from tests.trading.factories import make_account, make_server, make_type
from trading.leverage import caps
from trading.models import Deal, LeverageCap
from wallet.bonuses.granting import may_have_bonus

pytestmark = pytest.mark.django_db
BOTH = ("portfolio", "experience")


@pytest.fixture
def asker(cast):
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    cast.client.refresh_from_db()
    return cast.client


def a_document(client) -> Document:
    return client.documents.first() or uploaded(client, kind="other")


def ask(cast, client, criteria=BOTH, **how):
    document = a_document(client)
    values = {
        "statement": {"portfolio": "Shares worth EUR 800,000", "experience": "Trader at a bank, 2015 to 2019"},
        "evidence": {code: [document.pk] for code in criteria},
        "warning_sha256": requests.warning_of(client.brand, "en").sha256,
        "language": "en",
        **how,
    }
    return requests.request_professional(client_id=client.pk, actor=cast.client_user, criteria=criteria, **values)


def test_request_keeps_criteria_words_figures_and_warning(cast, asker):
    row = ask(cast, asker)
    assert row.criteria == list(BOTH)
    assert row.statement["experience"] == "Trader at a bank, 2015 to 2019"
    assert b"Trader" not in bytes(row.statement_sealed)
    assert len(row.figures["quarters"]) == 4
    assert "Negative balance protection" in row.warning.body
    assert row.evidence.count() == 2
    assert row.work.state == "open"
    assert Notification.objects.filter(user=cast.kyc_officer, kind="kyc.category_requested").exists()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"criteria": ("portfolio",)}, "two of the three"),
        ({"evidence": {}}, "at least one document"),
        ({"warning_sha256": "0" * 64}, "read it again"),
        ({"criteria": ("trades", "portfolio"), "statement": {}}, "where else you have traded"),
    ],
)
def test_incomplete_request_is_refused(cast, asker, how, words):
    with pytest.raises(DomainError, match=words):
        ask(cast, asker, **how)
    assert not CategoryRequest.objects.exists()


def test_unverified_client_and_strangers_ask_for_nothing(cast):
    with pytest.raises(NotAllowed, match="once you're verified"):
        ask(cast, cast.client)
    with pytest.raises(NotAllowed):
        requests.request_professional(
            client_id=cast.client.pk, actor=cast.agent, criteria=BOTH, statement={}, evidence={}, warning_sha256=""
        )


def test_second_open_request_is_refused(cast, asker):
    ask(cast, asker)
    with pytest.raises(WrongState, match="already have your request"):
        ask(cast, asker)


def test_two_people_make_a_client_professional(cast, asker):
    row = ask(cast, asker)
    asked = decisions.propose_category(
        client_id=asker.pk,
        category="professional",
        basis="request",
        request_id=row.pk,
        actor=cast.kyc_officer,
        reason="Both criteria are proved",
    )
    with pytest.raises(NotAllowed):
        approvals.approve(CategoryProposal, asked.pk, actor=cast.kyc_officer)
    asker.refresh_from_db()
    assert asker.category == "retail"
    approvals.approve(CategoryProposal, asked.pk, actor=cast.mlro)
    asker.refresh_from_db()
    row.refresh_from_db()
    assert (asker.category, row.state, row.work.state) == ("professional", "approved", "closed")
    decision = CategoryDecision.objects.get()
    assert (decision.decided_by, decision.approved_by, decision.request) == (cast.kyc_officer, cast.mlro, row)
    assert published("kyc.category_changed")[-1].data == {
        "before": "retail",
        "after": "professional",
        "basis": "request",
    }
    assert asker.messages.filter(template="kyc.category_approved").count() == 1
    assert not list(differences(FACTS["category"]))


def test_declined_request_tells_the_client_why(cast, asker):
    row = ask(cast, asker)
    with pytest.raises(DomainError, match="why the request is declined"):
        requests.decline_request(request_id=row.pk, actor=cast.kyc_officer, answer=" ")
    with pytest.raises(NotAllowed):
        requests.decline_request(request_id=row.pk, actor=cast.agent, answer="No")
    requests.decline_request(request_id=row.pk, actor=cast.kyc_officer, answer="The statement is too old.")
    row.refresh_from_db()
    assert (row.state, row.answer) == ("rejected", "The statement is too old.")
    assert "too old" in asker.messages.get(template="kyc.category_declined").body
    assert ask(cast, asker).state == "open"


def test_client_takes_a_request_back(cast, asker):
    row = ask(cast, asker)
    with pytest.raises(NotAllowed):
        requests.withdraw_request(request_id=row.pk, actor=cast.other_client_user)
    requests.withdraw_request(request_id=row.pk, actor=cast.client_user)
    row.refresh_from_db()
    assert (row.state, row.work.state) == ("withdrawn", "closed")


@pytest.mark.parametrize(
    ("category", "basis", "before", "error"),
    [
        ("professional", "request", "retail", DomainError),
        ("professional", "review", "retail", DomainError),
        ("professional", "correction", "retail", DomainError),
        ("professional", "opt_down", "ecp", DomainError),
        ("retail", "per_se", "retail", WrongState),
    ],
)
def test_basis_has_to_fit(cast, category, basis, before, error):
    if before != "retail":
        categorise(cast.client, before)
    with pytest.raises(error):
        decisions.propose_category(
            client_id=cast.client.pk, category=category, basis=basis, actor=cast.kyc_officer, reason="Because"
        )


def test_client_returns_to_more_protection_alone(cast):
    categorise(cast.client, "ecp")
    decisions.opt_down(client_id=cast.client.pk, category="professional", actor=cast.client_user)
    decisions.opt_down(client_id=cast.client.pk, category="retail", actor=cast.client_user)
    cast.client.refresh_from_db()
    assert cast.client.category == "retail"
    with pytest.raises(WrongState):
        decisions.opt_down(client_id=cast.client.pk, category="professional", actor=cast.client_user)
    periods = history_of(cast.client)
    assert [period.category for period in periods] == ["Retail", "Professional", "Eligible counterparty"]
    assert [period.until for period in periods] == [
        None,
        periods[0].decision.decided_at,
        periods[1].decision.decided_at,
    ]


def test_less_protected_client_is_reviewed_after_a_year(cast):
    decisions.write_decision(
        cast.client, category="professional", basis=Basis.MIGRATED, reason="Before", decided_by=None
    )
    row = DueRow.objects.get(kind="kyc.category_review", state="pending")
    with time_machine.travel(row.at + dt.timedelta(seconds=1), tick=False):
        due.sweep()
        assert Notification.objects.filter(user=cast.kyc_officer, kind="kyc.category_review_due").count() == 1
    decisions.opt_down(client_id=cast.client.pk, category="retail", actor=cast.client_user)
    assert not DueRow.objects.filter(kind="kyc.category_review", state="pending").exists()


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────────────────


def at_the_end():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_category_without_a_decision_is_refused(cast):
    with pytest.raises(IntegrityError, match="was decided to be retail"), transaction.atomic():
        Client.objects.filter(pk=cast.client.pk).update(category=Category.PROFESSIONAL)
        at_the_end()
    with pytest.raises(IntegrityError), transaction.atomic():
        Client.objects.create(
            brand=cast.brand, book=cast.book, email="p@new.example", category="ecp", created_at=timezone.now()
        )
        at_the_end()


def test_decision_that_the_client_does_not_have_is_refused(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        CategoryDecision.objects.create(
            client=cast.client, category="ecp", basis="migrated", reason="x", decided_at=timezone.now()
        )
        at_the_end()


def test_one_person_alone_makes_nobody_professional(cast):
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        CategoryDecision.objects.create(
            client=cast.client,
            category="professional",
            basis="per_se",
            reason="x",
            decided_by=cast.mlro,
            decided_at=timezone.now(),
        )


# ── what follows ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_leverage_and_bonuses_follow_the_category(cast):
    Client.objects.filter(pk=cast.client.pk).update(country="DE", kyc_level=2)
    client = Client.objects.select_related("brand").get(pk=cast.client.pk)
    account_type = make_type(cast.brand, make_server(), leverages=[10, 30, 200], default_leverage=30)
    assert LeverageCap.objects.filter(authority="ESMA", category="retail").exists()
    assert (max(caps.ladder_for(client, account_type).steps), bool(may_have_bonus(client))) == (30, False)
    categorise(client, "professional")
    assert (max(caps.ladder_for(client, account_type).steps), bool(may_have_bonus(client))) == (200, True)
    decisions.opt_down(client_id=client.pk, category="retail", actor=cast.client_user)
    client = Client.objects.select_related("brand").get(pk=cast.client.pk)
    assert (max(caps.ladder_for(client, account_type).steps), bool(may_have_bonus(client))) == (30, False)


@pytest.mark.parametrize(
    ("today", "first"), [(dt.date(2026, 11, 24), dt.date(2025, 10, 1)), (dt.date(2026, 1, 1), dt.date(2025, 1, 1))]
)
def test_last_four_quarters_are_complete_ones(today, first):
    periods = figures.last_quarters(today)
    assert periods[0][0] == first
    assert all(until == start for (_a, until), (start, _b) in itertools.pairwise(periods))
    assert periods[-1][1] <= today


def make_deal(account, at, lots):
    zero = dict.fromkeys(("price_position", "profit", "commission", "swap", "fee", "closed_lots"), 0)
    Deal.objects.create(
        account=account,
        server=account.server,
        login=account.login,
        ticket=Deal.objects.count() + 1,
        executed_at=at,
        synced_at=at,
        server_msc=0,
        action=0,
        entry=0,
        symbol="EURUSD",
        lots=Decimal(lots),
        contract_size=100_000,
        price=1,
        position_id=1,
        order_id=1,
        raw={},
        **zero,
    )


def test_trades_are_counted_by_size_and_quarter(cast):
    server = make_server()
    account = make_account(cast.client, server)
    demo = make_account(cast.client, server, is_demo=True)
    for where, day, lots in (
        (account, dt.date(2026, 1, 1), "0.5"),
        (account, dt.date(2026, 3, 31), "2"),
        (account, dt.date(2026, 4, 1), "0.49"),
        (account, dt.date(2025, 12, 31), "1"),
        (account, dt.date(2025, 9, 30), "1"),
        (demo, dt.date(2026, 2, 1), "1"),
    ):
        at = dt.datetime.combine(day, dt.time(23, 59), tzinfo=dt.UTC)
        make_deal(where, at, lots)
    found = figures.trade_figures(cast.client, dt.date(2026, 11, 24))
    assert [quarter.trades for quarter in found.quarters] == [1, 2, 0, 0]
    assert (found.total, found.average, found.is_met) == (3, Decimal("0.75"), False)
