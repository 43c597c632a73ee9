"""The playbook: the steps to take for each reason for which a client may leave. Shipped, and a brand may set its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.brand_policies import Policy, PolicyArea, declare
from crm.brand_policies.kinds import Label, Lines
from crm.errors import DomainError
from crm.models import Brand
from risk.retention.choices import FlagKind

STEPS_MAX: Final = 8
STEP_CHARS_MAX: Final = 200

# No step advises a trade, asks for a deposit to win back a loss, or delays a withdrawal: that makes a complaint of a call.
SHIPPED: Final[dict[FlagKind, tuple[Label, ...]]] = {
    FlagKind.INACTIVE: (
        gettext_lazy("Call and ask what keeps them away. Offer the market outlook or a review of the account."),
        gettext_lazy("Check first whether sign-in, platform and documents still work for them."),
        gettext_lazy("If there is no answer after two attempts, write an e-mail and snooze the case for a week."),
    ),
    FlagKind.LOGINS: (
        gettext_lazy("Ask what they are looking for: they are interested and hesitate. Offer help with the platform."),
        gettext_lazy("Offer a demo account or a guided tour of the platform."),
    ),
    FlagKind.LOSSES: (
        gettext_lazy(
            "Offer a review of the last trades and the education on risk. Propose no trades and no higher risk."
        ),
        gettext_lazy("Make clear that a break from trading is fine."),
    ),
    FlagKind.DROP: (
        gettext_lazy(
            "Listen first. Explain stop-loss orders and smaller positions; don't ask for a deposit to win it back."
        ),
        gettext_lazy("If the loss looks like more than they can bear, inform compliance."),
        gettext_lazy("Agree on a day for the next call."),
    ),
    FlagKind.MARGIN: (
        gettext_lazy("Explain margin level and leverage, and how positions are closed. Offer a lower leverage."),
        gettext_lazy("Make sure that margin alerts reach them by e-mail or phone."),
    ),
    FlagKind.FILLS: (
        gettext_lazy("Have dealing check the fills before you call: the deals with their quotes are the evidence."),
        gettext_lazy("Explain what was found. Promise no compensation; pass a request for one on as a complaint."),
    ),
    FlagKind.DEPOSITS: (
        gettext_lazy("Ask how they are doing with us, and whether a payment method is missing."),
        gettext_lazy("Note what they expect from us in the coming months."),
    ),
    FlagKind.WITHDRAWN: (
        gettext_lazy("Thank them, ask for the reason, and never delay or talk down the withdrawal."),
        gettext_lazy("Inform your desk head if costs, execution or another broker is the reason."),
        gettext_lazy("Ask whether you may call again, and agree on a date."),
    ),
    FlagKind.DECLINED: (
        gettext_lazy("Explain why it was declined and help with another payment method, together with finance."),
        gettext_lazy("Check with them that the next attempt went through."),
    ),
    FlagKind.TICKET: (
        gettext_lazy("Have the ticket answered before you call, or answer it in the call."),
        gettext_lazy("Apologise for the wait and close the ticket only when they agree."),
    ),
    FlagKind.COMPLAINT: (
        gettext_lazy("Read the message, apologise for what went wrong, and explain what happens by when."),
        gettext_lazy("Make sure that it is recorded as a complaint: the period for the answer has begun."),
        gettext_lazy("Make no sales call until the complaint is answered."),
    ),
}


class Steps(Lines):
    """Steps of one reason in order. Stored empty: the shipped ones, which every reader sees in their own language."""

    hint = gettext_lazy("One step a line, eight at most, each up to 200 characters. Leave empty for the shipped steps.")

    def __init__(self, reason: FlagKind) -> None:
        self.reason = reason

    @property
    def shipped(self) -> list[str]:
        return [str(step) for step in SHIPPED[self.reason]]

    def clean_line(self, text: str) -> str:
        if len(text) > STEP_CHARS_MAX or not text.isprintable():
            raise ValueError(text)
        return text

    def clean(self, given: Iterable[str]) -> list[str]:
        lines = super().clean(given)
        if len(lines) > STEPS_MAX:
            raise DomainError(_("Enter at most %(count)s lines.") % {"count": STEPS_MAX})
        return [] if lines == self.shipped else lines

    def field(self, brand: Brand) -> forms.Field:
        return forms.CharField(
            required=False,
            max_length=STEPS_MAX * (STEP_CHARS_MAX + 2),
            widget=forms.Textarea({"rows": 6}),
            help_text=str(self.hint),
        )

    def initial(self, stored: Any, brand: Brand) -> str:
        return "\n".join(stored or self.shipped)

    def show(self, stored: Any, brand: Brand) -> str:
        return " ".join(f"{number}. {step}" for number, step in enumerate(stored or self.shipped, 1))


PLAYBOOK: Final[dict[FlagKind, Policy[tuple[str, ...]]]] = {
    reason: declare(
        Policy(f"playbook_{reason.value}", PolicyArea.PLAYBOOK, reason.label, Steps(reason), [], needs_four_eyes=False)
    )
    for reason in FlagKind
}


@dataclass(frozen=True)
class Play:
    """What to do for one reason; `is_own`: the brand's own steps."""

    reason: FlagKind
    steps: tuple[str, ...]
    is_own: bool


def play_for(reason: FlagKind, brand: Brand) -> Play:
    """Return the steps of a reason: those of the brand today, else the shipped ones in the reader's language."""
    own = PLAYBOOK[reason].of(brand)
    return Play(reason, own or tuple(str(step) for step in SHIPPED[reason]), bool(own))
