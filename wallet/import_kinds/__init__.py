"""What the wallet takes in from another system: the clients' balances."""

from wallet.opening_balances import import_kind

__all__ = ["import_kind"]
