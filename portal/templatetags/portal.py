"""Small helpers of the trader's room's templates."""

from django import template

from clients import countries
from clients.choices import TimelineKind

register = template.Library()

ICONS = {
    TimelineKind.CALL: "phone", TimelineKind.EMAIL: "mail", TimelineKind.NOTE: "file-text", TimelineKind.TASK: "list-todo",
    TimelineKind.STAGE: "flag", TimelineKind.DOCUMENT: "id-card", TimelineKind.PAYMENT: "wallet",
    TimelineKind.TRADING: "chart-candlestick", TimelineKind.COMPLIANCE: "shield-check", TimelineKind.PARTNER: "handshake",
    TimelineKind.TICKET: "message-square",
}  # fmt: skip


@register.filter
def timeline_icon(kind: str) -> str:
    return ICONS.get(kind, "circle-dot")  # type: ignore[call-overload]


@register.filter
def own_room(url: str) -> str:
    """An address that a client may open; entries written for staff point elsewhere and get no link."""
    return url if url.startswith("/portal/") else ""


@register.filter
def country_name(code: str) -> str:
    """The country's name in the reader's language; empty for no code."""
    return countries.country_name(code) if code else ""
