"""Why a day stands out, first as codes with figures (kept on the alert), then in words (made when somebody reads it)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from crm.i18n.localized_text import VALUE_TEXTS, Phrase, value_phrase
from monitoring import statistics
from monitoring.choices import FAMILIES, FAMILY_OF, FEATURES, FLOORS, Family, Feature, Rule
from monitoring.models import DayScore

Reason = dict[str, Any]
# A reason is a feature at least this improbable; one below its floor never is (`scoring.UNREMARKABLE`).
REASON_P = 0.02
REASONS_MAX = 4
# Below this, more or less improbable means nothing: families come in their own order, how much was opened first.
ALL_THE_SAME = 1e-6


def of_score(
    score: DayScore,
    *,
    counts: dict[str, int],
    medians: dict[str, float],
    window: tuple[str, str] | None = None,
    has_book: bool = True,
) -> list[Reason]:
    """List the strongest feature of each family that is improbable on a scored day, the least probable family first.

    counts: the day's counts by feature. medians: those of the agent's peers. window: between which times of the agent's
    day most records were opened. has_book: whether "outside the own book" means anything for this agent.
    """
    ranked: list[tuple[float, Reason]] = []
    for n in np.argsort(np.maximum(score.family_p, ALL_THE_SAME), kind="stable"):
        family = FAMILIES[int(n)]
        best = _strongest(family, counts, score.feature_p)
        if best is None:
            continue
        column = FEATURES.index(best)
        low, high = statistics.interval(score.expected[column], score.dispersion[column])
        reason: Reason = {
            "code": "habit",
            "family": family.value,
            "feature": best.value,
            "observed": counts[best.value],
            "usual": round(score.expected[column], 1),
            "low": low,
            "high": high,
            "p": score.feature_p[column],
            "median": round(medians.get(best.value, 0.0), 1),
        }
        if family == Family.VOLUME:
            reason["outside"] = counts[Feature.OUTSIDE_CLIENTS.value] if has_book else 0
            reason["from"], reason["to"] = window or ("", "")
        ranked.append((score.family_p[int(n)], reason))
    return [reason for _p, reason in ranked[:REASONS_MAX]]


def _strongest(family: Family, counts: dict[str, int], feature_p: list[float]) -> Feature | None:
    """Pick the least probable feature of a family; of two equally far out, the one people understand first."""
    candidates = [
        (feature_p[n] if feature_p[n] > 1e-9 else 1e-9, n, feature)
        for n, feature in enumerate(FEATURES)
        if FAMILY_OF[feature] == family and feature_p[n] < REASON_P and counts[feature.value] >= FLOORS[feature]
    ]
    return min(candidates)[2] if candidates else None


def of_rule(rule: Rule, *, rows: int, limit: int) -> Reason:
    """Return the reason for a broken export rule, with the rows exported and the limit that held."""
    return {"code": "rule", "rule": rule.value, "rows": rows, "limit": limit}


def in_words(reason: Reason) -> str:
    """Write a reason as one sentence with the figures that decided."""
    if reason["code"] == "rule":
        return _rule_in_words(reason)
    feature = Feature(reason["feature"])
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
    return _("exported %(rows)s rows while on the watchlist as leaving; the limit is %(limit)s") % figures


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
        "performed %(observed)s action outside working hours",
        "performed %(observed)s actions outside working hours",
        count,
    ),
}
