"""Money for tests: PSPs, accounts with something in them, and raw SQL as an attacker would send it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, connections, transaction

from sandbox.psp.apis.stripe import ACCOUNT
from sandbox.psp.characters import CHARACTERS
from sandbox.psp.dialects import DIALECTS
from sandbox.psp.dialects.adyen import MERCHANT, hmac_key
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.closing import sign_offs
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, PaymentMethod, Psp


def make_psp(brand: Any, code: str = "northpay", *, base_url: str = "", **fields: Any) -> Psp:
    """A PSP with one way to pay (or one per name in `codes`). Other fields are the method's, if they are not the PSP's."""
    own = {name: fields.pop(name) for name in ("adapter", "is_enabled", "is_down_until") if name in fields}
    kind, codes = fields.pop("kind", "card"), fields.pop("codes", ("",))
    psp = Psp(brand=brand, code=code, name=code.title(), kind=kind, base_url=base_url, **own)
    psp.seal_credentials(
        {
            "api_key": f"sandbox-api-key-{code}",
            "webhook_secret": f"sandbox-webhook-secret-{code}",
            "merchant": f"merchant-{code}",
        }
    )
    psp.save()
    for number, name in enumerate(codes):
        PaymentMethod.objects.create(
            psp=psp,
            code=name,
            **{"label": psp.name, "kind": kind, "currencies": ["EUR", "USD"], "position": number, **fields},
        )
    return psp


def make_stripe(brand: Any, url: str, **keys: str) -> Psp:
    psp = make_psp(
        brand,
        "stripe",
        base_url=f"{url}/stripe",
        adapter="stripe",
        currencies=["EUR", "USD", "JPY"],
        codes=("card", "sepa_debit"),
        pays_out=False,
    )
    psp.seal_credentials(
        {"api_key": "sandbox-api-key-stripe", "webhook_secret": "sandbox-webhook-secret-stripe", "account": ACCOUNT}
        | keys
    )
    psp.save()
    return psp


def make_adyen(brand: Any, url: str, **keys: str) -> Psp:
    psp = make_psp(
        brand,
        "adyen",
        base_url=f"{url}/adyen",
        adapter="adyen",
        currencies=["EUR", "USD", "JPY"],
        codes=("scheme", "sepadirectdebit"),
    )
    psp.seal_credentials(
        {
            "api_key": "sandbox-api-key-adyen",
            "merchant": MERCHANT,
            "webhook_secret": hmac_key("sandbox-webhook-secret-adyen"),
            "payout_key": "sandbox-api-key-adyen-payout-submit",
            "payout_review_key": "sandbox-api-key-adyen-payout-review",
            "payout_email": "payouts@broker.example",
            "report_user": "report@Company.SandboxCompany",
            "report_password": "sandbox-api-key-adyen-report",
            "client_key": "test_SANDBOX",
        }
        | keys
    )
    psp.save()
    return psp


def house(brand: Any, kind: AccountKind = AccountKind.SUSPENSE, currency: str = "EUR") -> Account:
    return posting.house(kind, brand_id=brand.pk, currency=currency)


def entry(cast: Any, *lines: Line, key: str = "test:1", **fields: Any) -> Entry:
    """An adjustment in the books of the cast's brand."""
    return Entry(key=key, kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines, **fields)


def fund(client: Any, amount_minor: int, currency: str = "EUR", *, key: str = "") -> Account:
    """Put money into a client's wallet, from suspense."""
    wallet = posting.wallet_of(client, currency)
    with transaction.atomic():
        posting.post(
            Entry(
                key=key or f"test:fund:{client.pk}:{currency}:{amount_minor}",
                kind=JournalKind.ADJUSTMENT,
                brand_id=client.brand_id,
                lines=(Line(house(client.brand, currency=currency), -amount_minor), Line(wallet, amount_minor)),
            )
        )
    return wallet


def available(wallet: Account) -> int:
    wallet.balance.refresh_from_db()
    return wallet.balance.available_minor


def raw(sql: str, *values: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def without_triggers(sql: str, *values: Any) -> None:
    """What someone with the keys to the database could do: triggers and foreign keys off, then change a row."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what was deferred so far is judged before the tampering
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def at_once(work: Callable[[int], Any], times: int, threads: int | None = None) -> list[Any]:
    """Runs `work(0)` … `work(times - 1)` on threads of their own; an exception is its result."""

    def run(number: int) -> Any:
        try:
            return work(number)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads or times) as pool:
        return list(pool.map(run, range(times)))


def sign(secret: str, body: bytes, at: int) -> str:
    """The signature header as the sandbox makes it."""
    _body, headers = DIALECTS["plain"].signed(CHARACTERS["northpay"], body, event_id="", at=at, secret=secret)
    return headers["Sandbox-Signature"]


def sign_month(period: Any, *people: Any, note: str = "") -> None:
    """Two people of finance put their names under it."""
    for person in people:
        sign_offs.sign_month(period_id=period.pk, actor=person, note=note)
