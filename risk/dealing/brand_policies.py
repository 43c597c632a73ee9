"""From which results of the day on a brand's dealers are notified."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Policy, PolicyArea, declare
from crm.brand_policies.kinds import Lines
from risk.dealing.choices import ResultScope

STEPS_MAX_DIGITS: Final = 12


class AmountSteps(Lines):
    """Whole amounts in base currency, one a line."""

    hint = _("One whole amount in base currency a line, without separators, such as 10000.")

    def clean_line(self, text: str) -> str:
        try:
            amount = Decimal(text) if text.isascii() and text.isdigit() and len(text) <= STEPS_MAX_DIGITS else None
        except InvalidOperation:
            amount = None
        if not amount:
            raise ValueError(text)
        return f"{amount:f}"


def _steps(key: str, label: object, default: list[str], help: object) -> Policy[tuple[str, ...]]:
    return declare(Policy(key, PolicyArea.ABUSE, label, AmountSteps(), default, help, needs_four_eyes=False))  # type: ignore[arg-type]


STEPS: Final = {
    ResultScope.BRAND: _steps(
        "day_result_steps",
        _("Notify when clients’ result of the day passes"),
        ["10000", "25000", "50000"],
        _("All clients of the brand: closed today and open now. Each step notifies the dealers once a day."),
    ),
    ResultScope.SYMBOL: _steps(
        "day_result_symbol_steps", _("The same for one symbol"), ["10000", "25000", "50000"], _("Empty: not by symbol.")
    ),
    ResultScope.GROUP: _steps(
        "day_result_group_steps", _("The same for one group of the platform"), [], _("Empty: not by group.")
    ),
}
