"""The verdict on a checked document: approved, sent back to the client with its flaw named, or left to a person.

Everything happens in the transaction that ends the checks, under the locks of client and document: a worker that is killed
leaves either no verdict or the whole one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils import timezone

from clients.choices import RiskRating
from clients.models import Client
from crm import work
from crm.db.locking import lock
from crm.security import audit
from crm.security.crypto import lasting_key
from kyc import reviews
from kyc.audit_codes import KycAction
from kyc.choices import (
    TWO_SIDED_KINDS,
    DocumentState,
    IssueCode,
    Outcome,
    QueueReason,
    RunState,
    Severity,
    Side,
    Verdict,
)
from kyc.examination.decision import decide
from kyc.examination.sheet import Result
from kyc.models import CheckRun, Document, MachineDecision, SecondLook, VerdictPolicy
from kyc.models.verdicts import DRAWS
from kyc.providers.opinions import ProviderWord, combined, word_on
from kyc.providers.steps import shown_steps
from kyc.verdicts import second_looks
from kyc.verdicts.asking import flaw_to_name, reason_for, request_text
from kyc.verdicts.rules import Rules
from kyc.verdicts.versions import current_policy

SIDES = "sides"
REASONS_MAX = 8
WEIGHTS = list(Severity)[::-1]


@dataclass(frozen=True)
class Opinion:
    """What a policy makes of one page on its own. flaw: what the client is asked to mend."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    flaw: str = ""


def judge(rules: Rules, *, kind: str, side: str, results: Sequence[Result], risk: str) -> Opinion:
    """Judge one page by its check results alone; the other side and earlier requests are not asked. Also for previews."""
    rule = rules.kinds.get(kind)
    required = rule.required.get(side, ()) if rule else ()
    if rule is None or not required:
        return Opinion(Outcome.QUEUE, (QueueReason.NOT_COVERED,))
    own = [result for result in results if result.check != SIDES]
    decision = decide(kind, side, own, required=required, fixable=rule.asks)
    codes = _codes(decision.because)
    if decision.outcome == Outcome.APPROVE:
        if risk == RiskRating.HIGH:
            return Opinion(Outcome.QUEUE, (QueueReason.HIGH_RISK,))
        if not rule.approves(risk):
            return Opinion(Outcome.QUEUE, (QueueReason.APPROVAL_OFF,))
        return Opinion(Outcome.APPROVE)
    if decision.outcome == Outcome.ASK:
        if not rule.asks_in_a_row:
            return Opinion(Outcome.QUEUE, codes)
        # An unclear picture explains what wasn't read.
        hints = [result.code for result in own if result.is_issue and result.code in rule.asks]
        return Opinion(Outcome.ASK, codes, flaw_to_name((*codes, *hints)))
    named = codes or _codes([result for result in own if result.is_issue])
    return Opinion(Outcome.QUEUE, named or (QueueReason.CHECKS_INCOMPLETE,))


def _codes(results: Sequence[Result]) -> tuple[str, ...]:
    """Name what is wrong once each, the worst first."""
    ordered = sorted(results, key=lambda result: (WEIGHTS.index(result.weight), -result.score))
    return tuple(dict.fromkeys(str(result.code) for result in ordered))[:REASONS_MAX]


def reach(document: Document, run: CheckRun, results: Sequence[Result]) -> MachineDecision:
    """Decide about a document whose checks have ended. The caller holds client and document, and hands it to the queue where
    the outcome says so; what is approved or sent back is decided and saved here.
    """
    client = document.client
    risk = Client.objects.values_list("risk_rating", flat=True).get(pk=client.pk)
    policy = current_policy(client.brand)
    rules, word = Rules.read(policy.rules), word_on(document)
    opinion = _opinion(document, rules, results, risk, word)
    other: Document | None = None
    if opinion.outcome == Outcome.ASK and _asked_in_a_row(document) >= rules.kinds[document.kind].asks_in_a_row:
        opinion = Opinion(Outcome.QUEUE, (QueueReason.ASKED_ENOUGH, *opinion.reasons)[:REASONS_MAX])
    elif opinion.outcome == Outcome.APPROVE and document.kind in TWO_SIDED_KINDS and not word.is_alone:
        other, doubt = _other_side(document, rules, results, risk)
        opinion = Opinion(Outcome.QUEUE, (doubt,)) if doubt else opinion
    decision = _write(document, run, policy, opinion, risk, word)
    if opinion.outcome == Outcome.APPROVE:
        _approve(document, decision)
        if other is not None and other.state == DocumentState.PENDING_REVIEW:
            _approve_waiting_side(other, decision)
    elif opinion.outcome == Outcome.ASK:
        _ask(document, decision, opinion.flaw)
    return decision


def _opinion(document: Document, rules: Rules, results: Sequence[Result], risk: str, word: ProviderWord) -> Opinion:
    """Judge a document by its checks, and by what the brand's KYC provider said about it."""
    own = judge(rules, kind=document.kind, side=document.side, results=results, risk=risk)
    both = combined(word, own.outcome, own.reasons, results=results, risk=risk)
    return own if both is None else Opinion(both[0], both[1][:REASONS_MAX])


def _asked_in_a_row(document: Document) -> int:
    """Count the automatic rejections of this kind since somebody decided, or something was approved."""
    earlier = Document.objects.filter(client_id=document.client_id, kind=document.kind, side=document.side)
    decided = earlier.filter(state__in=[DocumentState.APPROVED, DocumentState.REJECTED, DocumentState.EXPIRED])
    count = 0
    for state, policy_id in (
        decided.exclude(pk=document.pk).order_by("-pk").values_list("state", "decided_by_policy")[:10]
    ):
        if state != DocumentState.REJECTED or policy_id is None:
            break
        count += 1
    return count


# ── two sides ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def other_side_of(document: Document) -> Document | None:
    """Find the newest document of a card's other side that is open or approved."""
    if document.kind not in TWO_SIDED_KINDS:
        return None
    side = Side.BACK if document.side == Side.FRONT else Side.FRONT
    usable = [DocumentState.UPLOADED, DocumentState.CHECKING, DocumentState.PENDING_REVIEW, DocumentState.APPROVED]
    rows = Document.objects.filter(client_id=document.client_id, kind=document.kind, side=side, state__in=usable)
    return rows.select_related("work").order_by("-pk").first()


def _other_side(document: Document, rules: Rules, results: Sequence[Result], risk: str) -> tuple[Document | None, str]:
    """Find the other side, and why it keeps this one from being approved; no reason where both may be."""
    other = other_side_of(document)
    if other is None or other.state in (DocumentState.UPLOADED, DocumentState.CHECKING):
        return other, QueueReason.OTHER_SIDE
    run = other.runs.filter(state=RunState.DONE).order_by("-pk").first()
    stored = stored_results(run) if run is not None else []
    if not _agree([*results, *stored]):
        return other, QueueReason.SIDES_DIFFER
    if other.state == DocumentState.APPROVED:
        return other, "" if other.settled_at is not None else QueueReason.OTHER_SIDE
    if (
        other.corrections.exists()
        or hasattr(other, "second_look")
        or (other.work is not None and work.is_held(other.work))
    ):
        return other, QueueReason.BEING_REVIEWED
    opinion = _opinion(other, rules, stored, risk, word_on(other))
    return other, "" if opinion.outcome == Outcome.APPROVE else QueueReason.OTHER_SIDE


def _agree(results: Sequence[Result]) -> bool:
    """Check that the sides were compared and nothing differs. A licence's back has no zone: there is nothing to compare."""
    compared = [result for result in results if result.check == SIDES]
    return bool(compared) and all(result.verdict == Verdict.PASS for result in compared)


def stored_results(run: CheckRun) -> list[Result]:
    """Read a run's results as they were written down: without what was read."""
    return [_result(row) for row in run.results]


def _result(row: Mapping[str, Any]) -> Result:
    return Result(
        Verdict(row["verdict"]),
        row.get("code", ""),
        row.get("confidence", 0.0),
        row.get("field", ""),
        page=row.get("page", 1),
        check=row.get("check", ""),
        severity=Severity(row["severity"]) if row.get("severity") else None,
    )


# ── what follows ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _write(
    document: Document, run: CheckRun, policy: VerdictPolicy, opinion: Opinion, risk: str, word: ProviderWord
) -> MachineDecision:
    is_approval = opinion.outcome == Outcome.APPROVE
    drawn = draw(document.pk) if is_approval else None
    rule = Rules.read(policy.rules).kinds.get(document.kind)  # a provider also approves what our policy doesn't cover
    percent = rule.sample_percent(risk) if is_approval and rule is not None else 0
    if is_approval and word.picture is not None:
        document.expires_on = document.expires_on or word.picture.expires_on
        document.issued_on = document.issued_on or word.picture.issued_on
    return MachineDecision.objects.create(
        document=document,
        run=run,
        brand_id=document.client.brand_id,
        policy=policy,
        outcome=opinion.outcome,
        reasons=[str(reason) for reason in opinion.reasons],
        risk=risk,
        digest=digest_of(run),
        version=run.version,
        decided_at=timezone.now(),
        draw=drawn,
        is_sampled=is_drawn(drawn, percent),
        check_at_provider=word.check,
    )


def digest_of(run: CheckRun) -> str:
    """Hash a run's results as they are stored, so that the evidence in the audit log can be compared with them."""
    return hashlib.sha256(orjson.dumps(run.results, option=orjson.OPT_SORT_KEYS)).hexdigest()


def draw(document_id: int) -> int:
    """Draw a number below 10,000 for a document: always the same one, and nobody foresees it without the key."""
    mark = hmac.new(lasting_key("kyc-second-look"), str(document_id).encode(), hashlib.sha256).digest()
    return int.from_bytes(mark[:8], "big") % DRAWS


def is_drawn(drawn: int | None, percent: int) -> bool:
    """Check whether a draw is in the sample."""
    return drawn is not None and drawn < percent * DRAWS // 100


def _approve(document: Document, decision: MachineDecision) -> None:
    document.move_to(DocumentState.APPROVED)
    _decided(document, decision, KycAction.DOCUMENT_APPROVED_AUTOMATICALLY)
    if decision.is_sampled:
        second_looks.open_look(document)


def _approve_waiting_side(other: Document, decision: MachineDecision) -> None:
    """Approve the side that waited in the queue for this one, by what its own checks said."""
    other = lock(Document, other.pk)
    other.client = decision.document.client
    work.close_items([other.work_id])
    waited: MachineDecision = other.machine_decision
    percent = Rules.read(decision.policy.rules).kinds[other.kind].sample_percent(decision.risk)
    waited.outcome, waited.reasons, waited.policy = Outcome.APPROVE, [], decision.policy
    waited.risk, waited.decided_at = decision.risk, timezone.now()
    waited.draw = draw(other.pk)
    waited.is_sampled = is_drawn(waited.draw, percent)
    waited.save()
    _approve(other, waited)


def _ask(document: Document, decision: MachineDecision, flaw: str) -> None:
    document.move_to(DocumentState.REJECTED)
    document.reason_code = reason_for(flaw)
    document.reason = request_text(flaw, document.client.language)
    _decided(document, decision, KycAction.DOCUMENT_REJECTED_AUTOMATICALLY)


def _decided(document: Document, decision: MachineDecision, action: KycAction) -> None:
    """Save an automatic decision with its evidence, and let it take effect: there is nobody who could undo it."""
    before = DocumentState.PENDING_REVIEW if document.work_id else DocumentState.CHECKING
    now = timezone.now()
    document.decided_by_policy, document.reviewed_at, document.settled_at = decision.policy, now, now
    document.checked_at, document.check_lease_until = document.checked_at or now, None
    document.save()
    audit.record(
        actor=None,
        action=action,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        before={"state": before.value},
        after={
            "state": document.state,
            "kind": document.kind,
            "reason_code": document.reason_code,
            "told": document.reason,
        },
        evidence={
            "policy": decision.policy_id,
            "policy_number": decision.policy.number,
            "results_sha256": decision.digest,
            "run": decision.run_id,
            "version": decision.version,
            "risk": decision.risk,
            "draw": decision.draw,
            "sha256": document.sha256,
            **_providers_evidence(decision),
        },
    )
    reviews.take_effect(document)


def _providers_evidence(decision: MachineDecision) -> dict[str, Any]:
    check = decision.check_at_provider
    return {"provider_check": check.pk, "provider_result_sha256": check.result_sha256} if check is not None else {}


# ── for pages ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class ShownVerdict:
    """What the policy made of a document, as its page shows it."""

    decision: MachineDecision
    look: SecondLook | None

    @property
    def label(self) -> str:
        return str(Outcome(self.decision.outcome).label)

    @property
    def card(self) -> dict[str, Any] | None:
        """What the KYC provider said, beside it; None where none was asked."""
        check = self.decision.check_at_provider
        return {"check": check, "steps": shown_steps(check)} if check is not None else None

    @property
    def reasons(self) -> list[str]:
        return [reason_label(code) for code in self.decision.reasons]


def verdict_of(document: Document) -> ShownVerdict | None:
    """Find the policy's verdict on a document with its second look; None before the checks have ended."""
    rows = MachineDecision.objects.select_related(
        "policy", "overturned_by", "document__second_look__decided_by", "check_at_provider__provider"
    ).defer("check_at_provider__result_sealed", "check_at_provider__provider__sealed_credentials")
    decision = rows.filter(document=document).first()
    return ShownVerdict(decision, getattr(decision.document, "second_look", None)) if decision is not None else None


def reason_label(code: str) -> str:
    """Name why a person decides: an issue, or a reason of the policy's own."""
    if code in QueueReason.values:
        return str(QueueReason(code).label)
    return str(IssueCode(code).label) if code in IssueCode.values else code
