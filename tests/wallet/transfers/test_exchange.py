"""Money between currencies: a promised rate, used once and in time, booked through the house's FX position."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from crm.models import AuditEvent, FxRate
from crm.security import audit
from tests.brand_policies import set_policies
from tests.trading.factories import make_account, make_server
from tests.wallet.conftest import load_rates
from tests.wallet.factories import at_once, available, fund, house
from tests.wallet.transfers.test_transfer import end
from wallet.choices.ledger import AccountKind
from wallet.choices.transfers import Direction, QuoteFor, TransferState
from wallet.ledger import posting
from wallet.ledger.posting import InsufficientFunds
from wallet.ledger.verification import verify
from wallet.models import Exchange, Journal, Quote, Transfer
from wallet.transfers.exchanges import exchange
from wallet.transfers.quotes import QuoteExpired, ask_quote
from wallet.transfers.verbs import start_transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(cast):
    load_rates()
    fund(cast.client, 100_000)
    return cast


def quote(cast, amount="100", given="EUR", got="USD", **more) -> Quote:
    wish = {
        "client_id": cast.client.pk,
        "given": given,
        "got": got,
        "amount": Decimal(amount),
        "actor": cast.client_user,
    }
    return ask_quote(**(wish | more))


def change(cast, promised: Quote, *, key="k1", actor=None) -> Exchange:
    return exchange(client_id=cast.client.pk, quote_id=promised.pk, request_key=key, actor=actor or cast.client_user)


def in_wallet(cast, currency: str) -> int:
    return posting.balance(posting.wallet_of(cast.client, currency))


def test_an_exchange_books_four_postings_at_the_quoted_rate(rich):
    set_policies(rich.brand, fx_markup_basis_points=50)
    promised = quote(rich)
    reference = FxRate.objects.filter(currency="USD").order_by("-on").first()
    assert promised.rate == (reference.rate * Decimal("0.995")).quantize(Decimal("1e-12"))
    assert promised.rate_on == reference.on and promised.markup_basis_points == 50
    assert (promised.expires_at - promised.created_at).total_seconds() == 30
    done = change(rich, promised)
    assert in_wallet(rich, "EUR") == 90_000
    assert in_wallet(rich, "USD") == promised.got_minor == done.got_minor
    position = [house(rich.brand, AccountKind.FX_POSITION, code) for code in ("EUR", "USD")]
    assert [posting.balance(one) for one in position] == [10_000, -promised.got_minor]
    journal = Journal.objects.get(pk=done.journal_id)
    assert (journal.fx_rate, journal.fx_rate_on) == (promised.rate, promised.rate_on)
    assert audit.body_of(AuditEvent.objects.get(action="wallet.exchanged"))["after"]["rate"] == str(promised.rate)
    assert verify().holds
    Exchange.objects.update(got_minor=1)
    assert any("exchange X-" in problem for problem in verify().problems)


def test_a_quote_is_used_once_and_in_time(rich):
    promised = quote(rich)
    done = change(rich, promised)
    assert change(rich, promised).pk == done.pk, "the same click"
    with pytest.raises(WrongState, match="already been used"):
        change(rich, promised, key="k2")
    late = quote(rich)
    Quote.objects.filter(pk=late.pk).update(
        created_at=late.created_at - dt.timedelta(minutes=1), expires_at=late.expires_at - dt.timedelta(minutes=1)
    )
    with pytest.raises(QuoteExpired, match="expired"):
        change(rich, late, key="k3")
    with pytest.raises(IdempotencyConflict):
        change(rich, late)
    assert Exchange.objects.count() == 1


def test_only_the_client_and_only_their_own_quote(rich):
    promised = quote(rich)
    for actor in (rich.finance, rich.agent, rich.other_client_user):
        with pytest.raises(NotAllowed):
            quote(rich, actor=actor)
        with pytest.raises(NotAllowed):
            change(rich, promised, actor=actor)
    with pytest.raises(DomainError, match="new one"):
        exchange(client_id=rich.other_client.pk, quote_id=promised.pk, request_key="k", actor=rich.other_client_user)
    rich.client.restrictions = ["frozen"]
    rich.client.save()
    with pytest.raises(NotAllowed):
        change(rich, promised)


@pytest.mark.parametrize(
    ("amount", "given", "got", "words"),
    [
        ("0", "EUR", "USD", "above zero"),
        ("-1", "EUR", "USD", "above zero"),
        ("1.001", "EUR", "USD", "decimal places"),
        ("0.5", "JPY", "EUR", "decimal places"),
        ("0.000000001", "BTC", "EUR", "decimal places"),
        ("1e30", "EUR", "USD", "too large"),
        ("1", "JPY", "EUR", "too small"),
        ("100", "EUR", "EUR", "two different"),
        ("1", "EUR", "BTC", "no current exchange rate"),
        ("1", "EUR", "XXX", "no current exchange rate"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(rich, amount, given, got, words):
    with pytest.raises(DomainError, match=words):
        quote(rich, amount, given, got)
    assert not Quote.objects.exists()


def test_a_rate_that_is_missing_is_said_so(rich):
    FxRate.objects.all().delete()
    with pytest.raises(DomainError, match="no current exchange rate"):
        quote(rich)


def test_more_than_there_is_is_not_exchanged(rich):
    promised = quote(rich, "1000.01")
    with pytest.raises(InsufficientFunds), transaction.atomic():
        change(rich, promised)
    assert in_wallet(rich, "EUR") == 100_000


@pytest.mark.django_db(transaction=True)
def test_a_quote_used_by_two_at_once_is_one_exchange(rich):
    promised = quote(rich)
    results = at_once(lambda number: change(rich, promised, key=f"k{number}").pk, 4)
    assert sum(isinstance(one, WrongState) for one in results) == 3
    assert Exchange.objects.count() == 1 and in_wallet(rich, "EUR") == 90_000
    assert verify().holds


# A trading account in another currency


@pytest.fixture
def dollars(rich):
    return make_account(rich.client, make_server(), currency="USD")


def promised_for(cast, account, direction: Direction, amount="100") -> Quote:
    given, got = ("EUR", "USD") if direction == Direction.TO_TRADING else ("USD", "EUR")
    return quote(cast, amount, given, got, purpose=QuoteFor(direction.value), trading_account_id=account.pk)


def move(cast, account, direction: Direction, promised: Quote, *, key="k1") -> Transfer:
    return start_transfer(
        client_id=cast.client.pk,
        trading_account_id=account.pk,
        direction=direction,
        quote_id=promised.pk,
        request_key=key,
        actor=cast.client_user,
    )


def test_to_an_account_in_another_currency_the_wallet_gives_and_the_platform_gets(rich, dollars):
    promised = promised_for(rich, dollars, Direction.TO_TRADING)
    transfer = move(rich, dollars, Direction.TO_TRADING, promised)
    assert (transfer.amount_minor, transfer.currency, transfer.wallet_minor) == (promised.got_minor, "USD", 10_000)
    assert available(posting.wallet_of(rich.client, "EUR")) == 90_000
    assert end(transfer, ticket=7) == TransferState.SETTLED
    clearing = posting.platform_clearing(brand_id=rich.brand.pk, server_id=dollars.server_id, currency="USD")
    assert (in_wallet(rich, "EUR"), posting.balance(clearing)) == (90_000, promised.got_minor)
    assert verify().holds


def test_from_an_account_in_another_currency_the_promised_rate_holds(rich, dollars):
    promised = promised_for(rich, dollars, Direction.TO_WALLET)
    transfer = move(rich, dollars, Direction.TO_WALLET, promised)
    assert (transfer.amount_minor, transfer.wallet_minor) == (10_000, promised.got_minor)
    FxRate.objects.all().delete()
    assert end(transfer, ticket=8) == TransferState.SETTLED
    assert in_wallet(rich, "EUR") == 100_000 + promised.got_minor
    assert verify().holds


def test_a_cent_account_gets_a_hundred_for_each_dollar_and_gives_the_cent_back(rich):
    """Dollars and a cent account's hundredths are one money: no markup, nothing lost on the way there and back."""
    set_policies(rich.brand, fx_markup_basis_points=50)
    fund(rich.client, 100_000, currency="USD")
    cents = make_account(rich.client, make_server(), currency="USC")
    there = quote(rich, "123.45", "USD", "USC", purpose=QuoteFor.TO_TRADING, trading_account_id=cents.pk)
    assert (there.given_minor, there.got_minor, there.rate) == (12_345, 1_234_500, 100)
    sent = move(rich, cents, Direction.TO_TRADING, there)
    assert (sent.amount, sent.currency) == (Decimal("12345.00"), "USC")
    assert end(sent, ticket=9) == TransferState.SETTLED
    assert in_wallet(rich, "USD") == 100_000 - 12_345
    back = quote(rich, "12345", "USC", "USD", purpose=QuoteFor.TO_WALLET, trading_account_id=cents.pk)
    assert end(move(rich, cents, Direction.TO_WALLET, back, key="k2"), ticket=10) == TransferState.SETTLED
    assert in_wallet(rich, "USD") == 100_000
    assert posting.balance(house(rich.brand, AccountKind.FX_POSITION, "USC")) == 0
    assert verify().holds


def test_a_refused_one_leaves_both_sides_as_they_were(rich, dollars):
    transfer = move(rich, dollars, Direction.TO_TRADING, promised_for(rich, dollars, Direction.TO_TRADING))
    assert end(transfer, ticket=None) == TransferState.FAILED
    assert (in_wallet(rich, "EUR"), available(posting.wallet_of(rich.client, "EUR"))) == (100_000, 100_000)
    assert posting.balance(house(rich.brand, AccountKind.FX_POSITION, "USD")) == 0


def test_a_quote_is_good_for_its_own_purpose_only(rich, dollars):
    promised = promised_for(rich, dollars, Direction.TO_TRADING)
    with pytest.raises(DomainError, match="for a different exchange"):
        move(rich, dollars, Direction.TO_WALLET, promised)
    with pytest.raises(DomainError, match="for a different exchange"):
        change(rich, promised)
    move(rich, dollars, Direction.TO_TRADING, promised)
    with pytest.raises(WrongState, match="already been used"):
        move(rich, dollars, Direction.TO_TRADING, promised, key="k2")
    with pytest.raises(IntegrityError), transaction.atomic():
        Transfer.objects.update(wallet_minor=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Quote.objects.filter(pk=promised.pk).update(trading_account_id=None)


# Pages


def test_staff_see_what_was_exchanged_and_at_which_rate(rich, browse, django_assert_max_num_queries):
    done = change(rich, quote(rich))
    listed = browse(rich.finance).get(reverse("wallet:exchanges")).content.decode()
    assert done.reference in listed
    browser = browse(rich.finance)
    browser.get("/profile/")
    with django_assert_max_num_queries(22):
        page = browser.get(reverse("wallet:exchange", args=[done.pk])).content.decode()
    assert f"{done.quote.rate:.6f}" in page and "Exchanged at the quoted rate" in page
    assert browse(rich.other_agent).get(reverse("wallet:exchange", args=[done.pk])).status_code == 404
