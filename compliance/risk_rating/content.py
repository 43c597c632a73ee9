"""What a risk model says: factors with a condition and points, caps per group, and the bands that points make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating
from compliance.choices import RiskGroup
from compliance.risk_rating.vocabulary import RISK, risk_fields_for
from crm.conditions import Vocabulary, all_of, read
from crm.errors import DomainError, outcome_of
from crm.ui.conditions import sentence_of

Stored = Mapping[str, Any]
RANKS: Final = (RiskRating.LOW, RiskRating.MEDIUM, RiskRating.HIGH)
FACTORS_MAX, POINTS_MAX, LABEL_CHARS_MAX = 40, 500, 80


@dataclass(frozen=True, slots=True)
class Factor:
    """A condition with its points. at_least: the band that whoever meets it has at the least; empty for none.

    label: empty for a factor of the shipped model, which is named by its code in the reader's language.
    """

    code: str
    group: str
    condition: Stored
    points: int
    at_least: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or str(SHIPPED_NAMES.get(self.code, self.code))

    @property
    def sentence(self) -> str:
        return sentence_of(self.condition, RISK)

    @property
    def is_usable(self) -> bool:
        return bool(outcome_of(lambda: read(self.condition, RISK)))

    @property
    def at_least_label(self) -> str:
        return str(RiskRating(self.at_least).label) if self.at_least else ""

    def body(self) -> dict[str, Any]:
        """Write it as data."""
        return {
            "code": self.code,
            "label": self.label,
            "group": self.group,
            "condition": dict(self.condition),
            "points": self.points,
            "at_least": self.at_least,
        }


@dataclass(frozen=True, slots=True)
class Content:
    """A whole model. A group without a cap counts in full."""

    medium_from: int
    high_from: int
    caps: Mapping[str, int]
    factors: tuple[Factor, ...]

    def body(self) -> dict[str, Any]:
        """Write it as data, as `Content.read` takes it."""
        return {
            "medium_from": self.medium_from,
            "high_from": self.high_from,
            "caps": dict(sorted(self.caps.items())),
            "factors": [factor.body() for factor in self.factors],
        }

    @classmethod
    def read(cls, body: Stored) -> Content:
        """Read a stored model; what it means is checked by `problems`."""
        factors = tuple(
            Factor(
                code=part["code"],
                group=part["group"],
                condition=part["condition"],
                points=part["points"],
                at_least=part["at_least"],
                label=part["label"],
            )
            for part in body["factors"]
        )
        return cls(body["medium_from"], body["high_from"], dict(body["caps"]), factors)

    def factor(self, code: str) -> Factor | None:
        """Find a factor by its code."""
        return next((factor for factor in self.factors if factor.code == code), None)

    def groups(self) -> list[tuple[RiskGroup, int | None, list[Factor]]]:
        """List the groups that have factors, each with its cap."""
        found = [(group, [factor for factor in self.factors if factor.group == group]) for group in RiskGroup]
        return [(group, self.caps.get(group), factors) for group, factors in found if factors]

    def points_possible(self) -> int:
        """Add up the most that somebody can have who meets every factor with positive points."""
        return sum(
            min(cap if cap is not None else POINTS_MAX * FACTORS_MAX, sum(max(0, factor.points) for factor in factors))
            for _group, cap, factors in self.groups()
        )


def problems(content: Content, brand_id: int | None = None) -> Iterator[str]:
    """Say what keeps a model from being proposed; while somebody is editing it, too.

    brand_id: whose custom fields its conditions may use; None for those of any brand.
    """
    if not content.factors:
        yield _("Add a factor.")
    if len(content.factors) > FACTORS_MAX:
        yield _("A model has at most %(count)s factors.") % {"count": FACTORS_MAX}
    if not 0 < content.medium_from < content.high_from:
        yield _("High must begin at more points than Medium, and Medium above 0.")
    else:
        yield from _unreachable(content)
    for group, cap in content.caps.items():
        if group not in RiskGroup.values or not 0 < cap <= POINTS_MAX:
            yield _("A cap is from 1 to %(most)s points.") % {"most": POINTS_MAX}
    vocabulary = RISK if brand_id is None else risk_fields_for(brand_id)
    names: set[str] = set()
    for factor in content.factors:
        if factor.name.casefold() in names:
            yield _("Two factors are called “%(name)s”.") % {"name": factor.name}
        names.add(factor.name.casefold())
        for problem in factor_problems(factor, vocabulary):
            yield f"{factor.name}: {problem}"


def factor_problems(factor: Factor, vocabulary: Vocabulary) -> Iterator[str]:
    """Say what is wrong with one factor."""
    if factor.group not in RiskGroup.values:
        yield _("Choose a group.")
    if not -POINTS_MAX <= factor.points <= POINTS_MAX:
        yield _("Points are from %(least)s to %(most)s.") % {"least": -POINTS_MAX, "most": POINTS_MAX}
    if factor.at_least not in ("", RiskRating.MEDIUM, RiskRating.HIGH):
        yield _("“Always at least” is Medium or High.")
    if not factor.points and not factor.at_least:
        yield _("Enter points, or the rating that it always makes.")
    if factor.points < 0 and factor.at_least:
        yield _("A factor can't take points off and raise the rating.")
    condition = outcome_of(lambda: read(dict(factor.condition), vocabulary))
    if not condition:
        yield condition.message
    elif not condition.result.parts():
        yield _("Enter a condition: without one it would count for every client.")


def _unreachable(content: Content) -> Iterator[str]:
    most = content.points_possible()
    bands = ((RiskRating.MEDIUM, content.medium_from), (RiskRating.HIGH, content.high_from))
    for rating, begins in bands:
        if most < begins and not any(factor.at_least == rating for factor in content.factors):
            yield _(
                "No client can become %(rating)s: it begins at %(begins)s points, and the factors give %(most)s."
            ) % {"rating": rating.label, "begins": begins, "most": most}


def check(content: Content, brand_id: int) -> None:
    """Refuse a model that can't be used. Raises: DomainError, with the first problem."""
    problem = next(problems(content, brand_id), None)
    if problem is not None:
        raise DomainError(problem, code="risk_model_unusable")


# ── the model that ships ─────────────────────────────────────────────────────────────────────────────────────────────

SHIPPED_NAMES: Final[dict[str, Promise]] = {
    "match_confirmed": gettext_lazy("Confirmed watchlist match"),
    "match_open": gettext_lazy("Possible watchlist match under review"),
    "residence_black": gettext_lazy("Residence: FATF call for action"),
    "residence_grey": gettext_lazy("Residence: FATF increased monitoring"),
    "nationality_black": gettext_lazy("Nationality: FATF call for action"),
    "nationality_grey": gettext_lazy("Nationality: FATF increased monitoring"),
    "country_prohibited": gettext_lazy("Country prohibited by the brand"),
    "country_high": gettext_lazy("High-risk country by the brand's rules"),
    "country_differs": gettext_lazy("Nationality and residence differ"),
    "age_over_70": gettext_lazy("Over 70 years old"),
    "not_verified": gettext_lazy("Not verified yet"),
    "professional": gettext_lazy("Professional client"),
    "birth_unknown": gettext_lazy("Date of birth unknown"),
    "pep_declared": gettext_lazy("Declared political exposure"),
    "others_money": gettext_lazy("Money of another person, or borrowed"),
    "no_occupation": gettext_lazy("Student or not employed"),
}


def _is(field: str, *values: str) -> Stored:
    return {"field": field, "is": "in", "value": list(values)}


def _has(field: str, *values: str) -> Stored:
    return {"field": field, "is": "has", "value": list(values)}


def _empty(field: str) -> Stored:
    return {"field": field, "is": "empty"}


def _when(*parts: Stored) -> Stored:
    return all_of(*(dict(part) for part in parts))


# A nationality counts where it is another country than the residence: one country counts once.
ELSEWHERE: Final[Stored] = {"any": [_empty("country"), {"field": "risk.country_differs", "is": "yes"}]}
GEOGRAPHY, CLIENT, SCREENING = RiskGroup.GEOGRAPHY.value, RiskGroup.CLIENT.value, RiskGroup.SCREENING.value
HIGH: Final = RiskRating.HIGH.value


def _factors() -> Sequence[Factor]:
    unlisted = _empty("risk.residence_list")
    return (
        Factor("match_confirmed", SCREENING, _when(_is("risk.watchlist", "confirmed")), 100, HIGH),
        Factor("match_open", SCREENING, _when(_is("risk.watchlist", "open")), 25),
        Factor("residence_black", GEOGRAPHY, _when(_is("risk.residence_list", "black")), 100, HIGH),
        Factor("residence_grey", GEOGRAPHY, _when(_is("risk.residence_list", "grey")), 30),
        Factor("nationality_black", GEOGRAPHY, _when(_is("risk.nationality_list", "black"), ELSEWHERE), 100, HIGH),
        Factor("nationality_grey", GEOGRAPHY, _when(_is("risk.nationality_list", "grey"), ELSEWHERE), 30),
        Factor("country_prohibited", GEOGRAPHY, _when(unlisted, _is("risk.residence_band", "prohibited")), 100, HIGH),
        Factor("country_high", GEOGRAPHY, _when(unlisted, _is("risk.residence_band", "high")), 30),
        Factor("country_differs", GEOGRAPHY, _when({"field": "risk.country_differs", "is": "yes"}), 15),
        Factor("age_over_70", CLIENT, _when({"field": "risk.age", "is": "gt", "value": 70}), 10),
        Factor("birth_unknown", CLIENT, _when(_empty("risk.age"), _is("risk.client_type", "person")), 5),
        Factor("not_verified", CLIENT, _when({"field": "kyc_level", "is": "eq", "value": 0}), 10),
        # AMLD art. 20 and FATF Recommendation 12: enhanced due diligence of PEPs, their families and close associates.
        Factor("pep_declared", CLIENT, _when(_has("declared.pep", "own", "close")), 40, HIGH),
        Factor("others_money", CLIENT, _when(_has("declared.source_of_funds", "loan", "third_party")), 20),
        Factor("no_occupation", CLIENT, _when(_has("declared.occupation", "student", "not_employed")), 10),
        Factor("professional", CLIENT, _when({"not": _is("category", "retail")}), -5),
    )


def shipped() -> Content:
    """Return the model of the release."""
    return Content(25, 60, {}, tuple(_factors()))
