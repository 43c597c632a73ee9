"""Small helpers of the client portal's templates."""

from django import template
from django.db.models import Model
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from clients import countries
from clients.choices import TimelineKind
from crm.templatetags.keelson import badge_html
from crm.ui import badges
from portal import states
from trading.accounts.tables import deal_kind
from trading.choices import DealAction, DealEntry
from trading.models import Deal
from wallet.choices.withdrawals import reason_for_client
from wallet.models import Withdrawal

register = template.Library()

ICONS: dict[str, str] = {
    TimelineKind.CALL: "phone",
    TimelineKind.EMAIL: "mail",
    TimelineKind.CHAT: "headset",
    TimelineKind.NOTE: "file-text",
    TimelineKind.TASK: "list-todo",
    TimelineKind.STAGE: "flag",
    TimelineKind.DOCUMENT: "id-card",
    TimelineKind.PAYMENT: "wallet",
    TimelineKind.TRADING: "chart-candlestick",
    TimelineKind.COMPLIANCE: "shield-check",
    TimelineKind.PARTNER: "handshake",
}

# What a deal was to its owner: whether it opened or closed, or which way money went.
DEALS = {
    (DealAction.BUY, DealEntry.IN): _("Buy, open"),
    (DealAction.SELL, DealEntry.IN): _("Sell, open"),
    (DealAction.BUY, DealEntry.OUT): _("Buy, close"),
    (DealAction.SELL, DealEntry.OUT): _("Sell, close"),
    (DealAction.BUY, DealEntry.INOUT): _("Buy, reverse"),
    (DealAction.SELL, DealEntry.INOUT): _("Sell, reverse"),
    (DealAction.BUY, DealEntry.OUT_BY): _("Closed by opposite position"),
    (DealAction.SELL, DealEntry.OUT_BY): _("Closed by opposite position"),
}


@register.simple_tag
def pay_mark(name: str) -> SafeString:
    """Draw a payment method; its name stands beside it."""
    address = static("img/pay.svg")
    return format_html('<svg class="k-pay-mark" aria-hidden="true"><use href="{}#{}"/></svg>', address, name)


@register.filter
def my_deal(deal: Deal) -> str:
    """Name a deal in its owner's words."""
    if deal.action == DealAction.BALANCE:
        return pgettext("deal", "Deposit") if deal.profit >= 0 else pgettext("deal", "Withdrawal")
    if deal.is_trade and (deal.action, deal.entry) in DEALS:
        return str(DEALS[deal.action, deal.entry])  # type: ignore[index]
    return deal_kind(deal) if deal.action in DealAction.values else str(_("Other"))


@register.filter
def why_it_ended(part: Withdrawal) -> str:
    """Explain why a part of a withdrawal failed, as far as the client may know."""
    return str(reason_for_client(part.state, part.reason))


@register.filter
def timeline_icon(kind: str) -> str:
    """Choose the icon of a timeline entry."""
    return ICONS.get(kind, "circle-dot")


@register.filter
def own_room(url: str) -> str:
    """Return an address that a client may open; entries written for staff point elsewhere and get no link."""
    return url if url.startswith("/portal/") else ""


@register.filter
def country_name(code: str) -> str:
    """Name a country in the reader's language; "" for no code."""
    return countries.country_name(code) if code else ""


@register.simple_tag
def my_badge(row: Model) -> SafeString:
    """Show the state of a movement or account in the client's words, in the usual colour."""
    label, tone = badges.describe(row.state, model=type(row), field_name="state")  # type: ignore[attr-defined]
    return badge_html(states.state_text(row) or label, tone)


@register.filter
def my_state(row: Model) -> str:
    """Return the words of `my_badge` as text."""
    return states.state_text(row) or badges.describe(row.state, model=type(row), field_name="state")[0]  # type: ignore[attr-defined]
