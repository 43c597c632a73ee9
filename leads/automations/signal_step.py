"""The step of an automation that sends a webhook: an event with a name, which the brand's event subscriptions deliver.

Signing, retries, the guard against internal addresses and the page of failed deliveries are those of every webhook. Nothing is
sent inside a step's transaction, and a step is done once, whatever the receiver answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.errors import DomainError
from crm.events import AutomationSignalled, publish_many
from crm.models import Brand
from leads.automations.actions import ActionKind, Outcomes, Turn, register

SIGNAL = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")


def _fields(brand: Brand) -> Mapping[str, forms.Field]:
    return {
        "signal": forms.CharField(
            label=gettext_lazy("Signal"),
            max_length=60,
            help_text=gettext_lazy(
                "A name of your own, e.g. welcome-done. Webhooks that subscribe to “Signal of an automation” get it with the "
                "client's number."
            ),
        )
    }


def _clean(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    signal = str(options.get("signal") or "").strip().lower()
    if not SIGNAL.fullmatch(signal):
        raise DomainError(_("Use a–z, digits, dots and hyphens, e.g. welcome-done."))
    return {"signal": signal}


def _words(options: Mapping[str, Any]) -> str:
    return _("send the webhook “%(signal)s”") % {"signal": options["signal"]}


def _publish(turns: Sequence[Turn]) -> Outcomes:
    publish_many(
        AutomationSignalled(
            client_id=turn.client.pk,
            brand_id=turn.client.brand_id,
            automation_id=turn.run.automation_id,
            run_id=turn.run.pk,
            signal=turn.options["signal"],
        )
        for turn in turns
    )
    return {}


register(ActionKind("signal", gettext_lazy("Send a webhook"), "webhook", _fields, _clean, _words, _publish))
