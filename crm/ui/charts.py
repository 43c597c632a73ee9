"""Charts: small ones drawn as SVG on the server, large ones described as JSON for uPlot (static/js/charts.js).

A small chart is one string of markup without scripts or style attributes; it inherits its colour from the text around
it (`tone-success` …). A large chart is data beside a placeholder, so that the page stays readable without JavaScript.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from crm.i18n import formats

Number = int | float | Decimal | None
# The tones of series that name none, in their order: told apart in light and dark, and by colour-blind readers.
PALETTE = ("brand", "teal", "warning", "accent", "danger", "neutral")


def _points(values: Iterable[Number]) -> list[float]:
    return [float(v) if v is not None else 0.0 for v in values]


def _svg(width: int, height: int, body: str, label: str, css: str = "") -> SafeString:
    """Wrap a body of numbers, escaped texts and tags, made in this module, in an SVG; the label is escaped."""
    role = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="k-spark {}" width="{}" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" {}>{}</svg>',
        css,
        width,
        height,
        width,
        height,
        role,
        mark_safe(body),  # noqa: S308  numbers and escaped texts
    )


def sparkline(
    values: Sequence[Number], *, width: int = 96, height: int = 24, label: str = "", css: str = ""
) -> SafeString:
    """Draw a trend in a line of text. Missing values count as zero; fewer than two points draw nothing."""
    ys = _points(values)
    if len(ys) < 2:
        return SafeString("")
    low, high = min(ys), max(ys)
    span = (high - low) or 1.0
    step = width / (len(ys) - 1)
    line = " ".join(f"{i * step:.1f},{1 + (height - 2) * (1 - (y - low) / span):.1f}" for i, y in enumerate(ys))
    body = (
        f'<polygon class="area" points="0,{height} {line} {width},{height}"/><polyline class="line" points="{line}"/>'
    )
    return _svg(width, height, body, label, css)


def area_chart(
    values: Sequence[Number],
    texts: Sequence[str],
    *,
    label: str,
    width: int = 720,
    height: int = 168,
    limits: Mapping[str, Sequence[Number]] = MappingProxyType({}),
) -> SafeString:
    """Draw a course over time as large as its place: a line over a soft area, with the value under the pointer.

    `texts` are what each point says when it is pointed at. limits: values beside the course by their class (`danger`, `warning`,
    `success`), a value for each point or None. Needs no script and no library; fewer than two points draw nothing.
    """
    ys = _points(values)
    if len(ys) < 2:
        return SafeString("")
    seen = [*ys, *(float(value) for line in limits.values() for value in line if value is not None)]
    low, high = min(seen), max(seen)
    margin = (high - low) * 0.12 or abs(high) * 0.05 or 1.0
    low, high = low - margin, high + margin
    step = width / (len(ys) - 1)
    at = [(place * step, height * (high - y) / (high - low)) for place, y in enumerate(ys)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    grid = "".join(f'<path class="grid" d="M0 {height * part // 4}H{width}"/>' for part in (1, 2, 3))
    spots = "".join(
        f'<g><rect x="{max(x - step / 2, 0):.1f}" width="{step:.1f}" height="{height}"/><path d="M{x:.1f} {y:.1f}h0"/>'
        f"<title>{escape(text)}</title></g>"
        for (x, y), text in zip(at, texts, strict=True)
    )
    beside = "".join(
        f'<path class="limit {escape(tone)}" d="{_steps(line, step, lambda y: height * (high - y) / (high - low))}"/>'
        for tone, line in limits.items()
    )
    body = (
        f'{grid}<polygon class="area" points="0,{height} {line} {width},{height}"/>{beside}'
        f'<polyline class="line" points="{line}"/><g class="spots">{spots}</g>'
    )
    return _svg(width, height, body, label, "k-area-chart")


def _steps(values: Sequence[Number], step: float, place: Callable[[float], float]) -> str:
    """Draw each value level around its point; where there is none, nothing."""
    parts = []
    for number, value in enumerate(values):
        if value is not None:
            y = place(float(value))
            parts.append(f"M{max(number - 0.5, 0) * step:.1f} {y:.1f}H{min(number + 0.5, len(values) - 1) * step:.1f}")
    return "".join(parts)


def bars(values: Sequence[Number], *, width: int = 96, height: int = 24, label: str = "", css: str = "") -> SafeString:
    """Draw counts per period. Negative values hang below a zero line."""
    ys = _points(values)
    if not ys:
        return SafeString("")
    top, bottom = max(0.0, *ys), min(0.0, *ys)
    span = (top - bottom) or 1.0
    slot = width / len(ys)
    zero = height * top / span
    parts = []
    for i, y in enumerate(ys):
        tall = abs(y) / span * height
        if y:
            tall = max(tall, 1.0)
        css_bar = "bar neg" if y < 0 else "bar"
        edge = zero if y < 0 else zero - tall
        box = f'x="{i * slot + slot * 0.12:.1f}" y="{edge:.1f}" width="{slot * 0.76:.1f}" height="{tall:.1f}"'
        parts.append(f'<rect class="{css_bar}" {box}/>')
    if bottom < 0:
        parts.append(f'<line class="zero" x1="0" x2="{width}" y1="{zero:.1f}" y2="{zero:.1f}"/>')
    return _svg(width, height, "".join(parts), label, css)


def share_bars(rows: Sequence[tuple[str, Number, str]]) -> SafeString:
    """Draw horizontal bars with a label and a written value each, scaled to the largest: (label, amount, shown text)."""
    if not rows:
        return SafeString("")
    most = max(abs(float(amount or 0)) for _label, amount, _text in rows) or 1.0
    shape = (
        '<span class="clip">{}</span>'
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8" rx="2"/><rect class="fill" width="{}" height="8" rx="2"/></svg>'
        '<span class="num">{}</span>'
    )
    parts = [
        format_html(shape, label, f"{abs(float(amount or 0)) / most * 100:.2f}", text) for label, amount, text in rows
    ]
    return format_html('<div class="k-hbars">{}</div>', SafeString("".join(parts)))


@dataclass(frozen=True)
class Series:
    """One line of a chart. `kind`: line, area, bars, step. `unit` follows the value.

    `tone` is brand or a badge tone; without one the series takes the next of the palette.
    """

    label: str | Promise
    values: Sequence[Number]
    tone: str = ""
    kind: str = "line"
    unit: str = ""
    decimals: int = 2


@dataclass(frozen=True)
class Chart:
    """A time-series chart: `{% chart chart %}`. `x` are days, instants or plain numbers, all of one kind.

    With `is_stacked` the bars of one day stand on each other: what is above zero upwards, what is below downwards.
    `urls` has the list behind each point, "" where there is none: a click opens it, and so does the point's row in the table.
    """

    id: str
    x: Sequence[Any]
    series: Sequence[Series]
    title: str = ""
    height: int = 220
    from_zero: bool = True
    x_label: str = field(default="")
    is_stacked: bool = False
    urls: Sequence[str] = ()

    def spec(self) -> dict[str, Any]:
        """Return what charts.js draws: epoch seconds in UTC, numbers as JSON numbers."""
        first = self.x[0] if self.x else None
        return {
            "x": [_epoch(v) for v in self.x],
            "time": isinstance(first, date),
            "hours": isinstance(first, datetime),
            "zero": self.from_zero,
            "stacked": self.is_stacked,
            "urls": list(self.urls),
            "xLabel": str(self.x_label or _("Time")),
            "series": [
                {
                    "label": str(s.label),
                    "tone": s.tone or PALETTE[number % len(PALETTE)],
                    "kind": s.kind,
                    "unit": s.unit,
                    "decimals": s.decimals,
                    "values": [float(v) if v is not None else None for v in s.values],
                }
                for number, s in enumerate(self.series)
            ],
        }

    def json(self) -> SafeString:
        """Return the spec for a `<script type="application/json">`, escaped so that no value can close the tag."""
        text = json.dumps(self.spec(), cls=DjangoJSONEncoder, separators=(",", ":"))
        return SafeString(text.replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026"))

    def rows(self) -> SafeString:
        """Render the last 31 points as rows of a table, for readers without a screen or without JavaScript.

        Made here and not in the template, where a chart's thirty rows took a fifth of what the account page needs.
        """
        shown = []
        for i in list(range(len(self.x)))[-31:]:
            cells = "".join(f'<td class="end">{escape(formats.number(s.values[i]))}</td>' for s in self.series)
            label = escape(_label(self.x[i]))
            if self.urls and self.urls[i]:
                label = format_html('<a href="{}">{}</a>', self.urls[i], _label(self.x[i]))
            shown.append(f"<tr><td>{label}</td>{cells}</tr>")
        return SafeString("\n".join(shown))


def _label(at: Any) -> str:
    if isinstance(at, datetime):
        return formats.moment(at)
    return formats.day(at) if isinstance(at, date) else str(at)


def _epoch(value: Any) -> float | int:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    return float(value)
