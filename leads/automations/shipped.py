"""Automations that Keelson ships: one click makes a draft of one, which the brand changes and activates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from crm.conditions.fields import Label
from crm.errors import NotFound
from crm.models import Actor
from leads.automations.definition import new_definition
from leads.automations.verbs import create_automation
from leads.models import Automation

HOUR, DAY = 60, 24 * 60
NOT_VERIFIED: Final = {"field": "kyc_level", "is": "lt", "value": 1}
VERIFIED: Final = {"field": "kyc_level", "is": "ge", "value": 1}
NO_DEPOSIT: Final = {"field": "first_deposit_at", "is": "empty"}
DEPOSITED: Final = {"not": NO_DEPOSIT}


@dataclass(frozen=True)
class Shipped:
    """A template. `texts`: of its steps, in the language of whoever takes it."""

    code: str
    label: Label
    about: Label
    icon: str
    parts: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    texts: Sequence[Label] = ()

    def draft(self) -> dict[str, Any]:
        """Write the draft that a brand begins with."""
        texts = iter(self.texts)
        steps = [{**step, "options": dict(step["options"])} for step in self.steps]
        for step in steps:
            if "text" in step["options"]:
                step["options"]["text"] = str(next(texts))
        return {**new_definition(), **self.parts, "steps": steps}


def _all(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": 1, "all": list(parts)}


def _email(template: str, wait_minutes: int = 0, **more: Any) -> dict[str, Any]:
    return {"action": "email", "wait_minutes": wait_minutes, "options": {"template": template}, **more}


def _task(days: int, wait_minutes: int = 0) -> dict[str, Any]:
    return {"action": "task", "wait_minutes": wait_minutes, "options": {"text": "", "days": days, "person": None}}


def _notice(wait_minutes: int = 0) -> dict[str, Any]:
    return {"action": "notice", "wait_minutes": wait_minutes, "options": {"text": "", "person": None}}


SHIPPED: Final = {
    template.code: template
    for template in (
        Shipped(
            "kyc-24h",
            _("KYC not finished in 24 hours"),
            _("Help with documents a day after the registration, a follow-up two days later."),
            "id-card",
            {
                "trigger": {
                    "kind": "absent",
                    "event": "client.registered",
                    "absent": "kyc.client_verified",
                    "hours": 24,
                },
                "condition": _all(NOT_VERIFIED),
                "goal": _all(VERIFIED),
            },
            [_email("clients.learn_kyc_1"), _email("clients.learn_kyc_2", 2 * DAY), _task(1)],
            [_("Help {{ full_name }} with the documents")],
        ),
        Shipped(
            "welcome-series",
            _("Welcome series for beginners"),
            _("Five e-mails in two weeks. From the third on they need marketing consent."),
            "graduation-cap",
            {"trigger": {"kind": "event", "event": "client.registered"}, "entries_days": 366},
            [
                _email("clients.learn_welcome_1"),
                _email("clients.learn_welcome_2", DAY),
                _email("clients.learn_welcome_3", 3 * DAY),
                _email("clients.learn_welcome_4", 4 * DAY),
                _email("clients.learn_welcome_5", 6 * DAY),
            ],
        ),
        Shipped(
            "no-deposit-30",
            _("Personal follow-up before day 30 without a deposit"),
            _(
                "A follow-up for the agent on day 25 after the registration, for verified clients who haven't deposited."
            ),
            "phone-call",
            {
                "trigger": {"kind": "date", "field": "registered_at", "days": 25},
                "condition": _all(VERIFIED, NO_DEPOSIT),
                "goal": _all(DEPOSITED),
                "entries_days": 366,
            },
            [_task(3), _notice(3 * DAY)],
            [_("Call {{ full_name }}: no deposit yet"), _("{{ full_name }}: still no deposit on day 28")],
        ),
        Shipped(
            "active-30",
            _("Task after 30 active days"),
            _("A follow-up for the agent when a client has traded for a month."),
            "activity",
            {
                "trigger": {"kind": "date", "field": "first_deposit_at", "days": 30},
                "condition": _all({"field": "last_trade_at", "is": "within", "value": 7}),
                "entries_days": 366,
            },
            [_task(2)],
            [_("Talk with {{ full_name }} about the first month")],
        ),
        Shipped(
            "higher-account",
            _("Propose a higher account type"),
            _("A follow-up for the agent when a client with larger net deposits trades."),
            "trending-up",
            {
                "trigger": {"kind": "event", "event": "wallet.deposit_settled"},
                "condition": _all(
                    {"field": "net_deposits", "is": "ge", "value": "5000"},
                    {"field": "last_trade_at", "is": "within", "value": 30},
                ),
                "entries_days": 180,
            },
            [_task(2, DAY)],
            [_("Offer {{ full_name }} a higher account type")],
        ),
    )
}


def make_from_template(*, brand_id: int, template: str, actor: Actor) -> Automation:
    """Make a draft from a shipped template. Who: as for making an automation. Raises: NotAllowed, NotFound, DomainError."""
    if template not in SHIPPED:
        raise NotFound(_now("There is no such template."))
    chosen = SHIPPED[template]
    return create_automation(
        brand_id=brand_id, name=str(chosen.label), actor=actor, draft=chosen.draft(), template=template
    )
