"""Why a day stands out, first as codes with figures (kept on the alert), then in words (made when somebody reads it)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from crm.i18n.localized_text import VALUE_TEXTS, Phrase, value_phrase
from monitoring.choices import Family, Feature, Rule
from monitoring.engine import drift, statistics
from monitoring.engine.scoring import WINDOWS, Scored
from monitoring.engine.signals import DRIFTING, FAMILIES, FAMILY_OF, FEATURES, FLOORS
from monitoring.models import DayScore

Reason = dict[str, Any]
# A reason is a feature at least this improbable; one below its floor never is (`scoring.UNREMARKABLE`).
REASON_P = 0.02
REASONS_MAX = 4
# A day this improbable explains itself; else several days do where they are so many times less probable.
DAY_SAYS_ENOUGH = 1e-4
WINDOW_SAYS_MORE = 10
# Below this, more or less improbable means nothing: families come in their own order, how much was opened first.
ALL_THE_SAME = 1e-6


@dataclass(frozen=True)
class Windows:
    """What scoring found of one agent-day over 1, 5 and 15 days, [window][signal]; slow rises in standard deviations."""

    p: list[list[float]]
    counts: list[list[float]]
    means: list[list[float]]
    rises: list[float]


def windows_of(scored: Scored, n: int) -> Windows:
    """Take one agent's windows out of a scored day."""
    return Windows(
        scored.window_p[n].tolist(),
        scored.window_counts[n].tolist(),
        scored.window_means[n].tolist(),
        (-np.log10(np.clip(scored.lane_p[n, -len(drift.LANES) :], 1e-300, 1.0))).tolist(),
    )


def of_score(
    score: DayScore,
    *,
    counts: dict[str, int],
    medians: dict[str, float],
    window: tuple[str, str] | None = None,
    has_book: bool = True,
    windows: Windows | None = None,
) -> list[Reason]:
    """List the strongest feature of each family that is improbable on a scored day, the least probable family first.

    counts: the day's counts by feature. medians: those of the agent's peers. window: between which times of the agent's
    day most records were opened. has_book: whether "outside the own book" means anything for this agent. windows: what the
    last 5 and 15 days add; a family is explained by the window that shows it best.
    """
    ranked: list[tuple[float, Reason]] = []
    for n in np.argsort(np.maximum(score.family_p, ALL_THE_SAME), kind="stable"):
        family = FAMILIES[int(n)]
        reason = _longer(family, score, windows)
        best = _strongest(family, counts, score.feature_p)
        if best is not None and _says_enough(score.feature_p[FEATURES.index(best)], reason):
            reason = _of_day(best, score, counts, medians)
            if family == Family.VOLUME:
                reason["outside"] = counts[Feature.OUTSIDE_CLIENTS.value] if has_book else 0
                reason["from"], reason["to"] = window or ("", "")
        if reason is not None:
            ranked.append((score.family_p[int(n)], reason))
    return [reason for _p, reason in ranked[:REASONS_MAX]]


def _says_enough(p: float, longer: Reason | None) -> bool:
    """Whether the day alone explains: it is very improbable, or several days together hardly say more."""
    return longer is None or p < DAY_SAYS_ENOUGH or p <= longer["p"] * WINDOW_SAYS_MORE


def _of_day(feature: Feature, score: DayScore, counts: dict[str, int], medians: dict[str, float]) -> Reason:
    column = FEATURES.index(feature)
    low, high = statistics.interval(score.expected[column], score.dispersion[column])
    return {
        "code": "habit",
        "family": FAMILY_OF[feature].value,
        "feature": feature.value,
        "observed": counts[feature.value],
        "usual": round(score.expected[column], 1),
        "low": low,
        "high": high,
        "p": score.feature_p[column],
        "median": round(medians.get(feature.value, 0.0), 1),
    }


def _longer(family: Family, score: DayScore, windows: Windows | None) -> Reason | None:
    """Give the reason that several days together show: of a window, or a slow rise."""
    if windows is None:
        return None
    if family == Family.DRIFT:
        if score.family_p[FAMILIES.index(family)] >= REASON_P:
            return None
        best = int(np.argmax(windows.rises))
        return {
            "code": "rise",
            "family": family.value,
            "feature": DRIFTING[best].value,
            "sd": round(windows.rises[best], 1),
            "p": score.family_p[FAMILIES.index(family)],
        }
    found = [
        (windows.p[w][n], w, n)
        for w in range(1, len(WINDOWS))
        for n, feature in enumerate(FEATURES)
        if FAMILY_OF[feature] == family and windows.p[w][n] < REASON_P
    ]
    if not found:
        return None
    p, w, n = min(found)
    return {
        "code": "window",
        "family": family.value,
        "feature": FEATURES[n].value,
        "days": WINDOWS[w],
        "observed": round(windows.counts[w][n]),
        "usual": round(windows.means[w][n], 1),
        "p": max(p, 1e-12),
    }


def _strongest(family: Family, counts: dict[str, int], feature_p: list[float]) -> Feature | None:
    """Pick the least probable feature of a family; of two equally far out, the one people understand first."""
    candidates = [
        (feature_p[n] if feature_p[n] > 1e-9 else 1e-9, n, feature)
        for n, feature in enumerate(FEATURES)
        if FAMILY_OF[feature] == family and feature_p[n] < REASON_P and counts[feature.value] >= FLOORS[feature]
    ]
    return min(candidates)[2] if candidates else None


def is_explained(score: DayScore, counts: dict[str, int], windows: Windows | None = None) -> bool:
    """Check whether any signal of a scored day would be a reason: a day without one is no alert, however improbable."""
    return any(_strongest(family, counts, score.feature_p) or _longer(family, score, windows) for family in FAMILIES)


def of_rule(rule: Rule, *, rows: int, limit: int) -> Reason:
    """Return the reason for a broken rule, with the rows exported (or the attempts refused) and the limit that held."""
    return {"code": "rule", "rule": rule.value, "rows": rows, "limit": limit}


def in_words(reason: Reason) -> str:
    """Write a reason as one sentence with the figures that decided."""
    if reason["code"] == "rule":
        return _rule_in_words(reason)
    feature = Feature(reason["feature"])
    if reason["code"] == "rise":
        return _("%(signal)s: above the own baseline on most days for weeks") % {"signal": feature.label}
    if reason["code"] == "window":
        return _window_in_words(feature, reason)
    sentence = SENTENCES[feature](reason["observed"]) % {"observed": formats.number(reason["observed"], 0)}
    parts = [sentence + _between(reason)]
    parts.append(
        _("baseline %(usual)s (%(low)s–%(high)s)")
        % {"usual": formats.number(round(reason["usual"]), 0), "low": reason["low"], "high": reason["high"]}
    )
    if reason["usual"] >= 0.5:
        parts.append(_("%(times)s×") % {"times": formats.number(reason["observed"] / reason["usual"], 1)})
    if reason.get("outside"):
        parts.append(
            ngettext("%(count)s client outside own book", "%(count)s clients outside own book", reason["outside"])
            % {"count": formats.number(reason["outside"], 0)}
        )
    parts.append(_("peer median that day %(median)s") % {"median": formats.number(reason["median"])})
    return "; ".join(parts)


def _window_in_words(feature: Feature, reason: Reason) -> str:
    sentence = SENTENCES[feature](reason["observed"]) % {"observed": formats.number(reason["observed"], 0)}
    return _("%(sentence)s in %(days)s days; expected %(usual)s; %(rare)s") % {
        "sentence": sentence,
        "days": reason["days"],
        "usual": formats.number(reason["usual"], 1),
        "rare": how_rare(reason["p"]),
    }


def how_rare(probability: float) -> str:
    """Write a probability as people say it: seen on about one in so many days."""
    if probability <= 1e-6:
        return _("seen on fewer than 1 in a million days")
    return _("seen on about 1 in %(days)s days") % {"days": formats.number(round(1 / max(probability, 1e-6)), 0)}


@dataclass(frozen=True)
class Figures:
    """One reason as a row of the alert page: what was seen and expected over how many days, how rare that is, and the peers."""

    label: str
    days: int | None
    observed: int | None
    usual: float | None
    times: float | None
    rare: str
    median: float | None


def figures_of(alert_reasons: list[Reason]) -> list[Figures]:
    """Turn the reasons of the baseline into rows; broken rules have their sentence only."""
    rows = []
    for reason in alert_reasons:
        if reason["code"] == "rule":
            continue
        observed, usual = reason.get("observed"), reason.get("usual")
        rows.append(
            Figures(
                str(Feature(reason["feature"]).label),
                None if reason["code"] == "rise" else reason.get("days", 1),
                observed,
                usual,
                observed / usual if observed and usual and usual >= 0.5 else None,
                how_rare(reason["p"]),
                reason.get("median"),
            )
        )
    return rows


VALUE_TEXTS["monitoring.reason"] = in_words


def reason_phrase(reason: Reason) -> Phrase:
    """Phrase a reason for a notice that each person reads in their own language."""
    return value_phrase("monitoring.reason", reason)


def _between(reason: Reason) -> str:
    """Write `, most between 13:05 and 17:40`: clock times where the agent is."""
    if not reason.get("from") or not reason.get("to"):
        return ""
    return ", " + _("mostly between %(first)s and %(last)s") % {"first": reason["from"], "last": reason["to"]}


def _rule_in_words(reason: Reason) -> str:
    figures = {"rows": formats.number(reason["rows"], 0), "limit": formats.number(reason["limit"], 0)}
    if reason["rule"] == Rule.BULK_EXPORT:
        return _("exported %(rows)s rows; this agent's bulk-export threshold is %(limit)s") % figures
    if reason["rule"] == Rule.KEEPS_TRYING:
        return _("tried %(rows)s times to export or reveal what a limit on access refused") % figures
    return _("exported %(rows)s rows while leaving; the limit is %(limit)s") % figures


SENTENCES: dict[Feature, Callable[[int], str]] = {
    Feature.VIEWS: lambda count: ngettext(
        "opened %(observed)s client record", "opened %(observed)s client records", count
    ),
    Feature.CLIENTS: lambda count: ngettext(
        "opened the records of %(observed)s client", "opened the records of %(observed)s clients", count
    ),
    Feature.BUSIEST_HOUR: lambda count: ngettext(
        "opened %(observed)s record in one hour", "opened %(observed)s records in one hour", count
    ),
    Feature.SEARCHES: lambda count: ngettext("searched %(observed)s time", "searched %(observed)s times", count),
    Feature.OUTSIDE_VIEWS: lambda count: ngettext(
        "opened %(observed)s record outside own book", "opened %(observed)s records outside own book", count
    ),
    Feature.OUTSIDE_CLIENTS: lambda count: ngettext(
        "opened %(observed)s client outside own book", "opened %(observed)s clients outside own book", count
    ),
    Feature.DORMANT_VIEWS: lambda count: ngettext(
        "opened %(observed)s dormant client", "opened %(observed)s dormant clients", count
    ),
    Feature.REVEALS: lambda count: ngettext("revealed %(observed)s contact", "revealed %(observed)s contacts", count),
    Feature.REVEALS_WITHOUT_CALL: lambda count: ngettext(
        "revealed %(observed)s contact without calling that day",
        "revealed %(observed)s contacts without calling that day",
        count,
    ),
    Feature.EXPORTS: lambda count: ngettext("exported %(observed)s time", "exported %(observed)s times", count),
    Feature.DOWNLOADS: lambda count: ngettext("opened %(observed)s document", "opened %(observed)s documents", count),
    Feature.OFF_HOURS: lambda count: ngettext(
        "acted %(observed)s time outside working hours", "acted %(observed)s times outside working hours", count
    ),
    Feature.LISTS: lambda count: ngettext("opened %(observed)s list", "opened %(observed)s lists", count),
    Feature.LIST_ROWS: lambda count: ngettext(
        "listed %(observed)s client record", "listed %(observed)s client records", count
    ),
    Feature.OUTSIDE_SHARE: lambda count: ngettext(
        "opened %(observed)s record outside own book, an unusual share",
        "opened %(observed)s records outside own book, an unusual share",
        count,
    ),
    Feature.OUTSIDE_SILENT: lambda count: ngettext(
        "opened %(observed)s client outside own book without contacting them",
        "opened %(observed)s clients outside own book without contacting them",
        count,
    ),
    Feature.NEW_CLIENTS: lambda count: ngettext(
        "opened %(observed)s client for the first time, not in own book",
        "opened %(observed)s clients for the first time, not in own book",
        count,
    ),
    Feature.ONE_OWNER: lambda count: ngettext(
        "opened %(observed)s client of the same colleague", "opened %(observed)s clients of the same colleague", count
    ),
    Feature.DORMANT_SHARE: lambda count: ngettext(
        "opened %(observed)s dormant client, an unusual share",
        "opened %(observed)s dormant clients, an unusual share",
        count,
    ),
    Feature.HIGH_VALUE_OUTSIDE: lambda count: ngettext(
        "opened %(observed)s high-value client outside own book",
        "opened %(observed)s high-value clients outside own book",
        count,
    ),
    Feature.HIGH_VALUE_SHARE: lambda count: ngettext(
        "opened %(observed)s high-value client, an unusual share",
        "opened %(observed)s high-value clients, an unusual share",
        count,
    ),
    Feature.MONEY_LOOKS: lambda count: ngettext(
        "opened %(observed)s client of other books after a large deposit or withdrawal",
        "opened %(observed)s clients of other books after a large deposit or withdrawal",
        count,
    ),
    Feature.REVEAL_SHARE: lambda count: ngettext(
        "revealed %(observed)s client's contact, an unusual share",
        "revealed %(observed)s clients' contacts, an unusual share",
        count,
    ),
    Feature.REVEALS_OUTSIDE: lambda count: ngettext(
        "revealed %(observed)s contact outside own book", "revealed %(observed)s contacts outside own book", count
    ),
    Feature.PRINTS: lambda count: ngettext("printed %(observed)s time", "printed %(observed)s times", count),
    Feature.SHORT_CALLS: lambda count: ngettext(
        "made %(observed)s answered call under 10 seconds", "made %(observed)s answered calls under 10 seconds", count
    ),
    Feature.CALLS: lambda count: ngettext("made %(observed)s call", "made %(observed)s calls", count),
    Feature.CALLS_WITHOUT_RECORD: lambda count: ngettext(
        "made %(observed)s call without opening the record", "made %(observed)s calls without opening the record", count
    ),
    Feature.REPEAT_CALLS: lambda count: ngettext(
        "made %(observed)s repeated call to a client", "made %(observed)s repeated calls to the same clients", count
    ),
    Feature.NEW_DEVICES: lambda count: ngettext("used %(observed)s new device", "used %(observed)s new devices", count),
    Feature.NEW_COUNTRIES: lambda count: ngettext(
        "worked %(observed)s time from a new country", "worked %(observed)s times from a new country", count
    ),
    Feature.NEW_NETWORKS: lambda count: ngettext(
        "used %(observed)s new network", "used %(observed)s new networks", count
    ),
    Feature.SECOND_DEVICES: lambda count: ngettext(
        "used %(observed)s second device while a session was open",
        "used %(observed)s second devices while a session was open",
        count,
    ),
    Feature.STEADY_PACE: lambda count: ngettext(
        "opened %(observed)s record at a machine-like pace", "opened %(observed)s records at a machine-like pace", count
    ),
    Feature.FAST_STEPS: lambda count: ngettext(
        "opened %(observed)s record within 5 seconds of the one before",
        "opened %(observed)s records within 5 seconds of the one before",
        count,
    ),
    Feature.SEQUENTIAL: lambda count: ngettext(
        "opened %(observed)s record in numerical order", "opened %(observed)s records in numerical order", count
    ),
    Feature.EDITS: lambda count: ngettext("changed %(observed)s record", "changed %(observed)s records", count),
    Feature.EDITS_OUTSIDE: lambda count: ngettext(
        "changed %(observed)s record outside own book", "changed %(observed)s records outside own book", count
    ),
    Feature.OUTSIDE_SILENT_SHARE: lambda count: ngettext(
        "opened %(observed)s client outside own book and contacted none of them",
        "opened %(observed)s clients outside own book and contacted none of them",
        count,
    ),
    Feature.ONE_PARTNER: lambda count: ngettext(
        "opened %(observed)s client of the same partner, outside own book and without contact",
        "opened %(observed)s clients of the same partner, outside own book and without contact",
        count,
    ),
    Feature.LEFT_AFTER_LOOKS: lambda count: ngettext(
        "saw %(observed)s client withdraw after opening the record without contact",
        "saw %(observed)s clients withdraw after opening their records without contact",
        count,
    ),
    Feature.NO_RESULT: lambda count: ngettext(
        "reached %(observed)s client two weeks ago without a result, an unusual share",
        "reached %(observed)s clients two weeks ago without a result, an unusual share",
        count,
    ),
    Feature.SILENT: lambda count: ngettext(
        "opened %(observed)s client without contact, an unusual share",
        "opened %(observed)s clients without contact, an unusual share",
        count,
    ),
    Feature.SILENT_REVEALS: lambda count: ngettext(
        "revealed %(observed)s contact without a call, an unusual share",
        "revealed %(observed)s contacts without a call, an unusual share",
        count,
    ),
}
