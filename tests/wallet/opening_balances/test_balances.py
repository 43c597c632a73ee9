"""Balances of another system's clients: which rows are taken, what a second person approves, and what is posted."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from clients.facts import FACTS, differences, fact_of
from clients.models import Client, TimelineEntry
from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, WrongState
from crm.imports import applying, importing
from crm.models import AuditEvent, ExternalReference, Notification
from tests.crm.imports.files import checked, reasons, silent
from tests.days import last_month, month_before_last, today
from tests.wallet.factories import fund, raw, without_triggers
from tests.wallet.opening_balances.files import FIELDS, balances, posted, proposed
from wallet.choices.ledger import AccountKind
from wallet.choices.month_end import PeriodState
from wallet.closing.client_money import figures_of
from wallet.documents import statement
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Account, Deposit, Journal, OpeningBalances, OpeningLine, Period, PspMovement
from wallet.opening_balances import posting as opening_posting
from wallet.opening_balances.import_kind import BalanceKind
from wallet.opening_balances.posting import due_openings, post_opening_balances

pytestmark = pytest.mark.django_db


def day():
    return last_month().isoformat()


def balance(client, currency="EUR"):
    account = Account.objects.filter(client=client, currency=currency).first()
    return posting.balance(account) if account else None


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_are_refused_with_their_column_and_reason(cast):
    cast.brand.currencies = ["EUR", "USD", "JPY"]
    cast.brand.save()
    fund(cast.other_client, 500)
    mine, other = cast.client.email, cast.other_client.email
    wrong = {
        "nobody@example.com;EUR;1;": ("client", "No client with this number or e-mail address. Import clients first."),
        f"{mine};GBP;1;": ("currency", "Meridian Markets has no wallets in GBP"),
        f"{mine};euros;1;": ("currency", "“euros” isn't a currency code, e.g. EUR"),
        f"{mine};EUR;1.005;": ("amount", "Too many decimal places for EUR."),
        f"{mine};JPY;1.5;": ("amount", "Too many decimal places for JPY."),
        f"{mine};EUR;-3;": ("amount", "A wallet's balance can't be below zero"),
        f"{mine};EUR;0.00;": ("amount", "The balance is zero: there is nothing to post"),
        f"{mine};EUR;99999999999999999;": ("amount", "This amount is too large."),
        f"{mine};EUR;1e3;": ("amount", "“1e3” isn't an amount"),
        f"{mine};EUR;1;2999-01-01": ("as_of", "The date is in the future"),
        f"{mine};EUR;1;2001-01-01": ("as_of", "The date is more than two years ago. Use the day on which you move"),
        f"{other};EUR;1;": (
            "client",
            "The client already has movements in this currency. Post the difference as a manual journal.",
        ),
    }
    batch = checked(
        cast, balances(*(row if row[-1] != ";" else row + day() for row in wrong)), kind="balances", name="b.csv"
    )
    assert batch.counts == {"refused": len(wrong)}
    found = {row.line: (row.errors[0]["column"], row.errors[0]["message"]) for row in batch.rows.all()}
    assert found == dict(enumerate(wrong.values(), start=2))


def test_a_client_of_another_brand_is_unknown_here(cast):
    Client.objects.filter(pk=cast.other_client.pk).update(
        brand=cast.other_brand, email_canonical="stranger@example.com"
    )
    batch = checked(cast, balances(f"stranger@example.com;EUR;1;{day()}"), kind="balances")
    assert [messages[0][:14] for messages in reasons(batch).values()] == ["No client with"]


def test_a_lead_has_no_wallet(cast):
    Client.objects.filter(pk=cast.client.pk).update(stage="lead")
    batch = checked(cast, balances(f"{cast.client.email};EUR;1;{day()}"), kind="balances")
    assert reasons(batch) == {2: ["This is a lead. Only registered clients have a wallet."]}


def test_the_same_client_and_currency_twice_refuses_both_rows(cast):
    """Which of the two is right can't be known, even where one names the client by number and one by e-mail."""
    ExternalReference.objects.create(
        brand=cast.brand,
        system="uptrader",
        kind="clients",
        external_id="7",
        object_id=cast.client.pk,
        batch=checked(cast, "id;email\n1;x@example.com\n"),
    )
    rows = [f"{cast.client.email};EUR;1;{day()}", f"7;EUR;2;{day()}", f"7;USD;3;{day()}"]
    batch = checked(cast, balances(*rows), kind="balances")
    assert reasons(batch) == {
        2: ["The file has another balance of this client in this currency, in line 3"],
        3: ["The file has another balance of this client in this currency, in line 2"],
    }
    assert batch.counts == {"new": 1, "refused": 2}


def test_rows_of_other_kinds_of_accounts_are_refused(cast):
    text = f"client;currency;amount;as_of;account\n{cast.client.email};EUR;1;{day()};Bonus\n"
    batch = checked(cast, text, {"fields": {**FIELDS, "account": "account"}}, kind="balances")
    assert reasons(batch)[2][0].startswith("“Bonus” isn't a wallet.")


def test_a_day_in_closed_books_is_refused_and_an_archived_brand_takes_no_file(cast):
    Period.objects.create(
        brand=cast.brand,
        first_day=month_before_last(),
        last_day=last_month() - dt.timedelta(days=1),
        state=PeriodState.OPEN,
    )
    without_triggers("UPDATE wallet_period SET state = 'closing'")
    batch = checked(cast, balances(f"{cast.client.email};EUR;1;{month_before_last()}"), kind="balances")
    last = (last_month() - dt.timedelta(days=1)).isoformat()
    assert reasons(batch) == {2: [f"The books are closed up to {last}"]}
    cast.brand.archived_at = timezone.now()
    cast.brand.save()
    with pytest.raises(WrongState, match="archived"):
        checked(cast, balances(f"{cast.client.email};EUR;1;{day()}"), kind="balances")


# ── four eyes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_balances_wait_for_a_second_person_and_nothing_is_posted_before(cast, browse):
    opening = proposed(cast, f"{cast.client.email};EUR;1234.56;{day()}", f"{cast.other_client.email};JPY;5000;{day()}")
    assert (opening.state, opening.line_count, opening.client_count) == (ApprovalState.PENDING, 2, 2)
    assert not Journal.objects.exists() and not Account.objects.filter(client=cast.client).exists()
    assert opening.data_import.result_url == opening.get_absolute_url()
    assert Notification.objects.filter(user=cast.finance, kind="wallet.opening_balances").exists()
    page = browse(cast.finance).get(opening.get_absolute_url()).content.decode()
    for shown in ("€1,234.56", "¥5,000", opening.data_import.sha256, opening.digest, "Approve"):
        assert shown in page
    assert opening.reference in browse(cast.finance).get("/money/opening-balances/").content.decode()


def test_what_was_approved_is_posted_with_timeline_and_statement_lines(cast):
    opening = posted(cast, f"{cast.client.email};EUR;1234.56;{day()}", f"{cast.other_client.email};JPY;5000;{day()}")
    assert opening.posted_at
    assert (balance(cast.client), balance(cast.other_client, "JPY")) == (123456, 5000)
    for currency, total in (("EUR", -123456), ("JPY", -5000)):
        house = posting.house(AccountKind.OPENING_BALANCES, brand_id=cast.brand.pk, currency=currency)
        assert posting.balance(house) == total
    journals = Journal.objects.filter(kind="opening")
    assert {(row.business_on, row.actor) for row in journals} == {(last_month(), cast.finance)}
    entry = TimelineEntry.objects.get(client=cast.client, dedupe_key=f"opening:{opening.pk}:EUR")
    assert (entry.title, entry.is_visible_to_client) == ("Opening balance: €1,234.56", True)
    (part,) = statement.gather(cast.client, today(), today()).parts
    assert [(line.kind_name, str(line.amount)) for line in part.lines] == [("Opening balance", "1234.56")]
    codes = (
        AuditEvent.objects.filter(target_type="wallet.openingbalances").order_by("id").values_list("action", flat=True)
    )
    assert list(codes) == [
        "wallet.opening_balances_proposed",
        "wallet.opening_balances_approved",
        "wallet.opening_balances_posted",
    ]
    assert verify().holds


@pytest.mark.parametrize("act", ["reject", "withdraw"])
def test_without_approval_nothing_is_posted_and_the_file_may_come_again(cast, browse, act):
    row = f"{cast.client.email};EUR;10;{day()}"
    opening = proposed(cast, row)
    assert "Another import already has" in reasons(checked(cast, balances(row), kind="balances"))[2][0]
    actor = cast.finance if act == "reject" else cast.administrator
    getattr(approvals, act)(OpeningBalances, opening.pk, actor=actor, note="Wrong day")
    assert post_opening_balances(opening.pk) == 0
    assert balance(cast.client) is None
    assert "Nothing was posted" in browse(cast.finance).get(opening.get_absolute_url()).content.decode()
    assert checked(cast, balances(row), kind="balances").counts == {"new": 1}


def test_a_client_who_moved_money_meanwhile_stops_the_approval_in_words(cast):
    opening = proposed(cast, f"{cast.client.email};EUR;10;{day()}")
    fund(cast.client, 700)
    with pytest.raises(WrongState, match=r"movements since the import \(lines 2\)"):
        approvals.approve(OpeningBalances, opening.pk, actor=cast.finance)
    opening.refresh_from_db()
    assert (opening.state, balance(cast.client)) == (ApprovalState.PENDING, 700)


def test_a_brand_archived_meanwhile_stops_the_approval(cast):
    opening = proposed(cast, f"{cast.client.email};EUR;10;{day()}")
    cast.brand.archived_at = timezone.now()
    cast.brand.save()
    with pytest.raises(WrongState, match="archived"):
        approvals.approve(OpeningBalances, opening.pk, actor=cast.finance)


def test_lines_can_be_neither_changed_nor_added_nor_posted_otherwise(cast):
    opening = proposed(cast, f"{cast.client.email};EUR;10;{day()}")
    for forged in (
        "UPDATE wallet_openingline SET amount_minor = 99999",
        "DELETE FROM wallet_openingline",
        "INSERT INTO wallet_openingline (data_import_id, part_id, line, client_id, currency, amount_minor) "
        "SELECT data_import_id, part_id, 99, client_id, 'USD', 5 FROM wallet_openingline",
        "UPDATE wallet_openingpart SET total_minor = 5",
        "UPDATE wallet_openingbalances SET digest = 'x'",
        "DELETE FROM wallet_openingbalances",
        "UPDATE wallet_openingbalances SET posted_at = now()",
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            raw(forged)
    without_triggers("UPDATE wallet_openingline SET amount_minor = 99999")
    with pytest.raises(WrongState, match="aren't those that were proposed"):
        approvals.approve(OpeningBalances, opening.pk, actor=cast.finance)


def test_a_wallet_is_opened_once_whichever_way_two_files_come_to_approval(cast, monkeypatch):
    """The database holds it: the second file was let through as it would be by a check that raced."""
    monkeypatch.setattr("wallet.opening_balances.import_kind.ELSEWHERE", "false")
    first = proposed(cast, f"{cast.client.email};EUR;10;{day()}")
    second = proposed(cast, f"{cast.client.email};EUR;11;{day()}")
    approvals.approve(OpeningBalances, first.pk, actor=cast.finance)
    with pytest.raises(DatabaseError, match="a_wallet_has_one_opening_balance"), transaction.atomic():
        approvals.approve(OpeningBalances, second.pk, actor=cast.finance)
    post_opening_balances(first.pk)
    post_opening_balances(second.pk)
    assert balance(cast.client) == 1000


# ── posting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_interrupted_posting_is_due_again_and_posts_each_part_once(cast, monkeypatch):
    monkeypatch.setattr(BalanceKind, "batch_rows", 1)
    monkeypatch.setattr(opening_posting, "SECONDS_MAX", 0)
    opening = proposed(cast, f"{cast.client.email};EUR;10;{day()}", f"{cast.other_client.email};EUR;20;{day()}")
    approvals.approve(OpeningBalances, opening.pk, actor=cast.finance)
    assert post_opening_balances(opening.pk) == 0, "its time was over before the first part"
    OpeningBalances.objects.filter(pk=opening.pk).update(decided_at=timezone.now() - dt.timedelta(minutes=2))
    assert due_openings() == [opening.pk]
    monkeypatch.undo()
    assert post_opening_balances(opening.pk) == 2
    assert post_opening_balances(opening.pk) == 0
    assert (balance(cast.client), balance(cast.other_client)) == (1000, 2000)
    assert due_openings() == [] and Journal.objects.filter(kind="opening").count() == 2


# ── what it isn't ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_opening_balance_is_no_deposit_anywhere(cast):
    posted(cast, f"{cast.client.email};EUR;1234.56;{day()}")
    client = Client.objects.get(pk=cast.client.pk)
    assert not Deposit.objects.exists() and not PspMovement.objects.exists()
    names = ("first_deposit_at", "net_deposits", "deposits_count", "last_deposit_at")
    assert [fact_of(client, name) or 0 for name in names] == [0, 0, 0, 0]
    assert [list(differences(FACTS[name])) for name in names] == [[], [], [], []]
    assert client.stage == cast.client.stage, "whether they ever paid in is not known from a balance"


def test_client_money_counts_the_wallet_and_nothing_received(cast):
    posted(cast, f"{cast.client.email};EUR;1234.56;{day()}")
    (figures,) = figures_of(cast.brand, today())
    assert (figures.wallets, figures.unallocated, figures.transit, figures.resource) == (123456, 0, 0, 0)


def test_an_import_without_a_person_is_refused(cast):
    batch = checked(cast, balances(f"{cast.client.email};EUR;10;{day()}"), kind="balances")
    batch.owner = None
    with pytest.raises(DomainError, match="need a person"):
        BalanceKind(batch).apply(list(batch.rows.all()))
    assert not OpeningLine.objects.exists()


def test_a_brand_archived_since_the_check_takes_no_import(cast):
    batch = checked(cast, balances(f"{cast.client.email};EUR;10;{day()}"), kind="balances")
    cast.brand.archived_at = timezone.now()
    cast.brand.save()
    with pytest.raises(WrongState, match="is archived"):
        importing.confirm(import_id=batch.pk, actor=cast.administrator, is_queued=False)


def test_a_file_whose_rows_were_all_overtaken_proposes_nothing(cast):
    batch = checked(cast, balances(f"{cast.client.email};EUR;10;{day()}"), kind="balances")
    fund(cast.client, 5)
    importing.confirm(import_id=batch.pk, actor=cast.administrator, is_queued=False)
    batch = applying.apply(batch, silent)
    assert (batch.result_url, batch.counts) == ("", {"refused": 1})
    assert not OpeningBalances.objects.exists()
