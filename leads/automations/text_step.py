"""The step of an automation that sends an SMS: a template of the library, to who can get it and hasn't opted out."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.texting.choices import TextChannel
from clients.texting.ready import get_ready, ready_texts
from clients.texting.writing import queue_text, service_of, write
from crm.db.locking import lock
from crm.errors import DomainError, outcome_of
from crm.models import Brand
from leads.automations.actions import ActionKind, LeftOut, Outcomes, Turn, register
from leads.automations.choices import Reason

PROBLEM_CHARS_MAX = 200


def _fields(brand: Brand) -> Mapping[str, forms.Field]:
    texts = [(text.key, text.title) for text in ready_texts(with_marketing=True)]
    return {"template": forms.ChoiceField(label=gettext_lazy("SMS"), choices=[("", "–"), *texts])}


def _clean(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    key = str(options.get("template") or "")
    get_ready(key)
    if service_of(brand, TextChannel.SMS) is None:
        raise DomainError(_("%(channel)s isn't set up at this brand.") % {"channel": TextChannel.SMS.label})
    return {"template": key}


def _words(options: Mapping[str, Any]) -> str:
    return _("send the SMS “%(title)s”") % {"title": get_ready(str(options["template"])).title}


def _send(turns: Sequence[Turn]) -> Outcomes:
    """Queue an SMS for each client, once for each step of a run; in the order of their ids, so that two batches don't deadlock."""
    template, outcomes = turns[0].options["template"], {}
    is_marketing = get_ready(template).is_marketing
    for turn in sorted(turns, key=lambda turn: turn.client.pk):
        if is_marketing and not turn.client.marketing_consent:
            outcomes[turn.run.pk] = LeftOut(Reason.NO_CONSENT)
            continue
        sent = outcome_of(functools.partial(_queue, turn, template))
        if not sent:
            outcomes[turn.run.pk] = LeftOut(Reason.NOT_POSSIBLE, sent.error.message[:PROBLEM_CHARS_MAX])
    return outcomes


def _queue(turn: Turn, template: str) -> None:
    client = lock(Client, turn.client.pk, "brand")
    queue_text(client, TextChannel.SMS, write(client, template=template, message=""), dedupe_key=turn.key)


register(ActionKind("sms", gettext_lazy("Send an SMS"), "message-square", _fields, _clean, _words, _send, True))
