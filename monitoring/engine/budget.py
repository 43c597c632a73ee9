"""The alert budget: how many cases per 100 agent-days people have time for, kept over time.

Days compete by score: a day becomes a case if its score is among the highest that the budget allowed on the past sixty days
and there is room left. Room that wasn't used is kept for two weeks, so that a bad day isn't hushed. Days of one person that
follow each other are one case: a later day of it counts again only where it is clearly worse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DEFAULT_PER_100 = 0.5
LOOK_BACK_DAYS = 60
# A day within so many days of an earlier one belongs to its case …
EPISODE_DAYS = 10
# … and competes with this share of its score, unless it is worse than all of them.
REPEATED_SHARE = 0.4
# Unused room lasts so long.
ROOM_DAYS = 14
# A score below this is never a case, whatever room there is: one such day in 25 or more.
SCORE_MIN = 1.4
# Before so many agent-days were scored, this is the score a case needs.
HISTORY_MIN = 100
SCORE_WITHOUT_HISTORY = 3.5
# Rules weigh as much as a day this improbable (−log₁₀), and more by how far the limit was passed.
RULE_SCORE = 4.5
RULE_SCORE_PER_FOLD = 2.0
RULE_SCORE_MAX = 9.0


def rule_score(observed: float, limit: float) -> float:
    """Score a broken rule, so that it competes inside the budget: 4.5 at its limit, 2 more each time it is passed 2.7-fold."""
    if not observed > limit:
        return 0.0
    return float(min(RULE_SCORE + RULE_SCORE_PER_FOLD * np.log(observed / limit), RULE_SCORE_MAX))


def added_score(score: float, earlier: float) -> float:
    """Return what a day adds to its case; `earlier` is the highest score of the person's last EPISODE_DAYS."""
    return score if score > earlier else REPEATED_SHARE * score


def threshold(past: Sequence[float] | np.ndarray, per_100: float, *, raised: int) -> float:
    """Find the score from which the past's days would have kept the budget; lower where it wasn't used up."""
    if len(past) < HISTORY_MIN:
        return SCORE_WITHOUT_HISTORY
    allowed = per_100 / 100 * len(past)
    cases = allowed + max(allowed - raised, 0)
    ranked = np.sort(np.asarray(past))[::-1]
    place = min(int(np.ceil(cases)), len(ranked)) - 1
    return max(float(ranked[max(place, 0)]), SCORE_MIN)


def room(per_100: float, *, agent_days: int, raised: int, per_day: float) -> int:
    """How many cases may be raised today: the budget of the look-back less what was raised, at most two weeks' worth.

    A team so small that its budget is less than a case in the look-back may have one.
    """
    if per_100 <= 0:
        return 0
    most = max(1.0, per_100 / 100 * per_day * ROOM_DAYS)
    return int(min(max(max(per_100 / 100 * agent_days, 1.0) - raised, 0.0), most))
