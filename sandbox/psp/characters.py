"""The six PSPs of the sandbox: what each accepts, charges and is slow at."""

from dataclasses import dataclass
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
    dialect: str = "plain"  # a key of `dialects.DIALECTS`

    @property
    def api_key(self) -> str:
        """The key a merchant sends as `Authorization: Bearer …`. Fixed: this is a sandbox."""
        return f"sandbox-api-key-{self.code}"

    @property
    def webhook_secret(self) -> str:
        """The secret that signs this PSP's webhooks."""
        return f"sandbox-webhook-secret-{self.code}"

    def fee(self, gross_minor: int) -> int:
        """What the PSP keeps of a payment."""
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
    )
}
