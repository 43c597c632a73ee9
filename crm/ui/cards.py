"""Cards of a cockpit's second and third row: a chart, a funnel, a short list of rows that a person works through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise

from crm.ui.charts import Chart

Text = str | Promise


@dataclass(frozen=True)
class ListRow:
    """One row: a name with its link, what it is about, a figure at the end, and at most one action.

    `person` shows an avatar with the name's initials. `tone` colours the figure. `action_url` opens a dialog.
    `trend` is a small curve before the figure.
    """

    title: str
    url: str = ""
    note: Text = ""
    end: str = ""
    end_note: Text = ""
    tone: str = ""
    action: Text = ""
    action_url: str = ""
    action_icon: str = "phone"
    is_person: bool = False
    trend: Sequence[float] = ()


@dataclass(frozen=True)
class ListCard:
    """A card of at most a handful of rows with a link to the whole list; `empty` says what a list without rows means.

    With `slug`, the tile's own, the card is fetched again when the event `live` reaches the page (`push_live`).
    """

    title: Text
    rows: Sequence[ListRow]
    icon: str = "list"
    url: str = ""
    url_text: Text = ""
    empty: Text = ""
    empty_text: Text = ""
    empty_icon: str = "check-check"
    slug: str = ""
    live: str = ""


@dataclass(frozen=True)
class ChartCard:
    """A chart with its title and a link to the page with the figures behind it. `empty` says what a chart of zeros means."""

    title: Text
    chart: Chart
    icon: str = "chart-column"
    url: str = ""
    url_text: Text = ""
    note: Text = ""
    empty: Text = ""
    empty_text: Text = ""
    empty_icon: str = "chart-column"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw, and words for it."""
        return bool(self.empty) and not any(value for series in self.chart.series for value in series.values)


@dataclass(frozen=True)
class Bar:
    """One bar of a ranking: `text` is what stands at its end, the count where it is empty."""

    label: Text
    count: float
    url: str = ""
    text: str = ""


@dataclass(frozen=True)
class BarsCard:
    """Counts beside each other as bars, the biggest first; every bar opens its list. `empty` says what no bars mean."""

    title: Text
    bars: Sequence[Bar]
    icon: str = "chart-column"
    note: Text = ""
    url: str = ""
    url_text: Text = ""
    empty: Text = ""
    empty_text: Text = ""
    empty_icon: str = "check-check"

    @property
    def rows(self) -> list[tuple[Bar, int]]:
        """Return the bars with their length in per cent of the longest."""
        longest = max((bar.count for bar in self.bars), default=0)
        return [(bar, max(1, round(100 * bar.count / longest)) if bar.count > 0 else 0) for bar in self.bars]


@dataclass(frozen=True)
class FunnelStep:
    """One step of a funnel. `share` is per cent of the first step, `kept` of the step before."""

    label: Text
    count: int
    url: str = ""
    share: int = 0
    kept: int | None = None


@dataclass(frozen=True)
class FunnelCard:
    """Steps that people take one after another; every bar opens its list."""

    title: Text
    steps: Sequence[FunnelStep] = field(default_factory=tuple)
    icon: str = "funnel"
    note: Text = ""
    url: str = ""
    url_text: Text = ""


def funnel_steps(counts: Sequence[tuple[Text, int, str]]) -> list[FunnelStep]:
    """Make steps of (label, count, address): each with its share of the first and of the one before."""
    steps: list[FunnelStep] = []
    most = counts[0][1] if counts else 0
    for number, (label, count, url) in enumerate(counts):
        before = counts[number - 1][1] if number else 0
        share = round(100 * count / most) if most else 0
        steps.append(FunnelStep(label, count, url, min(100, share), round(100 * count / before) if before else None))
    return steps
