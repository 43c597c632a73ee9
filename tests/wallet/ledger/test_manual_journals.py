"""Manual journals: one person writes, another one posts, and the ledger's rules hold for them too."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.models import TimelineEntry
from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, Notification
from tests.days import today
from tests.wallet.factories import at_once, available, fund, house, sign_month
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.closing import periods
from wallet.ledger import posting
from wallet.ledger.manual_journals import JournalDraft, mirror_of, write_journal
from wallet.ledger.posting import Entry, InsufficientFunds, Line
from wallet.ledger.verification import verify
from wallet.models import Account, Journal, ManualJournal, Period

pytestmark = pytest.mark.django_db


def bank_fee(brand, minor: int = 1_250) -> list[Line]:
    return [Line(house(brand, AccountKind.FEES), -minor), Line(house(brand, AccountKind.HOUSE_BANK), minor)]


def write(cast, lines=None, **fields) -> ManualJournal:
    call = {"brand_id": cast.brand.pk, "request_key": "form-1", "actor": cast.finance}
    call |= {name: fields.pop(name) for name in list(fields) if name in call}
    draft = {
        "lines": bank_fee(cast.brand) if lines is None else lines,
        "business_on": today(),
        "reason": "Fee of the bank, statement 11",
        **fields,
    }
    return write_journal(draft=JournalDraft(**draft), **call)


def test_nothing_moves_until_a_second_person_posts_it(cast):
    manual = write(cast)
    assert (manual.state, Journal.objects.count()) == (ApprovalState.PENDING, 0)
    assert list(Notification.objects.filter(kind="wallet.manual_journal").values_list("user_id", flat=True)) == [
        cast.second_finance.pk
    ]
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(ManualJournal, manual.pk, actor=cast.finance)
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance, note="Seen on the statement")
    manual.refresh_from_db()
    journal = manual.journal
    assert (journal.idempotency_key, journal.kind) == (f"manual:{manual.reference}:post", JournalKind.ADJUSTMENT)
    assert posting.balance(house(cast.brand, AccountKind.HOUSE_BANK)) == 1_250
    assert (manual.state, manual.decided_by) == (ApprovalState.APPROVED, cast.second_finance)
    assert AuditEvent.objects.filter(action__startswith="wallet.manual_journal_").count() == 2
    assert Notification.objects.filter(kind="crm.proposal_decided", user=cast.finance).exists()
    with pytest.raises(WrongState):
        approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    assert verify().problems == []


def test_the_database_holds_the_four_eyes_too(cast):
    manual = write(cast)
    with pytest.raises(IntegrityError, match="manual_journal_is_decided_by_somebody_else"), transaction.atomic():
        ManualJournal.objects.filter(pk=manual.pk).update(
            state="rejected", decided_by=cast.finance, decided_at=dt.datetime.now(dt.UTC)
        )
    with pytest.raises(IntegrityError, match="approved_manual_journal_is_posted"), transaction.atomic():
        ManualJournal.objects.filter(pk=manual.pk).update(
            state="approved", decided_by=cast.second_finance, decided_at=dt.datetime.now(dt.UTC)
        )


@pytest.mark.parametrize("who", ["auditor", "mlro", "administrator", "agent", "support"])
def test_only_finance_writes_and_posts(cast, who):
    with pytest.raises(NotAllowed):
        write(cast, actor=getattr(cast, who))
    manual = write(cast)
    with pytest.raises(NotAllowed):
        approvals.approve(ManualJournal, manual.pk, actor=getattr(cast, who))


def test_what_can_not_be_a_journal_is_refused_in_words(cast):
    fees, bank = house(cast.brand, AccountKind.FEES), house(cast.brand, AccountKind.HOUSE_BANK)
    dollars = house(cast.brand, AccountKind.FEES, "USD")
    fx, fx_dollars = house(cast.brand, AccountKind.FX_POSITION), house(cast.brand, AccountKind.FX_POSITION, "USD")
    foreign = house(cast.other_brand, AccountKind.FEES)
    for lines, fields, words in [
        ([Line(fees, -5)], {}, "two lines"),
        ([Line(fees, -500), Line(bank, 400)], {}, "differ by €1.00"),
        ([Line(fees, -5), Line(dollars, 5)], {}, "differ by €0.05, [$]0.05"),
        ([Line(fees, -5), Line(foreign, 5)], {}, "another brand"),
        ([Line(fees, 0), Line(bank, 0)], {}, "zero or too large"),
        ([Line(fees, -(10**15)), Line(bank, 10**15)], {}, "zero or too large"),
        (
            [Line(fees, -100), Line(fx, 100), Line(fx_dollars, -110), Line(dollars, 110)],
            {},
            "Enter the exchange rate and its date",
        ),
        (None, {"rate": Decimal("1.1")}, "both the rate and its date"),
        (None, {"reason": "  "}, "Enter a reason"),
        (None, {"business_on": today() + dt.timedelta(days=1)}, "in the future"),
        ([Line(fees, -1), Line(bank, 1)] * 31, {}, "at most 60"),
    ]:
        with pytest.raises(DomainError, match=words):
            write(cast, lines, **fields)
    assert ManualJournal.objects.count() == 0


def test_between_currencies_the_journal_names_the_rate(cast):
    brand = cast.brand
    lines = [
        Line(house(brand, AccountKind.FEES), -10_000),
        Line(house(brand, AccountKind.FX_POSITION), 10_000),
        Line(house(brand, AccountKind.FX_POSITION, "USD"), -11_000),
        Line(house(brand, AccountKind.HOUSE_BANK, "USD"), 11_000),
    ]
    manual = write(cast, lines, rate=Decimal("1.1"), rate_on=today())
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    manual.refresh_from_db()
    assert (manual.journal.fx_rate, manual.journal.fx_rate_on) == (Decimal("1.1"), today())
    again = write(cast, mirror_of(manual.journal), reverses_id=manual.journal_id, request_key="form-2")
    approvals.approve(ManualJournal, again.pk, actor=cast.second_finance)
    assert posting.balance(house(brand, AccountKind.HOUSE_BANK, "USD")) == 0
    assert verify().problems == []


def test_a_client_s_wallet_is_guarded_and_the_client_is_told(cast):
    wallet, losses = fund(cast.client, 10_000), house(cast.brand, AccountKind.CHARGEBACK_LOSSES)
    with pytest.raises(InsufficientFunds, match=r"has only €100\.00 available"):
        write(cast, [Line(wallet, -10_001), Line(losses, 10_001)])
    manual = write(cast, [Line(wallet, -4_000), Line(losses, 4_000)], reason="Our secret reason")
    # Money that leaves meanwhile is asked for again when it is posted.
    posting.reserve(
        Entry(
            key="w",
            kind=JournalKind.WITHDRAWAL,
            brand_id=cast.brand.pk,
            lines=(Line(wallet, -7_000), Line(losses, 7_000)),
        )
    )
    with pytest.raises(InsufficientFunds), transaction.atomic():
        approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    manual.refresh_from_db()
    assert manual.state == ApprovalState.PENDING
    posting.release(key="w:free", reservation=Journal.objects.get(idempotency_key="w"))
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    assert available(wallet) == 6_000
    told = TimelineEntry.objects.get(client=cast.client, dedupe_key=f"manual:{manual.pk}:EUR")
    assert told.is_visible_to_client and "−€40.00" in told.title
    manual.refresh_from_db()
    assert manual.journal.description == manual.reference  # the statement of account tells it, not the reason


def test_client_credit_does_not_move_by_hand(cast):
    credit = posting.account_for(AccountKind.BONUS, brand_id=cast.brand.pk, currency="EUR", client_id=cast.client.pk)
    with pytest.raises(DomainError, match="revoke the bonus"):
        write(cast, [Line(credit, 5), Line(house(cast.brand), -5)])


def test_a_reversal_mirrors_the_journal_and_happens_once(cast):
    first = write(cast)
    approvals.approve(ManualJournal, first.pk, actor=cast.second_finance)
    first.refresh_from_db()
    with pytest.raises(DomainError, match="mirrors the journal"):
        write(cast, bank_fee(cast.brand), reverses_id=first.journal_id, request_key="r1")
    mirror = mirror_of(first.journal)
    back = write(cast, mirror, reverses_id=first.journal_id, request_key="r2")
    with pytest.raises(WrongState, match="already awaiting second approval"):
        write(cast, mirror, reverses_id=first.journal_id, request_key="r3")
    approvals.approve(ManualJournal, back.pk, actor=cast.second_finance)
    back.refresh_from_db()
    assert (back.journal.kind, back.journal.reverses_id) == (JournalKind.REVERSAL, first.journal_id)
    with pytest.raises(WrongState, match="already reversed"):
        write(cast, mirror, reverses_id=first.journal_id, request_key="r4")
    assert posting.balance(house(cast.brand, AccountKind.FEES)) == 0


def test_the_database_holds_one_open_reversal_of_a_journal(cast):
    first = write(cast)
    approvals.approve(ManualJournal, first.pk, actor=cast.second_finance)
    first.refresh_from_db()
    write(cast, mirror_of(first.journal), reverses_id=first.journal_id, request_key="r1")
    other = write(cast, request_key="r2")
    with pytest.raises(IntegrityError, match="one_reversal_of_a_journal_waits"), transaction.atomic():
        ManualJournal.objects.filter(pk=other.pk).update(reverses=first.journal_id)


def test_the_same_form_twice_is_one_journal(cast):
    assert write(cast) == write(cast)
    with pytest.raises(IdempotencyConflict):
        write(cast, bank_fee(cast.brand, 7))
    assert ManualJournal.objects.count() == 1


def test_refused_with_a_reason_or_withdrawn_by_its_writer(cast):
    manual = write(cast)
    with pytest.raises(DomainError, match="Enter a reason"):
        approvals.reject(ManualJournal, manual.pk, actor=cast.second_finance, note="")
    with pytest.raises(NotAllowed):
        approvals.reject(ManualJournal, manual.pk, actor=cast.finance, note="No")
    approvals.reject(ManualJournal, manual.pk, actor=cast.second_finance, note="Wrong month")
    other = write(cast, request_key="form-2")
    with pytest.raises(NotAllowed):
        approvals.withdraw(ManualJournal, other.pk, actor=cast.second_finance)
    assert approvals.withdraw(ManualJournal, other.pk, actor=cast.finance).state == ApprovalState.WITHDRAWN
    with pytest.raises(WrongState):
        approvals.approve(ManualJournal, other.pk, actor=cast.second_finance)
    assert Journal.objects.count() == 0


def test_a_waiting_journal_keeps_its_month_open(cast):
    last_month = today().replace(day=1) - dt.timedelta(days=1)
    manual = write(cast, business_on=last_month)
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    waiting = write(cast, business_on=last_month, request_key="late")
    periods.open_months(cast.brand.pk)
    period = Period.objects.get(last_day=last_month)
    with pytest.raises(DomainError, match="awaiting second approval: 1"):
        periods.close_period(period_id=period.pk, actor=cast.finance)
    approvals.withdraw(ManualJournal, waiting.pk, actor=cast.finance)
    sign_month(period, cast.finance, cast.second_finance)
    periods.close_period(period_id=period.pk, actor=cast.finance)
    with pytest.raises(DomainError, match="closed up to"):
        write(cast, business_on=last_month, request_key="too late")


@pytest.mark.django_db(transaction=True)
def test_two_people_post_at_once_and_it_is_posted_once(cast):
    manual = write(cast)
    third = cast.second_finance
    done = at_once(lambda _number: approvals.approve(ManualJournal, manual.pk, actor=third), 4)
    assert sum(isinstance(one, ManualJournal) for one in done) == 1
    assert Journal.objects.count() == 1


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def typed(cast, rows: list[tuple[Account, str, str]], **fields) -> dict:
    return {
        "brand": cast.brand.pk,
        "business_on": today().isoformat(),
        "reason": "Bank fee",
        "request_key": "k1",
        "account": [f"{account.pk} · {account}" for account, _debit, _credit in rows],
        "debit": [debit for _account, debit, _credit in rows],
        "credit": [credit for _account, _debit, credit in rows],
        **fields,
    }


def test_written_and_posted_from_the_pages(cast, browse):
    fees, bank = house(cast.brand, AccountKind.FEES), house(cast.brand, AccountKind.HOUSE_BANK)
    writer = browse(cast.finance)
    answer = writer.post(
        reverse("wallet:manual_journal_new"), typed(cast, [(fees, "1,234.50", ""), (bank, "", "1234.5")])
    )
    manual = ManualJournal.objects.get()
    assert answer.url == reverse("wallet:manual_journal", args=[manual.pk])
    page = writer.get(answer.url).content.decode()
    assert "Someone else must decide" in page
    address = f"/approvals/manual-journal/{manual.pk}/approve/"
    assert writer.post(address).status_code == 422
    browse(cast.second_finance).post(address, {"note": ""})
    assert posting.balance(bank) == 123_450


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(cast, browse):
    fees, bank = house(cast.brand, AccountKind.FEES), house(cast.brand, AccountKind.HOUSE_BANK)
    answer = browse(cast.finance).post(
        reverse("wallet:manual_journal_new"), typed(cast, [(fees, "12,x", ""), (bank, "5", "5"), (bank, "", "0.001")])
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in (
        "Enter an amount in figures",
        "Enter either a debit or a credit",
        "Too many decimal places",
        "12,x",
        "Bank fee",
    ):
        assert words in page
    foreign = house(cast.other_brand, AccountKind.FEES)
    page = browse(cast.finance).post(
        reverse("wallet:manual_journal_new"), typed(cast, [(foreign, "5", ""), (bank, "", "5")])
    )
    assert "Select an account of this brand" in page.content.decode()
    assert ManualJournal.objects.count() == 0


def test_one_click_fills_in_the_reversal(cast, browse):
    manual = write(cast)
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    manual.refresh_from_db()
    page = browse(cast.finance).get(reverse("wallet:manual_journal_new"), {"reverse": manual.journal_id})
    assert "12.50" in page.content.decode()
    assert f"Reverse journal {manual.journal_id}" in page.content.decode()
    assert browse(cast.finance).get(reverse("wallet:manual_journal_new"), {"reverse": 999}).status_code == 404


def test_accounts_are_found_by_kind_currency_and_client(cast, browse):
    fund(cast.client, 100)
    house(cast.brand, AccountKind.FEES, "USD")
    house(cast.other_brand, AccountKind.FEES)
    browser = browse(cast.finance)

    def found(words: str) -> list[str]:
        answer = browser.get(reverse("wallet:account_options"), {"brand": cast.brand.pk, "q": words})
        return [one["text"].partition(" · ")[2] for one in answer.json()["accounts"]]

    assert found("fees usd") == ["PSP and bank fees USD"]
    assert found("weber eur") == [f"Client wallet EUR · {cast.client}"]
    assert found("suspense") == ["Suspense EUR"]
    assert found("nobody") == []
    answer = browser.get(reverse("wallet:account_options"), {"brand": cast.other_brand.pk, "q": "fees"})
    assert answer.json() == {"accounts": []}


def test_pages_take_a_fixed_number_of_queries_and_views_of_clients_are_logged(cast, browse):
    wallet = fund(cast.client, 100_000)

    def count(address: str) -> int:
        browser = browse(cast.finance)
        browser.get("/profile/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        return len(queries)

    one = write(cast, [Line(wallet, -100), Line(house(cast.brand), 100)])
    few = count(reverse("wallet:manual_journals"))
    page = count(reverse("wallet:manual_journal", args=[one.pk]))
    for number in range(5):
        more = write(
            cast,
            [Line(wallet, -100), Line(house(cast.brand), 60), Line(house(cast.brand), 40)],
            request_key=f"x{number}",
        )
    assert count(reverse("wallet:manual_journals")) <= few <= 25
    assert count(reverse("wallet:manual_journal", args=[more.pk])) <= page <= 25
    assert count(reverse("wallet:manual_journal_new")) <= 20
    assert AccessEvent.objects.filter(target=f"wallet.manualjournal:{one.pk}", client_id=cast.client.pk).exists()


def test_a_manual_journal_is_found_by_its_reference(cast, browse):
    manual = write(cast)
    page = browse(cast.auditor).get(reverse("palette"), {"q": manual.reference[:6].lower()}).content.decode()
    assert reverse("wallet:manual_journal", args=[manual.pk]) in page
    page = browse(cast.agent).get(reverse("palette"), {"q": manual.reference[:6]}).content.decode()
    assert manual.reference not in page
