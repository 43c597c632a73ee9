"""Template vocabulary of every Keelson page (a builtin: no `{% load %}` needed). See docs/ui.md."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zlib import crc32

from django import template
from django.conf import settings
from django.db.models import Model
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from crm import audit_codes
from crm.i18n import formats
from crm.models import Brand
from crm.texts.risk_warning import risk_warning_of
from crm.ui import badges, charts, people_columns
from crm.ui.icons import draw_icon

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Render an icon: `{% icon "users" %}`; `css` adds classes (`icon-sm`, `icon-lg`; `icon-flip` mirrors arrows right-to-left)."""
    return draw_icon(str(name), css)


@register.simple_tag
def risk_warning(brand: Brand) -> str:
    """Write a brand's risk warning in the reader's language."""
    return risk_warning_of(brand, get_language() or "")


@register.simple_tag
def badge(value: Any, field_name: str = "", tone: str = "", icon: str = "") -> SafeString:
    """Render a state with its label and colour.

    `{% badge lead "status" %}` reads label and colour from the field's `BadgeChoices`; `{% badge state %}` takes a
    member; `{% badge "VIP" tone="accent" %}` writes its own. Empty values show a dash.
    """
    model = None
    if field_name and isinstance(value, Model):
        model, value = type(value), getattr(value, field_name)
    label, own_tone = badges.describe(value, model=model, field_name=field_name)
    if not label:
        return SafeString("–")
    return badge_html(label, tone or own_tone, icon)


def badge_html(label: str, tone: str, icon_name: str = "") -> SafeString:
    """Render a badge; with an icon it has no dot."""
    if icon_name:
        return format_html(
            '<span class="k-badge plain tone-{}">{}{}</span>', badges.tone_name(tone), draw_icon(icon_name), label
        )
    return format_html('<span class="k-badge tone-{}">{}</span>', badges.tone_name(tone), label)


@register.filter
def tone(value: Any) -> str:
    """Return the tone of a state or colour word: `class="tone-{{ x|tone }}"`."""
    return badges.tone_name(getattr(value, "colour", value))


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None


@register.filter
def money(value: Any, currency: Any = "") -> SafeString:
    """Write an amount as the reader's locale does: `{{ amount|money:currency }}` or `{{ a_money_object|money }}`."""
    if hasattr(value, "amount") and hasattr(value, "currency"):
        value, currency = value.amount, value.currency
    amount = _decimal(value)
    text = formats.money(amount, str(getattr(currency, "code", currency) or ""))
    return format_html('<span class="money{}">{}</span>', " neg" if amount is not None and amount < 0 else "", text)


@register.filter
def gain(value: Any, currency: Any = "") -> SafeString:
    """Write money with its sign and colour: profits green with a plus, losses red."""
    if hasattr(value, "amount") and hasattr(value, "currency"):
        value, currency = value.amount, value.currency
    amount = _decimal(value)
    css = "" if not amount else (" pos" if amount > 0 else " neg")
    return format_html('<span class="money{}">{}</span>', css, formats.money(amount, str(currency or ""), sign=True))


@register.simple_tag
def moved(amount: Any, currency: Any, is_booked: bool) -> SafeString:
    """Write money that moves: with sign and colour once it is booked, grey and without a sign before, or when it never will be."""
    if is_booked:
        return gain(amount, currency)
    value = _decimal(amount)
    text = formats.money(None if value is None else abs(value), str(currency or ""))
    return format_html('<span class="money faint">{}</span>', text)


@register.filter
def audit_label(action: str) -> str:
    """Name a stored audit action: `{{ event.action|audit_label }}`."""
    return audit_codes.label_of(action)


@register.filter
def audit_icon(action: str) -> str:
    """Name the icon of a stored audit action."""
    code = audit_codes.find(action)
    return code.icon if code else "circle-dot"


@register.simple_tag
def fixed(name: str, flag: object = "") -> SafeString:
    """Include a part of the frame that differs by language alone, and by a yes or no (`flag`). Made once in a process."""
    make = _fixed.__wrapped__ if settings.DEBUG else _fixed
    return make(name, get_language() or "", bool(flag))


@lru_cache(maxsize=64)
def _fixed(name: str, language: str, flag: bool) -> SafeString:
    return SafeString(render_to_string(name, {"flag": flag}))


@register.filter
def number(value: Any, digits: int | None = None) -> str:
    """Write a number with the separators of the reader's locale: `{{ lots|number:2 }}`."""
    return formats.number(_decimal(value), digits)


@register.filter
def about(value: Any) -> str:
    """Write an estimated count, rounded to two significant digits."""
    return formats.approximate(int(value or 0))


@register.filter
def ago(value: Any) -> SafeString:
    """Write `3 hours ago`, with the exact instant as the tooltip."""
    if value is None or value == "":
        return SafeString("–")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        formats.moment(value, seconds=True, zone=True),
        formats.ago(value),
    )


@register.filter(name="localtime")
def localtime_(value: Any, seconds: bool = False) -> SafeString:
    """Write date and time in the reader's time zone, which the tooltip names."""
    if not isinstance(value, date):
        return SafeString("–")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        formats.moment(value, seconds=True, zone=True),
        formats.moment(value, seconds=seconds),
    )


@register.filter
def day(value: date | datetime | None) -> str:
    """Write the date only, as the reader's locale does."""
    return formats.day(value) if isinstance(value, date) else "–"


@register.filter
def month(value: date | None) -> str:
    """Write a month as the reader's locale does: `November 2026`."""
    return formats.month(value) if isinstance(value, date) else "–"


@register.filter
def duration(value: Any) -> str:
    """Write seconds as a duration with its units: `11 h 7 min`."""
    return formats.duration(value)


@register.filter
def file_size(value: int | None) -> str:
    """Write a size in bytes with its unit."""
    return formats.file_size(value)


@register.filter
def mask_phone(value: Any) -> str:
    """Mask a phone number for those who don't see contacts."""
    return formats.mask_phone(value)


@register.filter
def mask_email(value: Any) -> str:
    """Mask an e-mail address for those who don't see contacts."""
    return formats.mask_email(value)


@register.filter
def initials(value: Any) -> str:
    """Return the letters of an avatar."""
    return formats.initials(value)


@register.filter
def country(code: str) -> SafeString:
    """Write a country with its flag."""
    return SafeString(people_columns.country_html(code))


@register.filter
def hue(value: Any) -> str:
    """Return a stable colour class for an avatar: the same person has the same colour on every page."""
    return f"h{crc32(str(value).encode()) % 8}"


@register.filter
def at(mapping: Any, key: Any) -> Any:
    """Look up a key that is itself a variable: `{{ mapping|at:key }}`."""
    try:
        return mapping[key]
    except (KeyError, IndexError, TypeError):
        return ""


@register.simple_tag(takes_context=True)
def querystring_with(context: template.Context, **changes: Any) -> str:
    """Change parameters of the page's own query string; None removes one. Drops `cursor` unless it is passed."""
    request = context.get("request")
    params: QueryDict = request.GET.copy() if request else QueryDict(mutable=True)
    if "cursor" not in changes:
        params.pop("cursor", None)
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else "?"


@register.simple_tag
def sparkline(values: Any, width: int = 96, height: int = 24, label: str = "", css: str = "") -> SafeString:
    """Draw a trend in a line of text."""
    return charts.sparkline(list(values or []), width=width, height=height, label=label, css=css)


@register.simple_tag
def bars(values: Any, width: int = 96, height: int = 24, label: str = "", css: str = "") -> SafeString:
    """Draw counts per period."""
    return charts.bars(list(values or []), width=width, height=height, label=label, css=css)


@register.simple_tag
def share_bars(rows: Any) -> SafeString:
    """Draw shares as bars with their labels."""
    return charts.share_bars(list(rows or []))


@register.inclusion_tag("crm/ui/chart.html")
def chart(chart: charts.Chart) -> dict[str, Any]:
    """Render a time-series chart: JSON for uPlot, and the same figures as a table for readers without it."""
    return {"chart": chart}
