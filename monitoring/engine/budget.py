"""The alert budget: how many cases per 100 agent-days people have time for, kept over time.

Each agent-day earns its share of a case; each case that is opened costs one. The more there is left, the less unusual a day has to
be; when it is used up only the most unusual days open cases, on credit that later days pay back. So a quiet month isn't filled with
noise, and a bad week isn't hushed. Days of one person that follow each other are one case: a later day of it counts again only
where it is clearly worse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

DEFAULT_PER_100 = 0.5
LOOK_BACK_DAYS = 60
# A day within so many days of an earlier one belongs to its case …
EPISODE_DAYS = 10
# … and competes with this share of its score, unless it is worse than all of them.
REPEATED_SHARE = 0.4
# What isn't used is kept for so many days.
KEPT_DAYS = 28
# A score below this is never a case, whatever is left: one such day in 25 or more.
SCORE_MIN = 1.4
# The score that a case needs when everything is left and when nothing is; on credit, so much more for each case.
SCORE_AT_FULL = 5.5
SCORE_AT_NOTHING = 8.5
SCORE_PER_CASE_ON_CREDIT = 0.5
# The most that a case ever needs, up to a credit of so many times what is kept: somebody who opens 150 records in an afternoon
# isn't hushed because a bad week used everything up.
SCORE_EXTREME = 10.0
CREDIT_TIMES = 3
# How quickly the number of agents per day follows a change.
FOLLOWED = 0.1
# Rules weigh as much as a day this improbable (−log₁₀), and more by how far the limit was passed.
RULE_SCORE = 7.5
RULE_SCORE_PER_FOLD = 1.5
RULE_SCORE_MAX = 11.0


def rule_score(observed: float, limit: float) -> float:
    """Score a broken rule, so that it competes inside the budget: 7.5 at its limit, 1.5 more each time it is passed 2.7-fold."""
    if not observed > limit:
        return 0.0
    return float(min(RULE_SCORE + RULE_SCORE_PER_FOLD * np.log(observed / limit), RULE_SCORE_MAX))


def added_score(score: float, earlier: float) -> float:
    """Return what a day adds to its case; `earlier` is the highest score of the person's last EPISODE_DAYS."""
    return score if score > earlier else REPEATED_SHARE * score


@dataclass
class Purse:
    """What is left of the budget, in cases; below nothing: what later days pay back."""

    per_100: float
    left: float = 0.0
    agents: float = 0.0

    @property
    def most(self) -> float:
        """The most that is kept: the share of KEPT_DAYS, and never less than a case, however small the team."""
        return max(1.0, self.per_100 / 100 * self.agents * KEPT_DAYS)

    def earn(self, agent_days: int) -> None:
        """Begin a day on which so many agents are judged. The first one begins half full."""
        if not self.agents:
            self.agents = float(agent_days)
            self.left = self.most / 2
        self.agents += FOLLOWED * (agent_days - self.agents)
        self.left = min(self.most, self.left + self.per_100 / 100 * agent_days)

    def needed(self) -> float:
        """Return the score that opens a case now; without a budget none does."""
        if self.per_100 <= 0 or self.left - 1 < -CREDIT_TIMES * self.most:
            return float("inf")
        if self.left <= 0:
            return min(SCORE_AT_NOTHING - SCORE_PER_CASE_ON_CREDIT * self.left, SCORE_EXTREME)
        return SCORE_AT_NOTHING - (SCORE_AT_NOTHING - SCORE_AT_FULL) * self.left / self.most

    def spend(self, cases: int = 1) -> None:
        self.left -= cases


def purse_of(days: Iterable[tuple[int, int]], per_100: float) -> Purse:
    """Reckon what is left after days in their order: (agent-days, cases opened) of each."""
    purse = Purse(per_100)
    for agent_days, opened in days:
        purse.earn(agent_days)
        purse.spend(opened)
    return purse
