"""The PSPs of the sandbox: what each accepts, charges and is slow at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.psp.money import share


class Kind(StrEnum):
    """How a client pays on the hosted page."""

    CARD = "card"
    WALLET = "wallet"
    BANK = "bank"
    CRYPTO = "crypto"
    CASHIER = "cashier"


@dataclass(frozen=True, slots=True)
class Character:
    """One PSP: its face to clients, its fees and its pace (seconds, scaled by `--pace`)."""

    code: str
    name: str
    kind: Kind
    currencies: tuple[str, ...]
    methods: tuple[str, ...]
    colour: str
    fee_basis_points: int
    fee_fixed_minor: int
    payout_fee_minor: int
    capture_seconds: float = 0.0
    payout_seconds: float = 2.0
    always_challenges: bool = False
    announces_authorisation: bool = False
    captured_by_merchant: bool = False  # the client agrees, then the merchant takes the money
    dialect: str = "plain"  # a key of `dialects.DIALECTS`
    # Methods that are paid on another page, or captured later, than the character's own.
    method_kinds: Mapping[str, Kind] = field(default_factory=dict)
    method_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def api_key(self) -> str:
        """The key a merchant sends as `Authorization: Bearer …`. Fixed: this is a sandbox."""
        return f"sandbox-api-key-{self.code}"

    @property
    def webhook_secret(self) -> str:
        """The secret that signs this PSP's webhooks."""
        return f"sandbox-webhook-secret-{self.code}"

    def kind_of(self, method: str) -> Kind:
        return self.method_kinds.get(method, self.kind)

    def seconds_to_capture(self, method: str) -> float:
        return self.method_seconds.get(method, self.capture_seconds)

    def fee(self, gross_minor: int) -> int:
        """Compute what the PSP keeps of a payment."""
        return share(gross_minor, self.fee_basis_points) + self.fee_fixed_minor


CHARACTERS: dict[str, Character] = {
    character.code: character
    for character in (
        Character(
            "northpay",
            "Northpay",
            Kind.CARD,
            ("EUR", "USD", "GBP", "CHF", "JPY"),
            ("visa", "mastercard"),
            "#1f4e79",
            fee_basis_points=190,
            fee_fixed_minor=25,
            payout_fee_minor=100,
            announces_authorisation=True,
        ),
        Character(
            "cardinal",
            "Cardinal Acquiring",
            Kind.CARD,
            ("EUR", "USD", "GBP"),
            ("visa", "mastercard", "maestro"),
            "#8c2f39",
            fee_basis_points=240,
            fee_fixed_minor=30,
            payout_fee_minor=150,
            always_challenges=True,
        ),
        Character(
            "quickpurse",
            "QuickPurse",
            Kind.WALLET,
            ("EUR", "USD", "GBP"),
            ("quickpurse",),
            "#5b3f8c",
            fee_basis_points=290,
            fee_fixed_minor=0,
            payout_fee_minor=50,
            payout_seconds=1.0,
        ),
        Character(
            "sepalink",
            "SEPA Link",
            Kind.BANK,
            ("EUR",),
            ("sepa", "sepa_instant"),
            "#1d6a5a",
            fee_basis_points=0,
            fee_fixed_minor=35,
            payout_fee_minor=35,
            capture_seconds=3.0,
            payout_seconds=4.0,
            announces_authorisation=True,
        ),
        Character(
            "coinharbor",
            "Coin Harbor",
            Kind.CRYPTO,
            ("EUR", "USD", "USDT", "BTC"),
            ("btc", "usdt"),
            "#b3670b",
            fee_basis_points=100,
            fee_fixed_minor=0,
            payout_fee_minor=0,
            capture_seconds=2.0,
            payout_seconds=3.0,
            announces_authorisation=True,
        ),
        Character(
            "kassa",
            "Kassa Local",
            Kind.CASHIER,
            ("EUR", "USD", "PLN", "CZK", "HUF", "TRY"),
            ("blik", "przelewy24", "giropay", "papara"),
            "#37474f",
            fee_basis_points=320,
            fee_fixed_minor=10,
            payout_fee_minor=200,
            capture_seconds=1.0,
        ),
        Character(
            "stripe",
            "Stripe",
            Kind.CARD,
            ("EUR", "USD", "GBP", "CHF", "JPY"),
            ("card", "sepa_debit", "klarna"),
            "#533afd",
            fee_basis_points=150,
            fee_fixed_minor=25,
            payout_fee_minor=0,
            dialect="stripe",
            method_kinds={"sepa_debit": Kind.BANK, "klarna": Kind.CASHIER},
            method_seconds={"sepa_debit": 3.0},
        ),
        Character(
            "adyen",
            "Adyen",
            Kind.CARD,
            ("EUR", "USD", "GBP", "CHF", "JPY"),
            ("scheme", "sepadirectdebit", "klarna"),
            "#0a7d34",
            fee_basis_points=120,
            fee_fixed_minor=11,
            payout_fee_minor=30,
            announces_authorisation=True,
            dialect="adyen",
            method_kinds={"sepadirectdebit": Kind.BANK, "klarna": Kind.CASHIER},
            method_seconds={"sepadirectdebit": 2.0},
        ),
        Character(
            "paypal",
            "PayPal",
            Kind.WALLET,
            ("EUR", "USD", "GBP", "JPY"),
            ("paypal",),
            "#003087",
            fee_basis_points=349,
            fee_fixed_minor=35,
            payout_fee_minor=25,
            payout_seconds=1.0,
            captured_by_merchant=True,
            dialect="paypal",
        ),
        Character(
            "btcpay",
            "BTCPay Server",
            Kind.CRYPTO,
            ("EUR", "USD", "GBP", "BTC"),
            ("btc",),
            "#0f3b21",
            fee_basis_points=0,
            fee_fixed_minor=0,
            payout_fee_minor=0,
            capture_seconds=2.0,
            payout_seconds=2.0,
            dialect="btcpay",
        ),
        Character(
            "praxis",
            "Praxis-like cashier",
            Kind.CASHIER,
            ("EUR", "USD", "PLN", "CZK", "HUF", "TRY", "BRL"),
            ("blik", "pix", "papara", "przelewy24"),
            "#4a148c",
            fee_basis_points=320,
            fee_fixed_minor=10,
            payout_fee_minor=200,
            capture_seconds=1.0,
            dialect="praxis",
        ),
        Character(
            "bankwire",
            "First Bank of Sand",
            Kind.BANK,
            ("EUR", "USD", "GBP", "CHF"),
            ("wire",),
            "#263238",
            fee_basis_points=0,
            fee_fixed_minor=0,
            payout_fee_minor=0,
            dialect="silent",
        ),
    )
}
