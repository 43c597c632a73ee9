"""What a version of the policy says: per kind of document the checks it requires and the flaws clients mend themselves, per risk
band whether the machine approves and how many of its approvals an officer looks at again.

High risk isn't among the bands: a person decides those, whatever a policy says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating
from crm.errors import DomainError
from kyc.choices import ISSUE_SHORT, DocumentKind, IssueCode, Side
from kyc.examination import CHECKS
from kyc.examination.decision import FIXABLE, REQUIRED

RISKS: Final = (RiskRating.UNRATED, RiskRating.LOW, RiskRating.MEDIUM)
KINDS: Final = tuple(DocumentKind(kind) for kind in dict.fromkeys(kind for kind, _side in REQUIRED))
ASKS_IN_A_ROW_MAX: Final = 5
# Of the approvals that the shipped policy makes, so many percent get a second look.
SHIPPED_SAMPLE: Final = {RiskRating.UNRATED: 10, RiskRating.LOW: 5, RiskRating.MEDIUM: 20}
SHIPPED_ASKS_IN_A_ROW: Final = 2
# No policy approves without these, where the side has them.
ALWAYS_REQUIRED: Final = ("kind", "name", "birth", "age", "expiry", "address", "duplicates")
CHECK_LABELS: Final[Mapping[str, Promise]] = {
    "zone": gettext_lazy("Machine-readable zone whole, check digits right"),
    "kind": gettext_lazy("The type the client selected"),
    "state": gettext_lazy("Issuer and nationality exist"),
    "name": gettext_lazy("Name as registered"),
    "birth": gettext_lazy("Date of birth as registered"),
    "age": gettext_lazy("Of legal age"),
    "expiry": gettext_lazy("Not expired"),
    "nationality": gettext_lazy("Nationality as registered"),
    "sex": gettext_lazy("Sex as registered"),
    "printed_number": gettext_lazy("Number in print as in the zone"),
    "printed_name": gettext_lazy("Name in print as in the zone"),
    "printed_birth": gettext_lazy("Date of birth in print as in the zone"),
    "printed_expiry": gettext_lazy("Expiry in print as in the zone"),
    "printed_sex": gettext_lazy("Sex in print as in the zone"),
    "printed_nationality": gettext_lazy("Nationality in print as in the zone"),
    "face": gettext_lazy("A face is visible"),
    "licence": gettext_lazy("Numbered fields of the licence as registered"),
    "original": gettext_lazy("Photographed from the original, in colour"),
    "tampering": gettext_lazy("No traces of editing"),
    "address": gettext_lazy("Name, address and date on the proof of address"),
    "legibility": gettext_lazy("Sharp, without glare, large enough"),
    "duplicates": gettext_lazy("Not used by another client"),
}


def check_label(name: str) -> str:
    """Name a check for a reader; one without words of its own by its code."""
    return str(CHECK_LABELS.get(name) or name.replace("_", " ").capitalize())


@dataclass(frozen=True)
class RiskRule:
    """May the machine approve for clients of this band, and how many percent of it does an officer look at again?"""

    approves: bool
    sample_percent: int


@dataclass(frozen=True)
class KindRule:
    """The rules of one kind of document. required: checks by side that must have passed."""

    required: Mapping[str, tuple[str, ...]]
    asks: frozenset[str]
    asks_in_a_row: int
    risks: Mapping[str, RiskRule]

    def approves(self, risk: str) -> bool:
        return risk in self.risks and self.risks[risk].approves

    def sample_percent(self, risk: str) -> int:
        return self.risks[risk].sample_percent if risk in self.risks else 0


@dataclass(frozen=True)
class Rules:
    """A whole policy. A kind that it doesn't name goes to the queue."""

    kinds: Mapping[str, KindRule]

    def body(self) -> dict[str, Any]:
        """Write it as JSON, the same text for the same rules."""
        return {
            str(kind): {
                "required": {str(side): sorted(names) for side, names in sorted(rule.required.items())},
                "asks": sorted(map(str, rule.asks)),
                "asks_in_a_row": rule.asks_in_a_row,
                "risks": {
                    str(risk): {"approves": one.approves, "sample_percent": one.sample_percent}
                    for risk, one in sorted(rule.risks.items())
                },
            }
            for kind, rule in sorted(self.kinds.items())
        }

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Rules:
        """Read what `body` wrote."""
        return cls(
            {
                kind: KindRule(
                    {side: tuple(names) for side, names in rule["required"].items()},
                    frozenset(rule["asks"]),
                    rule["asks_in_a_row"],
                    {risk: RiskRule(**one) for risk, one in rule["risks"].items()},
                )
                for kind, rule in body.items()
            }
        )


# Flaws that only a proof of address has, and those that it never has.
OF_ADDRESS: Final = frozenset({IssueCode.POA_TOO_OLD, IssueCode.POA_NO_DATE})
OF_IDENTITY: Final = frozenset({IssueCode.NO_MRZ, IssueCode.FACE_NOT_FOUND, IssueCode.EXPIRED, IssueCode.NO_COLOUR})


def flaws_of(kind: str) -> frozenset[str]:
    """Return the flaws that clients can mend on documents of a kind."""
    others = OF_IDENTITY if kind == DocumentKind.PROOF_OF_ADDRESS else OF_ADDRESS
    return frozenset(str(code) for code in FIXABLE - others)


def flaw_label(code: str) -> str:
    """Name a flaw in a word or two."""
    return str(ISSUE_SHORT.get(code, code[:24]))


def sides_of(kind: str) -> list[Side]:
    """List the sides of a kind that have checks."""
    return [Side(side) for of_kind, side in REQUIRED if of_kind == kind]


def checks_of(kind: str) -> list[str]:
    """List the checks that can be required of a kind, in the order in which they run."""
    return [check.name for check in CHECKS if kind in check.kinds]


def always_required(kind: str, side: str) -> list[str]:
    """List the checks that no policy of this kind and side can do without."""
    return [name for name in ALWAYS_REQUIRED if name in REQUIRED[DocumentKind(kind), Side(side)]]


def shipped() -> Rules:
    """Return the policy of this release, which holds where a brand has set none."""
    return Rules(
        {
            kind: KindRule(
                {side: REQUIRED[kind, side] for side in sides_of(kind)},
                flaws_of(kind),
                SHIPPED_ASKS_IN_A_ROW,
                {risk: RiskRule(approves=True, sample_percent=SHIPPED_SAMPLE[risk]) for risk in RISKS},
            )
            for kind in KINDS
        }
    )


def checked(rules: Rules) -> Rules:
    """Check rules that somebody entered. Raises: DomainError, which names what is wrong."""
    if set(rules.kinds) != set(KINDS):
        raise DomainError(_("The policy must name every document type."))
    for kind, rule in rules.kinds.items():
        label = DocumentKind(kind).label
        if set(rule.risks) != set(RISKS) or set(rule.required) != set(sides_of(kind)):
            raise DomainError(_("The policy of “%(kind)s” is incomplete.") % {"kind": label})
        if not 0 <= rule.asks_in_a_row <= ASKS_IN_A_ROW_MAX or any(
            not 0 <= one.sample_percent <= 100 for one in rule.risks.values()
        ):
            raise DomainError(_("A number of “%(kind)s” is out of range.") % {"kind": label})
        if rule.asks - flaws_of(kind):
            raise DomainError(
                _("Clients can't mend this themselves: %(flaws)s.") % {"flaws": _flaws(rule.asks - flaws_of(kind))}
            )
        for side, names in rule.required.items():
            _check_required(kind, side, names)
    return rules


def _check_required(kind: str, side: str, names: Sequence[str]) -> None:
    unknown = set(names) - set(checks_of(kind))
    if unknown:
        raise DomainError(_("Unknown check: %(name)s.") % {"name": min(unknown)[:24]})
    missing = [name for name in always_required(kind, side) if name not in names]
    if missing:
        raise DomainError(
            _("“%(kind)s” can't do without: %(checks)s.")
            % {"kind": DocumentKind(kind).label, "checks": "; ".join(map(check_label, missing))}
        )


def _flaws(codes: Iterable[str]) -> str:
    return "; ".join(flaw_label(code) for code in sorted(codes))


@dataclass(frozen=True)
class RuleChange:
    """One line of what differs between two policies."""

    label: str
    before: str
    after: str


def differences(before: Rules, after: Rules) -> list[RuleChange]:
    """List what differs between two policies, for a reader."""
    lines = []
    for kind in KINDS:
        old, new = before.kinds.get(kind), after.kinds.get(kind)
        if new is None or old == new:
            continue
        for words, was, now in zip(_facets(kind, new), _values(kind, old), _values(kind, new), strict=True):
            if was != now:
                lines.append(RuleChange(f"{kind.label}: {words}", was, now))
    return lines


def _facets(kind: DocumentKind, rule: KindRule) -> list[str]:
    return [
        *(_("automatic approval, %(risk)s risk") % {"risk": risk.label} for risk in RISKS),
        *(_("second look, %(risk)s risk") % {"risk": risk.label} for risk in RISKS),
        *(_("required checks, %(side)s") % {"side": side.label} for side in sides_of(kind)),
        _("flaws sent back to the client"),
        _("automatic rejections in a row"),
    ]


def _values(kind: DocumentKind, rule: KindRule | None) -> list[str]:
    if rule is None:
        return ["–"] * (2 * len(RISKS) + len(sides_of(kind)) + 2)
    return [
        *((_("On") if rule.approves(risk) else _("Off")) for risk in RISKS),
        *(f"{rule.sample_percent(risk)} %" for risk in RISKS),
        *("; ".join(check_label(name) for name in sorted(rule.required.get(side, ()))) for side in sides_of(kind)),
        _flaws(rule.asks) or "–",
        str(rule.asks_in_a_row),
    ]
