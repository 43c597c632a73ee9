"""The life of a rule: drafted, tried out on history, in shadow, live by four eyes, retired."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.aml import policies
from compliance.aml.choices import RuleAct, Severity, VersionState
from compliance.aml.describing import audience, sentence, span
from compliance.aml.measures import MEASURES, Parameter
from compliance.aml.models import AmlRule, AmlRuleProposal, AmlRuleVersion
from compliance.aml.queries import history_begins
from compliance.aml.vocabulary import POPULATION
from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from crm import approvals, conditions
from crm.approvals import Change
from crm.approvals.deciding import require_text
from crm.conditions import always
from crm.db.locking import lock
from crm.errors import DomainError, NotFound, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor, Brand, User
from crm.security import audit
from crm.security.policies import require

WINDOW_HOURS_MAX: Final = 366 * 24
THRESHOLD_MAX: Final = Decimal(10**9)
NAME_MAX: Final = 120


@dataclass(frozen=True)
class Content:
    """What a version says. window_hours and repeat_hours: the time looked back over, and that in which it alerts once."""

    measure: str
    threshold: Decimal
    window_hours: int
    repeat_hours: int
    severity: str = Severity.MEDIUM.value
    parameters: Mapping[str, Any] = field(default_factory=dict)
    population: Mapping[str, Any] = field(default_factory=always)


def content_of(version: AmlRuleVersion) -> Content:
    """Read what a version says."""
    names = ("measure", "threshold", "window_hours", "repeat_hours", "severity", "parameters", "population")
    return Content(**{name: getattr(version, name) for name in names})


def hash_of(version: AmlRuleVersion) -> str:
    """Hash what a version says: a back-test counts for these very words."""
    said = asdict(content_of(version)) | {"threshold": str(Decimal(version.threshold).normalize())}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


def checked(content: Content) -> Content:
    """Check what a version would say, and return it as it is stored. Raises: DomainError, which names the part."""
    measure = MEASURES.get(content.measure)
    if measure is None:
        raise DomainError(_("Choose what to measure."))
    if not 0 < content.threshold <= THRESHOLD_MAX:
        raise DomainError(_("The threshold must be above zero: a rule that always holds alerts on every client."))
    for hours in (content.window_hours, content.repeat_hours):
        if not 0 < hours <= WINDOW_HOURS_MAX:
            raise DomainError(_("Enter a time from 1 hour to %(most)s.") % {"most": span(WINDOW_HOURS_MAX)})
    if content.severity not in Severity.values:
        raise DomainError(_("Choose a severity."))
    conditions.read(dict(content.population), POPULATION)
    parameters = {
        entry.name: _value(entry, content.parameters.get(entry.name, entry.default)) for entry in measure.parameters
    }
    return Content(**asdict(content) | {"parameters": parameters})


def _value(entry: Parameter, given: Any) -> Any:
    if entry.choices is not None:
        picked = given if isinstance(given, list) else [given]
        if not picked or any(code not in entry.choices for code in picked) or (len(picked) > 1 and not entry.is_many):
            raise DomainError(_("%(part)s: choose from the list.") % {"part": entry.label})
        return picked if entry.is_many else picked[0]
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        raise DomainError(_("%(part)s: enter a number.") % {"part": entry.label}) from None
    if not number.is_finite() or not entry.low <= number <= entry.high:
        raise DomainError(
            _("%(part)s: enter a number from %(low)s to %(high)s.")
            % {"part": entry.label, "low": formats.number(entry.low), "high": formats.number(entry.high)}
        )
    return str(number)


def require_history(version: AmlRuleVersion) -> None:
    """Refuse a version that looks back further than the brand's movements go. Raises: DomainError."""
    begins = history_begins(version.rule.brand_id)
    hours = MEASURES[version.measure].history_hours(version.window_hours, version.threshold)
    if begins is None:
        raise DomainError(_("This brand has no movements yet, so the rule can't be tried out."))
    if timezone.now() - dt.timedelta(hours=hours) < begins:
        raise DomainError(
            _("The rule looks back %(span)s, but the brand's movements begin on %(day)s. Shorten the time.")
            % {"span": span(hours), "day": formats.day(begins.date())}
        )


def require_backtest(version: AmlRuleVersion) -> None:
    """Refuse a version that wasn't tried out as it reads now. Raises: WrongState."""
    if not version.backtests.filter(content_hash=hash_of(version)).exists():
        raise WrongState(_("Run a back-test of this version first: it shows how many alerts to expect."))


# ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def create_rule(*, brand_id: int, name: str, content: Content, why: str, actor: Actor, code: str = "") -> AmlRule:
    """Create a rule of a brand with its first draft. Who: `compliance.write_amlrule` on the whole brand.

    Raises: NotAllowed, DomainError (a name that is taken, content that can't be).
    """
    require(policies.can_write_for(actor, brand_id))
    brand = lock(Brand, brand_id)
    name = name.strip()
    if not 0 < len(name) <= NAME_MAX:
        raise DomainError(_("Enter a name of at most %(most)s characters.") % {"most": NAME_MAX})
    if AmlRule.objects.filter(brand=brand, name=name).exists():
        raise DomainError(_("This brand already has a rule of that name."))
    rule = AmlRule.objects.create(brand=brand, name=name, code=code, created_at=timezone.now(), created_by=actor)
    _draft(rule, content, why, actor)
    return rule


@transaction.atomic
def write_draft(*, rule_id: int, content: Content, why: str, actor: Actor) -> AmlRuleVersion:
    """Write the draft of a rule's next version, or change it. Who: `compliance.write_amlrule` on the whole brand.

    Raises: NotAllowed, DomainError, WrongState (a version is in shadow or waits for its approval).
    """
    rule = _locked_rule(rule_id)
    require(policies.can_write(actor, rule))
    return _draft(rule, content, why, actor)


def _draft(rule: AmlRule, content: Content, why: str, actor: Actor) -> AmlRuleVersion:
    require_text(why)
    content = checked(content)
    version = rule.versions.filter(state__in=[VersionState.DRAFT, VersionState.SHADOW]).first()
    if version is not None and version.state == VersionState.SHADOW:
        raise WrongState(
            _("Version %(number)s is in shadow mode. Have it go live, or retire it, first.")
            % {"number": version.number}
        )
    if version is not None and version.proposals.filter(state="pending").exists():
        raise WrongState(_("This version is awaiting second approval and can't be changed now."))
    if version is None:
        last = rule.versions.aggregate(last=Max("number"))["last"] or 0
        version = AmlRuleVersion(rule=rule, number=last + 1)
    before = asdict(content_of(version)) if version.pk else {}
    for name, value in asdict(content).items():
        setattr(version, name, value)
    version.why, version.written_by, version.written_at = why.strip(), actor, timezone.now()
    version.save()
    _record(ComplianceAction.AML_RULE_DRAFTED, version, actor, why, before=_plain(before))
    return version


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in said.items()}


@transaction.atomic
def start_shadow(*, version_id: int, reason: str, actor: Actor) -> AmlRuleVersion:
    """Have a draft run in shadow: its alerts are recorded and shown beside the rule, and become no case.

    Who: `compliance.write_amlrule` on the whole brand. Raises: NotAllowed, WrongState (no back-test), DomainError.
    """
    version = _locked_version(version_id)
    require(policies.can_write(actor, version.rule))
    require_text(reason)
    require_backtest(version)
    require_history(version)
    version.move_to(VersionState.SHADOW)
    version.shadow_since, version.shadow_by = timezone.now(), actor
    version.save(update_fields=["state", "shadow_since", "shadow_by"])
    _record(ComplianceAction.AML_RULE_SHADOWED, version, actor, reason)
    return version


@transaction.atomic
def discard_version(*, version_id: int, reason: str, actor: Actor) -> AmlRuleVersion:
    """Give up a draft or a shadow version, which no one relies on. Who: `compliance.write_amlrule` on the whole brand.

    Raises: NotAllowed, DomainError without a reason, WrongState for a live version, and while it waits for its approval.
    """
    version = _locked_version(version_id)
    require(policies.can_write(actor, version.rule))
    require_text(reason)
    if version.state == VersionState.LIVE:
        raise WrongState(_("A live version is retired by two people. Propose it."))
    if version.proposals.filter(state="pending").exists():
        raise WrongState(_("This version is awaiting second approval and can't be changed now."))
    _retire(version, actor, reason)
    return version


@transaction.atomic
def propose(*, version_id: int, act: str, reason: str, actor: User) -> AmlRuleProposal:
    """Propose that a version goes live, or that a live one is retired; a second person decides.

    Who: `compliance.write_amlrule` on the whole brand. Raises: NotAllowed, DomainError (looks back too far, no reason),
    WrongState (no back-test, not possible in its state, one is open already).
    """
    version = _locked_version(version_id)
    require(policies.can_write(actor, version.rule))
    _require_possible(version, RuleAct(act))
    return approvals.propose(AmlRuleProposal(version=version, act=act, reason=reason), actor=actor)


def _require_possible(version: AmlRuleVersion, act: RuleAct) -> None:
    if not version.can_move_to(VersionState.LIVE if act == RuleAct.GO_LIVE else VersionState.RETIRED):
        raise WrongState(_("That isn't possible: the version is %(state)s.") % {"state": version.get_state_display()})
    if act == RuleAct.GO_LIVE:
        require_backtest(version)
        require_history(version)


def _retire(version: AmlRuleVersion, actor: Actor, reason: str) -> None:
    version.move_to(VersionState.RETIRED)
    version.retired_at = timezone.now()
    version.save(update_fields=["state", "retired_at"])
    _record(ComplianceAction.AML_RULE_RETIRED, version, actor, reason)


def _record(code: ComplianceAction, version: AmlRuleVersion, actor: Actor, reason: str, **more: Any) -> None:
    said = _plain(asdict(content_of(version))) | {
        "rule": version.rule_id,
        "version": version.number,
        "state": version.state,
    }
    audit.record(
        actor=actor, action=code, target=version.rule, brand_id=version.rule.brand_id, after=said, reason=reason, **more
    )


def _locked_rule(rule_id: int) -> AmlRule:
    return lock(AmlRule, rule_id, "brand")


def _locked_version(version_id: int) -> AmlRuleVersion:
    """Lock a version and, before it, its rule."""
    rule_id = AmlRuleVersion.objects.filter(pk=version_id).values_list("rule_id", flat=True).first()
    if rule_id is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    rule = _locked_rule(rule_id)
    version = lock(AmlRuleVersion, version_id)
    version.rule = rule
    return version


class RuleApproval(approvals.ApprovalKind[AmlRuleProposal]):
    """A version that is to go live, or to be retired."""

    model = AmlRuleProposal
    code = "aml-rule"
    label = gettext_lazy("AML rules")
    asks, decides = policies.WRITES, policies.APPROVES
    proposed, approved = ComplianceAction.AML_RULE_PROPOSED, None
    rejected, withdrawn = ComplianceAction.AML_RULE_REJECTED, ComplianceAction.AML_RULE_WITHDRAWN
    notice = ComplianceNotice.AML_RULE_PROPOSED
    brand_path = "version__rule__brand_id"
    related = ("version__rule__brand",)
    one_open = ("version",)
    done = gettext_lazy("The rule was changed.")

    def lock(self, pk: int) -> AmlRuleProposal:
        version = _locked_version(self.rows().get(pk=pk).version_id)
        item = lock(self.rows(), pk)
        item.version = version
        return item

    def apply(self, item: AmlRuleProposal, actor: User, **given: Any) -> None:
        version, act = item.version, RuleAct(item.act)
        _require_possible(version, act)
        if act == RuleAct.RETIRE:
            _retire(version, actor, item.reason)
            return
        before = version.rule.versions.filter(state=VersionState.LIVE).first()
        if before is not None:
            _retire(lock(AmlRuleVersion, before.pk, "rule__brand"), actor, item.reason)
        version.move_to(VersionState.LIVE)
        version.live_since = timezone.now()
        version.proposed_by, version.approved_by = item.requested_by, actor
        version.save(update_fields=["state", "live_since", "proposed_by", "approved_by"])
        _record(ComplianceAction.AML_RULE_WENT_LIVE, version, actor, item.reason)

    def title(self, item: AmlRuleProposal) -> LocalizedText:
        number = phrase("version %(number)s") % {"number": item.version.number}
        rule = item.version.rule
        return joined([RuleAct(item.act).label, phrase(rule.name) if rule.code else rule.name, number])

    def url(self, item: AmlRuleProposal) -> str:
        return item.version.rule.get_absolute_url()

    def changes(self, item: AmlRuleProposal) -> Sequence[Change]:
        version = item.version
        live = (
            version.rule.versions.filter(state=VersionState.LIVE)
            .exclude(pk=version.pk)
            .select_related("rule__brand")
            .first()
        )
        if item.act == RuleAct.RETIRE:
            return [Change(_("Rule"), _("Retired"), sentence(version))]
        return [
            Change(_("Rule"), sentence(version), sentence(live) if live else None),
            Change(_("Applies to"), audience(version), audience(live) if live else None),
            Change(_("Severity"), Severity(version.severity).label, Severity(live.severity).label if live else None),
        ]

    def target(self, item: AmlRuleProposal) -> AmlRule:
        return item.version.rule

    def after(self, item: AmlRuleProposal) -> dict[str, Any]:
        return {"version": item.version.number, "act": item.act}
