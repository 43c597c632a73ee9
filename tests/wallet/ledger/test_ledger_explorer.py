"""The ledger explorer: running balances without adding an account up, filters, proofs, owners by name, exports."""

import datetime as dt
import random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.files import jobs
from crm.models import AccessEvent, Job
from ib.models import Partner
from tests.wallet.factories import fund, house, without_triggers
from wallet.choices import account_owners
from wallet.choices.ledger import AccountKind, JournalKind, Layer
from wallet.ledger import account_history, seals
from wallet.ledger import posting as ledger
from wallet.ledger.account_history import HistoryForm, history_page
from wallet.ledger.journal_seals import proof_of, seal_of
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Checkpoint, Journal, Posting

pytestmark = pytest.mark.django_db


def pay(brand, minor: int, key: str, kind: JournalKind = JournalKind.PSP_FEE) -> int:
    entry = Entry(
        key=key,
        kind=kind,
        brand_id=brand.pk,
        description=key,
        lines=(Line(house(brand, AccountKind.FEES), -minor), Line(house(brand, AccountKind.HOUSE_BANK), minor)),
    )
    with transaction.atomic():
        return ledger.post(entry).journal_id


@pytest.fixture
def busy(cast, monkeypatch) -> Account:
    """A house account with 130 postings, a checkpoint in the middle, and pages of 20."""
    monkeypatch.setattr(account_history, "PAGE_SIZE", 20)
    rng = random.Random(4)
    for number in range(130):
        kind = JournalKind.PSP_FEE if number % 3 else JournalKind.ADJUSTMENT
        pay(cast.brand, rng.randrange(1, 9_000), f"n{number}", kind)
        if number == 70:
            seals.seal_pending()
    return house(cast.brand, AccountKind.FEES)


def walk(account: Account, form: HistoryForm | None = None, until: dt.datetime | None = None) -> list:
    rows, cursor = [], ""
    while True:
        page = history_page(account, until=until, cursor=cursor, form=form or HistoryForm({}))
        rows += page.rows
        cursor = page.next_cursor
        if not cursor:
            return rows


def test_the_running_balance_of_a_house_account_is_right_on_every_page(busy):
    assert Checkpoint.objects.filter(account=busy).exists()
    rows = walk(busy)
    total = 0
    for row, posting in zip(
        reversed(rows), Posting.objects.filter(account=busy).order_by("posted_at", "journal_id", "line"), strict=True
    ):
        total += posting.amount_minor
        assert (row.posting.pk, int(row.balance * 100)) == (posting.pk, total)
    page = history_page(busy, until=None, cursor="", form=HistoryForm({}))
    older = history_page(busy, until=None, cursor=page.next_cursor, form=HistoryForm({}))
    assert page.before == older.rows[0].balance


def test_a_narrowed_history_shows_the_same_balances(busy):
    whole = {row.posting.pk: row.balance for row in walk(busy)}
    form = HistoryForm({"kind": "adjustment", "least": "10", "most": "60"})
    rows = walk(busy, form)
    assert 0 < len(rows) < 60
    for row in rows:
        assert row.balance == whole[row.posting.pk]
        assert row.posting.journal.kind == "adjustment"
        assert 1_000 <= abs(row.posting.amount_minor) <= 6_000


def test_the_history_as_of_an_instant_ends_there(busy):
    rows = walk(busy)
    at = rows[50].posting.posted_at
    then = walk(busy, until=at)
    assert [row.posting.pk for row in then] == [row.posting.pk for row in rows[50:]]
    assert int(then[0].balance * 100) == ledger.balance(busy, at=at)


def test_days_are_the_reader_s(busy):
    today = dt.datetime.now(dt.UTC).date()
    assert len(walk(busy, HistoryForm({"first": today, "last": today}))) == 130
    assert walk(busy, HistoryForm({"first": today + dt.timedelta(days=2)})) == []
    assert walk(busy, HistoryForm({"first": "nonsense"})) == walk(busy)


def test_a_wallet_shows_reservations_and_its_kept_balances(cast):
    wallet = fund(cast.client, 10_000)
    with transaction.atomic():
        ledger.reserve(
            Entry(
                key="hold",
                kind=JournalKind.WITHDRAWAL,
                brand_id=cast.brand.pk,
                lines=(Line(wallet, -3_000), Line(house(cast.brand), 3_000)),
            )
        )
    first, second = walk(wallet)
    assert (first.posting.layer, first.balance, second.balance) == (Layer.RESERVED, 100, 100)


def test_pages_take_a_fixed_number_of_queries(cast, busy, browse):
    browser = browse(cast.finance)
    browser.get("/profile/")
    for address in (
        reverse("wallet:ledger_account", args=[busy.pk]),
        reverse("wallet:ledger_account", args=[busy.pk]) + "?kind=adjustment&least=1",
        reverse("wallet:journal", args=[Journal.objects.first().pk]) + "?proof=1",
    ):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        assert len(queries) <= 26, [query["sql"][:80] for query in queries]


def test_looking_at_a_client_s_wallet_is_logged(cast, browse):
    wallet = fund(cast.client, 100)
    browse(cast.auditor).get(reverse("wallet:ledger_account", args=[wallet.pk]))
    assert AccessEvent.objects.filter(target=f"wallet.account:{wallet.pk}", client_id=cast.client.pk).exists()


def test_the_export_is_the_history_as_it_is_shown(cast, busy, browse, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", jobs.run_job)
    monkeypatch.setattr("django.db.transaction.on_commit", lambda work, *_a, **_k: work())
    browse(cast.finance).post(reverse("wallet:ledger_export", args=[busy.pk]), {"kind": "adjustment"})
    lines = b"".join(jobs.result_of(Job.objects.get())).decode().splitlines()
    assert len(lines) == 1 + len(walk(busy, HistoryForm({"kind": "adjustment"})))
    assert lines[0].startswith("posted,business_day,journal,kind")
    assert browse(cast.auditor).post(reverse("wallet:ledger_export", args=[busy.pk])).status_code == 403


# ── seals ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sealed_journal_proves_itself_and_a_changed_one_does_not(cast, browse):
    ids = [pay(cast.brand, 100 + number, f"n{number}") for number in range(7)]
    seals.seal_pending()
    late = pay(cast.brand, 1, "late")
    assert seal_of(Journal.objects.get(pk=late)) is None
    for pk in ids:
        journal = Journal.objects.get(pk=pk)
        proof = proof_of(journal, seal_of(journal))
        assert proof is not None and proof.holds
    without_triggers("UPDATE wallet_journal SET content_hash = sha256('x') WHERE id = %s", ids[3])
    journal = Journal.objects.get(pk=ids[3])
    assert not proof_of(journal, seal_of(journal)).holds
    page = browse(cast.auditor).get(reverse("wallet:journal", args=[ids[3]]), {"proof": 1}).content.decode()
    assert "Data was changed" in page
    assert "Not sealed yet" in browse(cast.auditor).get(reverse("wallet:journal", args=[late])).content.decode()


def test_the_journal_page_offers_the_reversal_to_those_who_may(cast, browse):
    pk = pay(cast.brand, 100, "fee")
    link = f"{reverse('wallet:manual_journal_new')}?reverse={pk}"
    assert link in browse(cast.finance).get(reverse("wallet:journal", args=[pk])).content.decode()
    assert link not in browse(cast.auditor).get(reverse("wallet:journal", args=[pk])).content.decode()
    movement = pay(cast.brand, 100, "deposit:D-1:settle")
    page = browse(cast.finance).get(reverse("wallet:journal", args=[movement])).content.decode()
    assert "?reverse=" not in page


# ── owners ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_owners_read_by_their_names_in_one_query_per_kind(cast, django_assert_num_queries):
    partner = Partner.objects.create(
        brand=cast.brand,
        user=cast.support,
        code="north",
        name="North Partners",
        currency="EUR",
        joined_at=dt.datetime.now(dt.UTC),
    )
    known = ledger.partner_payable(brand_id=cast.brand.pk, partner_id=partner.pk, currency="EUR")
    unknown = ledger.partner_payable(brand_id=cast.brand.pk, partner_id=999_999, currency="EUR")
    server = ledger.platform_clearing(brand_id=cast.brand.pk, server_id=999_999, currency="EUR")
    accounts = list(Account.objects.filter(pk__in=[known.pk, unknown.pk, server.pk]).order_by("pk"))
    with django_assert_num_queries(2):
        account_owners.warm(accounts)
        labels = [account.owner_label for account in accounts]
    assert labels == ["North Partners", "Partner 999999", "Trading server 999999"]


def test_the_chart_names_owners_without_a_query_per_row(cast, browse):
    def count() -> int:
        browser = browse(cast.finance)
        browser.get("/profile/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse("wallet:ledger")).status_code == 200
        return len(queries)

    ledger.partner_payable(brand_id=cast.brand.pk, partner_id=1, currency="EUR")
    few = count()
    for number in range(2, 9):
        ledger.partner_payable(brand_id=cast.brand.pk, partner_id=number, currency="EUR")
    assert count() <= few


@pytest.mark.parametrize("is_bounded", [True, False])
def test_an_address_that_makes_no_sense_still_gives_the_account(cast, browse, is_bounded):
    fund(cast.client, 100)
    account = Account.objects.filter(is_bounded=is_bounded).first()
    browser, page = browse(cast.finance), reverse("wallet:ledger_account", args=[account.pk])
    endless = "9" * 30
    places = (endless, f"-{endless}", "1", "x", f"2026-01-01T00:00:00+00:00|{endless}|1", "2026-01-01T00:00:00|1|1")
    for query in (
        *({"cursor": place} for place in places),
        {"as_of": "0001-01-01T00:00"},
        {"as_of": "9999-12-31T23:59"},
    ):
        assert browser.get(page, query).status_code == 200, query
    for day in ("0001-01-01", "9999-12-31"):
        answer = browser.get(page, {"first": day, "last": day})
        assert answer.status_code == 200 and "Ensure this value is" in answer.content.decode()
