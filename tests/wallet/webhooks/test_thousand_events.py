"""A thousand events in order on one worker; the same shuffled, tripled and partly replayed on eight: the same ledger."""

import datetime as dt
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable

import pytest
from django.utils import timezone

from crm.money.amounts import from_minor
from tests.cast import make_client
from tests.faults.killing import in_processes
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp, raw, sign
from wallet.choices.psp import InboxState, Verdict
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Psp, WebhookMessage
from wallet.webhooks import processing as inbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DEPOSITS, WORKERS = 250, 8
# What a PSP tells of a payment, four events each; some come back, some fail and are paid after all.
LIVES = (
    ("pending", "authorised", "captured", "captured"),
    ("pending", "authorised", "captured", "chargeback"),
    ("authorised", "captured", "chargeback", "chargeback_reversed"),
    ("pending", "authorised", "failed", "captured"),
    ("pending", "authorised", "failed", "failed"),
)
STATUS = {"chargeback": "charged_back", "chargeback_reversed": "captured"}


def make_deposits(cast, psp: Psp, mark: str) -> list[Deposit]:
    clients = [
        make_client(
            brand=cast.brand,
            book=cast.client.book,
            email=f"{mark}{n}@example.com",
            login=False,
            kyc_level=2,
            stage="registered",
            registered_at=timezone.now(),
            first_name="Clara",
            last_name=f"Weber {n}",
        )
        for n in range(7)
    ]
    now = timezone.now()
    return Deposit.objects.bulk_create(
        Deposit(
            client=client,
            brand=cast.brand,
            psp=psp,
            wallet=posting.wallet_of(client, "EUR"),
            reference=f"D-{mark}-{n}",
            request_key=f"{mark}{n}",
            amount_minor=1_000 + n,
            currency="EUR",
            created_at=now,
            expires_at=now + dt.timedelta(days=1),
        )
        for n in range(DEPOSITS)
        for client in [clients[n % 7]]
    )


def story(deposits: Iterable[Deposit]) -> list[bytes]:
    """Every event of every payment, in the order in which it happens."""
    told = []
    for number, deposit in enumerate(deposits):
        for place, kind in enumerate(LIVES[number % len(LIVES)]):
            data = {
                "id": f"pay_{deposit.reference}",
                "reference": deposit.reference,
                "status": STATUS.get(kind, kind),
                "amount_minor": deposit.amount_minor,
                "received_minor": deposit.amount_minor,
                "currency": "EUR",
                "payer_name": str(deposit.client),
                "method": "visa",
                "instrument": "•••• 4242",
            }
            event_id = f"evt_{deposit.reference}_{place}"
            body = {
                "id": event_id,
                "type": f"payment.{kind}",
                "created": 0,
                "merchant": "merchant-northpay",
                "data": data,
            }
            told.append(json.dumps(body, sort_keys=True).encode())
    return told


def take_in(psp: Psp, body: bytes, *, age: int = 0) -> str:
    """One delivery, signed that many seconds ago."""
    signature = sign("sandbox-webhook-secret-northpay", body, int(timezone.now().timestamp()) - age)
    (message,) = inbox.receive_webhook(psp=psp, body=body, headers={"sandbox-signature": signature}, ip="127.0.0.1")
    return message.verdict


def act() -> None:
    """Until nothing waits: what was told too early is due again as time passes."""
    for _round in range(10):
        WebhookMessage.objects.filter(state=InboxState.WAITING).update(due_at=timezone.now(), attempts=0)
        if not inbox.process_due_webhooks(seconds=300) and not inbox.due_webhooks(limit=1):
            return


def books(mark: str) -> tuple[str, list[tuple], dict[str, str]]:
    """The ledger of one run without ids and times: its digest, every wallet, and the state of every deposit."""
    postings = raw(
        "SELECT replace(j.idempotency_key, %s, ''), j.kind, p.line, a.kind, p.currency, p.layer, p.amount_minor"
        " FROM wallet_journal j JOIN wallet_posting p ON p.journal_id = j.id JOIN wallet_account a ON a.id = p.account_id"
        " WHERE j.idempotency_key LIKE %s ORDER BY 1, 3",
        f"-{mark}-",
        f"%-{mark}-%",
    )
    wallets = raw(
        "SELECT replace(c.email, %s, ''), b.version, b.credits_posted, b.debits_posted, b.credits_pending, b.debits_pending"
        " FROM wallet_balance b JOIN wallet_account a ON a.id = b.account_id JOIN clients_client c ON c.id = a.client_id"
        " WHERE c.email LIKE %s AND a.kind = 'client_wallet' ORDER BY 1",
        mark,
        f"{mark}%",
    )
    states = dict(Deposit.objects.filter(reference__startswith=f"D-{mark}-").values_list("reference", "state"))
    digest = hashlib.sha256(repr(postings).encode()).hexdigest()
    return digest, wallets, {reference.rpartition("-")[2]: state for reference, state in states.items()}


def test_a_thousand_events_in_any_order_on_eight_workers_give_the_ledger_of_one_ordered_run(cast):
    load_rates()
    psp = make_psp(cast.brand, "northpay")
    for body in story(make_deposits(cast, psp, "ordered")):
        assert take_in(psp, body) == Verdict.ACCEPTED
    act()  # in the order in which they came

    told = story(make_deposits(cast, psp, "chaos"))
    assert len(told) == 1_000
    deliveries = told * 2
    random.Random(7).shuffle(deliveries)

    def worker(number: int) -> None:
        for place, body in enumerate(deliveries[number::WORKERS]):
            assert take_in(psp, body) in (Verdict.ACCEPTED, Verdict.DUPLICATE)
            if place % 25 == 0:
                inbox.process_due_webhooks()

    in_processes([lambda number=number: worker(number) for number in range(WORKERS)])
    act()
    assert WebhookMessage.objects.filter(verdict=Verdict.ACCEPTED, reference__startswith="D-chaos").count() == 1_000
    once = books("chaos")
    assert once == books("ordered")
    assert Counter(once[2].values()) == {"settled": 100, "charged_back": 50, "cb_reversed": 50, "failed": 50}

    # A week later a tenth comes again: as it was (too old), and signed anew by the PSP (known).
    for body in random.Random(8).sample(told, 100):
        assert take_in(psp, body, age=7 * 86_400) == Verdict.STALE
        assert take_in(psp, body) == Verdict.DUPLICATE
    act()
    assert books("chaos") == once

    assert not WebhookMessage.objects.filter(state__in=[InboxState.WAITING, InboxState.FAILED]).exists()
    assert sum(first for (first,) in raw("SELECT count(*) FROM wallet_deposit WHERE is_first GROUP BY client_id")) == 14
    kept = sum(
        deposit.amount_minor
        for deposit in Deposit.objects.filter(reference__startswith="D-chaos", state__in=["settled", "cb_reversed"])
    )
    assert from_minor(sum(row[2] - row[3] for row in once[1]), "EUR") == from_minor(kept, "EUR")
    assert verify().problems == []
