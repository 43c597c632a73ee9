"""Execution books. Routing stays on the platform: what is kept here is the company's decision."""

from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class ExecutionBook(BadgeChoices):
    """Where a client's flow goes: A is passed on to the liquidity provider, B is kept by the company."""

    A = "a", "azure", _("A-book")
    B = "b", "secondary", _("B-book")
    SPLIT = "split", "teal", _("Split between A and B")


class ShockOutcome(BadgeChoices):
    """What a price move would do to an account, the worst first."""

    NEGATIVE = "negative", "red", _("Negative balance")
    STOP = "stop", "orange", _("Stop-out")
    CALL = "call", "yellow", _("Margin call")


class ResultScope(BadgeChoices):
    """Of whom a result of the day is."""

    BRAND = "brand", "secondary", _("Brand")
    SYMBOL = "symbol", "azure", _("Symbol")
    GROUP = "group", "teal", _("Group of the platform")
