"""Where subscriptions send events: kinds of targets that apps declare in code, such as notices to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise

from crm.errors import DomainError
from crm.events.envelope import Envelope
from crm.models import EventSubscription, User
from crm.models.outbox import SUBSCRIPTION

TARGETS: dict[str, Target] = {}


@dataclass(frozen=True, eq=False)
class Target:
    """A kind of target. An app declares it in its `panels.py`.

    `fields`: form fields of its options, for whoever sets a subscription up; `read`: what of their values is stored, or a
    DomainError; `initial`: the other way round. `send` gets events of one name, at most one per client, in one transaction
    with their deliveries; when it raises, they are tried again, one by one. is_managed: its subscriptions are made by its app,
    never on the page of subscriptions.
    """

    code: str
    label: str | Promise
    fields: Callable[[User], Mapping[str, forms.Field]]
    read: Callable[[Mapping[str, Any]], dict[str, Any]]
    initial: Callable[[EventSubscription], dict[str, Any]]
    send: Callable[[EventSubscription, list[Envelope]], None]
    is_managed: bool = False


def chosen_by_people() -> dict[str, Target]:
    """List the kinds of targets that an administrator may choose, by code."""
    return {code: target for code, target in TARGETS.items() if not target.is_managed}


def declare(target: Target) -> Target:
    """Register a kind of target. Raises: TypeError when its code is taken."""
    if target.code in TARGETS:
        raise TypeError(f"two targets of events are called {target.code!r}")
    TARGETS[target.code] = target
    return target


def send(handler: str, envelopes: list[Envelope]) -> None:
    """Send events to a subscription's target; one that was paused or archived meanwhile gets nothing.

    Raises: DomainError when its kind of target is no longer declared; whatever the target raises.
    """
    subscription = EventSubscription.objects.select_related("brand").get(pk=int(handler.removeprefix(SUBSCRIPTION)))
    if not subscription.is_enabled:
        return
    if subscription.target not in TARGETS:
        raise DomainError(f"No app declares the target {subscription.target!r} any more")
    TARGETS[subscription.target].send(subscription, envelopes)
