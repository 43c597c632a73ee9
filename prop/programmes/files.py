"""Versions of programmes as YAML, out and in: the one form of a draft, with the checks that publication repeats."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crm.errors import DomainError
from crm.imports.yaml_files import first_problem, plain, read_tree, write_tree
from crm.money.amounts import exponent
from prop.choices import LossBy, MaxLoss
from prop.models import ProgrammePhase, ProgrammeVersion
from prop.programmes.styles import STYLES
from trading.models import AccountType

BYTES_MAX: Final = 32_000
NODES_MAX: Final = 1_500
EVALUATIONS_MAX: Final = 3

Percent = Annotated[Decimal, Field(gt=0, le=100, max_digits=5, decimal_places=2, allow_inf_nan=False)]
Money = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=365)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SizeFile(_Strict):
    """A row of `sizes`."""

    balance: Money
    fee: Money
    reset_fee: Money | None = None


class ScalingFile(_Strict):
    """What `scaling` says: with so much profit, payouts and days since the last step the account grows by so much."""

    profit: Percent
    growth: Percent
    payouts: Annotated[int, Field(ge=1, le=100)] | None = None
    days: Days | None = None
    split: Percent | None = None


class PhaseFile(_Strict):
    """A row of `phases`; percentages are of the starting balance."""

    target: Percent | None = None
    daily_loss: Percent | None = None
    daily_loss_by: Literal[tuple(LossBy.values)] = LossBy.BALANCE.value  # type: ignore[valid-type]
    max_loss: Percent
    max_loss_kind: Literal[tuple(MaxLoss.values)] = MaxLoss.STATIC.value  # type: ignore[valid-type]
    locks_at_start: bool = False
    min_days: Annotated[int, Field(ge=0, le=365)] = 0
    max_days: Days | None = None
    inactive_days: Days | None = None
    best_day: Percent | None = None
    news_minutes: Annotated[int, Field(ge=1, le=120)] | None = None
    weekend: bool = True
    max_lots: Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=2, allow_inf_nan=False)] | None = None
    leverage: Annotated[int, Field(ge=1, le=500)] | None = None
    forbidden_styles: Annotated[list[Annotated[str, Field(max_length=12)]], Field(max_length=20)] = []
    split: Percent | None = None
    scaling: ScalingFile | None = None


class ProgrammeFile(_Strict):
    """What a file says. `programme` and `version` are for the reader."""

    programme: str = ""
    version: int = 0
    currency: Annotated[str, Field(max_length=5)]
    account: Annotated[str, Field(min_length=1, max_length=40)]
    funded_account: Annotated[str, Field(min_length=1, max_length=40)]
    refund_fee: bool = True
    payout_days: Annotated[int, Field(ge=1, le=90)] = 14
    payout_minimum: Money | None = None
    note: Annotated[str, Field(max_length=300)] = ""
    sizes: Annotated[list[SizeFile], Field(min_length=1, max_length=12)]
    phases: Annotated[list[PhaseFile], Field(min_length=1, max_length=EVALUATIONS_MAX + 1)]


# Keys of a phase and the fields of the table, where they have other names.
RENAMED: Final = {"best_day": "consistency", "weekend": "holds_weekend"}
PHASE_FIELDS: Final = {name: RENAMED.get(name, name) for name in PhaseFile.model_fields if name != "scaling"}


def read_terms(content: bytes, *, brand_id: int) -> tuple[ProgrammeFile, AccountType, AccountType]:
    """Read and check what a file says, with the account types that it names.

    Raises: DomainError that names the line, the key or the phase.
    """
    try:
        terms = ProgrammeFile.model_validate(read_tree(content, bytes_max=BYTES_MAX, nodes_max=NODES_MAX))
    except ValidationError as error:
        raise DomainError(first_problem(error)) from None
    check_terms(terms)
    account, funded = (_account_type(name, terms.currency, brand_id) for name in (terms.account, terms.funded_account))
    return terms, account, funded


def _account_type(name: str, currency: str, brand_id: int) -> AccountType:
    found = AccountType.objects.filter(brand_id=brand_id, name=name, currency=currency, is_enabled=True).first()
    if found is None:
        raise DomainError(
            _("The brand has no account type “%(name)s” in %(currency)s.") % {"name": name, "currency": currency}
        )
    if not found.is_demo:
        raise DomainError(_("“%(name)s” is for real money. Challenges are traded on demo accounts.") % {"name": name})
    return found


def check_terms(terms: ProgrammeFile) -> None:
    """Refuse terms that contradict themselves. Raises: DomainError."""
    last = len(terms.phases)
    for number, phase in enumerate(terms.phases, start=1):
        problem = _problem_of(phase, is_funded=number == last)
        if problem:
            raise DomainError(_("Phase %(number)s: %(problem)s") % {"number": number, "problem": problem})
    if len({size.balance for size in terms.sizes}) < len(terms.sizes):
        raise DomainError(_("Each account size can appear once."))
    amounts = [value for size in terms.sizes for value in (size.balance, size.fee, size.reset_fee) if value is not None]
    amounts += [terms.payout_minimum] if terms.payout_minimum is not None else []
    if any(value != round(value, min(exponent(terms.currency), 2)) for value in amounts):
        raise DomainError(_("Too many decimal places for %(currency)s.") % {"currency": terms.currency})


def _problem_of(phase: PhaseFile, *, is_funded: bool) -> str:
    if is_funded and (phase.target is not None or phase.split is None):
        return _("The last phase is the funded account: it has a profit split and no target.")
    if not is_funded and (phase.target is None or phase.split is not None or phase.scaling is not None):
        return _("An evaluation phase has a target, and no profit split or scaling.")
    if phase.daily_loss is not None and phase.daily_loss > phase.max_loss:
        return _("The daily loss can't be above the maximum loss.")
    if phase.locks_at_start and phase.max_loss_kind == MaxLoss.STATIC:
        return _("Only a trailing maximum loss can lock at the starting balance.")
    if phase.scaling and phase.scaling.split is not None and phase.split and phase.scaling.split < phase.split:
        return _("Scaling can't lower the profit split.")
    if phase.max_days is not None and phase.max_days < phase.min_days:
        return _("The maximum days are fewer than the minimum days.")
    unknown = next((style for style in phase.forbidden_styles if style not in STYLES), None)
    if unknown is not None:
        return _("“%(style)s” isn't a style that can be forbidden. Those are: %(styles)s.") % {
            "style": unknown,
            "styles": ", ".join(sorted(STYLES)),
        }
    if len(set(phase.forbidden_styles)) < len(phase.forbidden_styles):
        return _("Each style can be forbidden once.")
    return ""


def write_terms(version: ProgrammeVersion) -> str:
    """Write what a version says as YAML: what `read_terms` reads."""
    return write_tree(
        {
            "programme": version.programme.name,
            "version": version.number,
            "currency": version.currency,
            "account": version.account_type.name,
            "funded_account": version.funded_account_type.name,
            "refund_fee": version.refunds_fee,
            "payout_days": version.payout_days,
            **({"payout_minimum": plain(version.payout_minimum)} if version.payout_minimum else {}),
            **({"note": version.note} if version.note else {}),
            "sizes": [
                _given({"balance": size.balance, "fee": size.fee, "reset_fee": size.reset_fee})
                for size in version.sizes.all()
            ],
            "phases": [
                _given({key: getattr(phase, name) for key, name in PHASE_FIELDS.items()}) | _scaling(phase)
                for phase in version.phases.all()
            ],
        }
    )


def _scaling(phase: ProgrammePhase) -> dict[str, Any]:
    if phase.scaling_profit is None:
        return {}
    values = {"profit": phase.scaling_profit, "growth": phase.scaling_growth, "split": phase.scaling_split}
    counted = {"payouts": phase.scaling_payouts or None, "days": phase.scaling_days or None}
    return {"scaling": _given(values | counted)}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: plain(value) if isinstance(value, Decimal) else value
        for key, value in values.items()
        if value is not None and value != []
    }
