"""What the way to a Sirix server needs beside host, port and token.

Of the platform's interface only two calls are known from public clients: `UserStatus/GetUserTransactions` and
`UserActions/CreateUser`. The call that moves money is known to nobody but the broker and Leverate: its path, its field names
and how its answer says yes are settings, and without a path no money is moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from trading.models import TradingServer
from trading.platforms.base import SANDBOX_HOST
from trading.platforms.options import Option
from trading.platforms.pool import option_value
from trading.platforms.sirix import units
from trading.platforms.web import Address

FIELD: Final = r"[A-Za-z_][A-Za-z0-9_]*"
NAME: Final = rf"{FIELD}(\.{FIELD})*"
PATH: Final = r"(/[A-Za-z0-9._~-]+)+"
YES, NO = "yes", "no"
YES_NO: Final = ((YES, _("Yes")), (NO, _("No")))
AS_TOLD: Final = _("As in Leverate's documentation.")

OPTIONS: Final = (
    Option("tls", _("Encrypted (HTTPS)"), _("Turn off only inside a tunnel."), default=YES, choices=YES_NO),
    Option(
        "pause",
        _("Delay between accounts (seconds)"),
        _("Accounts are read one by one; public clients wait 0.2 seconds between them."),
        default="0.2",
        pattern=r"\d(\.\d{1,2})?",
    ),
    Option(
        "contract_sizes",
        _("Contract sizes"),
        _(
            "Units per lot where they aren't 100,000 for currency pairs, 100 for gold, 5,000 for "
            "silver and 1 for everything else: US500=10, BRENT=1000."
        ),
        pattern=units.SIZES_PATTERN,
    ),
    Option(
        "status_path",
        _("Status endpoint path"),
        _("Only if this broker's server uses a different one."),
        default="/api/UserStatus/GetUserTransactions",
        pattern=PATH,
    ),
    Option(
        "create_path",
        _("Account creation endpoint path"),
        _("Only if this broker's server uses a different one."),
        default="/api/UserActions/CreateUser",
        pattern=PATH,
    ),
    Option(
        "money_path",
        _("Balance endpoint path"),
        _("Ask Leverate. Without it, Keelson can't book deposits and withdrawals."),
        pattern=PATH,
    ),
    Option("money_user", _("Balance request: account field"), AS_TOLD, default="UserID", pattern=FIELD),
    Option("money_amount", _("Balance request: amount field"), AS_TOLD, default="Amount", pattern=FIELD),
    Option("money_comment", _("Balance request: reference field"), AS_TOLD, default="Comment", pattern=FIELD),
    Option(
        "money_type",
        _("Balance request: direction field"),
        _("A dash means there is none: a withdrawal is a negative amount."),
        default="Type",
        pattern=rf"-|{FIELD}",
    ),
    Option("money_deposit", _("Balance request: deposit value"), _("The value of that field."), default="Deposit"),
    Option(
        "money_withdrawal", _("Balance request: withdrawal value"), _("The value of that field."), default="Withdrawal"
    ),
    Option(
        "money_answer",
        _("Balance response: result field"),
        _("Shows whether the operation was booked."),
        default="Result.Code",
        pattern=NAME,
    ),
    Option(
        "money_done",
        _("Balance response: success value"),
        _("The value of the result field on success."),
        default="Success",
    ),
)
NO_TYPE: Final = "-"


@dataclass(frozen=True, slots=True)
class MoneyCall:
    """The broker's call that moves money."""

    path: str
    user: str
    amount: str
    comment: str
    type: str
    deposit: str
    withdrawal: str
    answer: str
    done: str

    def body(self, login: str, amount: Decimal, reference: str) -> dict[str, Any]:
        if self.type == NO_TYPE:
            return {self.user: login, self.amount: amount, self.comment: reference}
        kind = self.deposit if amount > 0 else self.withdrawal
        return {self.user: login, self.type: kind, self.amount: abs(amount), self.comment: reference}

    def result_text(self, answer: Mapping[str, Any]) -> str:
        """Read the answer's configured field; empty when there is none."""
        value: Any = answer
        for name in self.answer.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Config:
    """Where a server is, and how it is spoken to."""

    address: Address
    token: str = field(repr=False)
    money: MoneyCall
    status_path: str
    create_path: str
    pause_seconds: float
    sizes: Mapping[str, Decimal]
    read_seconds: float
    write_seconds: float


def configuration(server: TradingServer) -> Config:
    """Read a server's row and options into the adapter's configuration."""
    host, port, is_tls = server.host, server.port, option_value(server, "tls") != NO
    if host == SANDBOX_HOST:
        host, _colon, number = settings.SANDBOX_PLATFORMS["sirix"].rpartition(":")
        port, is_tls = int(number), False
    fields = ("path", "user", "amount", "comment", "type", "deposit", "withdrawal", "answer", "done")
    return Config(
        address=Address(host, port, is_tls, server.certificate),
        token=server.password(),
        money=MoneyCall(**{name: option_value(server, f"money_{name}") for name in fields}),
        status_path=option_value(server, "status_path"),
        create_path=option_value(server, "create_path"),
        pause_seconds=float(option_value(server, "pause")),
        sizes=units.sizes(option_value(server, "contract_sizes")),
        read_seconds=settings.TRADING_READ_SECONDS,
        write_seconds=settings.TRADING_WRITE_SECONDS,
    )
