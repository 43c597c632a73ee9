"""Why a day stands out, first as codes with figures (kept on the alert), then in words (made when somebody reads it)."""

from __future__ import annotations

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
        _("own usual %(usual)s (%(low)s–%(high)s)")
        % {"usual": formats.number(round(reason["usual"]), 0), "low": reason["low"], "high": reason["high"]}
    )
    if reason["usual"] >= 0.5:
        parts.append(_("%(times)s×") % {"times": formats.number(reason["observed"] / reason["usual"], 1)})
    if reason.get("outside"):
        parts.append(
            ngettext(
                "%(count)s client outside the own book", "%(count)s clients outside the own book", reason["outside"]
            )
            % {"count": formats.number(reason["outside"], 0)}
        )
    parts.append(_("peers' median that day %(median)s") % {"median": formats.number(reason["median"])})
    return "; ".join(parts)


VALUE_TEXTS["monitoring.reason"] = in_words


def reason_phrase(reason: Reason) -> Phrase:
    """Phrase a reason for a notice that each person reads in their own language."""
    return value_phrase("monitoring.reason", reason)


def _between(reason: Reason) -> str:
    """Write `, most between 13:05 and 17:40`: clock times where the agent is."""
    if not reason.get("from") or not reason.get("to"):
        return ""
    return ", " + _("most between %(first)s and %(last)s") % {"first": reason["from"], "last": reason["to"]}


def _rule_in_words(reason: Reason) -> str:
    figures = {"rows": formats.number(reason["rows"], 0), "limit": formats.number(reason["limit"], 0)}
    if reason["rule"] == Rule.BULK_EXPORT:
        return _("exported %(rows)s rows; more than %(limit)s is a bulk export for this person") % figures
    return _("exported %(rows)s rows while on the watchlist as leaving; %(limit)s are allowed") % figures


def _counted(singular: str, plural: str) -> Any:
    """Make a function that writes the sentence for a count, translated when it is called."""
    return lambda count: ngettext(singular, plural, count)


SENTENCES: dict[Feature, Any] = {
    Feature.VIEWS: _counted("opened %(observed)s client record", "opened %(observed)s client records"),
    Feature.CLIENTS: _counted(
        "opened the records of %(observed)s client", "opened the records of %(observed)s clients"
    ),
    Feature.BUSIEST_HOUR: _counted("opened %(observed)s record in one hour", "opened %(observed)s records in one hour"),
    Feature.SEARCHES: _counted("searched %(observed)s time", "searched %(observed)s times"),
    Feature.OUTSIDE_VIEWS: _counted(
        "opened %(observed)s record outside the own book", "opened %(observed)s records outside the own book"
    ),
    Feature.OUTSIDE_CLIENTS: _counted(
        "opened %(observed)s client outside the own book", "opened %(observed)s clients outside the own book"
    ),
    Feature.DORMANT_VIEWS: _counted("opened %(observed)s dormant client", "opened %(observed)s dormant clients"),
    Feature.REVEALS: _counted("revealed %(observed)s contact", "revealed %(observed)s contacts"),
    Feature.REVEALS_WITHOUT_CALL: _counted(
        "revealed %(observed)s contact without calling that day",
        "revealed %(observed)s contacts without calling that day",
    ),
    Feature.EXPORTS: _counted("exported %(observed)s time", "exported %(observed)s times"),
    Feature.DOWNLOADS: _counted("opened %(observed)s document", "opened %(observed)s documents"),
    Feature.OFF_HOURS: _counted(
        "did %(observed)s thing outside working hours", "did %(observed)s things outside working hours"
    ),
}
