"""The steps of an automation that send an SMS or a WhatsApp message: a template, to who can get it and hasn't opted out.

WhatsApp takes templates alone that it approved, unless the client wrote within a day: whoever reads a language without an approved
one is left out, with the reason.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.texting.choices import TextChannel
from clients.texting.ready import get_ready, ready_texts
from clients.texting.writing import approved_keys, queue_text, service_of, write
from crm.conditions.fields import Label
from crm.db.locking import lock
from crm.errors import DomainError, outcome_of
from crm.models import Brand
from leads.automations.actions import ActionKind, LeftOut, Outcomes, Turn, register
from leads.automations.choices import Reason

PROBLEM_CHARS_MAX: Final = 200
HELP: Final[Mapping[TextChannel, Label]] = {
    TextChannel.WHATSAPP: gettext_lazy("Templates that WhatsApp approved, as the brand's policy lists them.")
}


def _fields_for(channel: TextChannel) -> Callable[[Brand], Mapping[str, forms.Field]]:
    def fields(brand: Brand) -> Mapping[str, forms.Field]:
        texts = ready_texts(with_marketing=True)
        if channel == TextChannel.WHATSAPP:
            texts = [text for text in texts if text.key in approved_keys(brand)]
        choices = [("", "–"), *((text.key, text.title) for text in texts)]
        return {
            "template": forms.ChoiceField(label=channel.label, choices=choices, help_text=str(HELP.get(channel, "")))
        }

    return fields


def _cleaner_for(channel: TextChannel) -> Callable[[Brand, Mapping[str, Any]], dict[str, Any]]:
    def clean(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
        key = str(options.get("template") or "")
        get_ready(key)
        if service_of(brand, channel) is None:
            raise DomainError(_("%(channel)s isn't set up at this brand.") % {"channel": channel.label})
        if channel == TextChannel.WHATSAPP and key not in approved_keys(brand):
            raise DomainError(
                _(
                    "Choose a template that WhatsApp approved: those are in the policy “Templates that WhatsApp approved”."
                )
            )
        return {"template": key}

    return clean


def _sms_words(options: Mapping[str, Any]) -> str:
    return _("send the SMS “%(title)s”") % {"title": get_ready(str(options["template"])).title}


def _whatsapp_words(options: Mapping[str, Any]) -> str:
    return _("send the WhatsApp message “%(title)s”") % {"title": get_ready(str(options["template"])).title}


def _sender_by(channel: TextChannel) -> Callable[[Sequence[Turn]], Outcomes]:
    def send(turns: Sequence[Turn]) -> Outcomes:
        """Queue a message for each client, once for each step of a run; in the order of their ids, so that no batches deadlock."""
        template, outcomes = turns[0].options["template"], {}
        is_marketing = get_ready(template).is_marketing
        for turn in sorted(turns, key=lambda turn: turn.client.pk):
            if is_marketing and not turn.client.marketing_consent:
                outcomes[turn.run.pk] = LeftOut(Reason.NO_CONSENT)
                continue
            sent = outcome_of(functools.partial(_queue, turn, channel, template))
            if not sent:
                outcomes[turn.run.pk] = LeftOut(Reason.NOT_POSSIBLE, sent.error.message[:PROBLEM_CHARS_MAX])
        return outcomes

    return send


def _queue(turn: Turn, channel: TextChannel, template: str) -> None:
    client = lock(Client, turn.client.pk, "brand")
    queue_text(client, channel, write(client, template=template, message=""), dedupe_key=turn.key)


def _kind(
    code: str, label: Label, icon: str, channel: TextChannel, words: Callable[[Mapping[str, Any]], str]
) -> ActionKind:
    return ActionKind(
        code, label, icon, _fields_for(channel), _cleaner_for(channel), words, _sender_by(channel), is_outreach=True
    )


register(
    _kind("sms", gettext_lazy("Send an SMS"), "message-square", TextChannel.SMS, _sms_words),
    _kind("whatsapp", gettext_lazy("Send a WhatsApp message"), "send", TextChannel.WHATSAPP, _whatsapp_words),
)
