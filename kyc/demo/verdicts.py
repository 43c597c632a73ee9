"""What the policies of the demo decided: their versions, the verdict on each document, and second looks at some approvals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crm import work
from crm.choices import WorkState
from crm.db.bulk import copy_models
from crm.demo import Demo
from crm.models import Brand, WorkItem
from kyc.choices import DocumentState, IssueCode, Outcome, QueueReason, RejectReason, SecondLookState
from kyc.models import CheckRun, Document, MachineDecision, SecondLook, VerdictPolicy
from kyc.verdicts.reaching import digest_of, draw, is_drawn
from kyc.verdicts.rules import KindRule, RiskRule, Rules, shipped
from kyc.verdicts.second_looks import SECOND_LOOK
from kyc.verdicts.versions import SHIPPED_REASON

if TYPE_CHECKING:
    from kyc.demo.history import Story

AUTOMATIC, LOOKED_AT = 0.72, 0.85
# Why an officer decided, as often as it happens.
REASONS = (
    QueueReason.OTHER_SIDE,
    IssueCode.NAME_NEAR,
    IssueCode.NAME_NEAR,
    IssueCode.NOT_READ,
    IssueCode.NOT_READ,
    IssueCode.NOT_READ,
    IssueCode.PRINT_NEAR,
    IssueCode.FACE_NOT_FOUND,
    QueueReason.ASKED_ENOUGH,
)
FLAWS = {RejectReason.UNREADABLE: IssueCode.BLUR, RejectReason.TOO_OLD: IssueCode.POA_TOO_OLD}
BEGAN_DAYS_AGO, RAISED_DAYS_AGO = 4_000, 34


@dataclass
class Policies:
    """The versions of each brand, the newest last."""

    versions: dict[int, list[VerdictPolicy]] = field(default_factory=dict)

    def on(self, brand_id: int, day: dt.date) -> VerdictPolicy:
        """Find the version that held on a day."""
        return [row for row in self.versions[brand_id] if row.effective_on <= day][-1]


def write_policies(demo: Demo, brands: Sequence[Brand]) -> Policies:
    """Give each brand the shipped policy from long ago, and the newest change of it: more second looks at medium risk."""
    rules = shipped()
    more = Rules({kind: _with_more_looks(rule) for kind, rule in rules.kinds.items()})
    policies = Policies()
    for brand in brands:
        rows = [
            VerdictPolicy(
                brand=brand,
                number=1,
                rules=rules.body(),
                effective_on=(demo.now - dt.timedelta(days=BEGAN_DAYS_AGO)).date(),
                set_at=demo.now - dt.timedelta(days=BEGAN_DAYS_AGO),
                reason=SHIPPED_REASON,
            ),
            VerdictPolicy(
                brand=brand,
                number=2,
                rules=more.body(),
                effective_on=(demo.now - dt.timedelta(days=RAISED_DAYS_AGO)).date(),
                set_by=demo.by_role["mlro"][0],
                set_at=demo.now - dt.timedelta(days=RAISED_DAYS_AGO + 2),
                reason="More second looks at medium risk after the quarterly review",
            ),
        ]
        copy_models(rows)
        policies.versions[brand.pk] = rows
    return policies


def _with_more_looks(rule: KindRule) -> KindRule:
    risks = {
        risk: RiskRule(one.approves, 30 if risk == "medium" else 20 if risk == "unrated" else one.sample_percent)
        for risk, one in rule.risks.items()
    }
    return KindRule(rule.required, rule.asks, rule.asks_in_a_row, risks)


def results_of(kind: str, side: str, flaw: str = "") -> list[dict[str, Any]]:
    """Write results as the checks do: everything that the policy requires has passed, but for one flaw."""
    rows = [
        {
            "check": name,
            "verdict": "pass",
            "code": "",
            "field": "",
            "confidence": 0.9,
            "severity": "",
            "page": 1,
            "box": None,
        }
        for name in shipped().kinds[kind].required[side]
    ]
    if flaw:
        rows.append({**rows[0], "check": "legibility", "verdict": "fail", "code": flaw})
    return rows


def flaw_of(document: Document) -> str:
    """Return the flaw behind a rejection; empty for what was approved."""
    return FLAWS[RejectReason(document.reason_code)].value if document.reason_code else ""


def write_verdicts(demo: Demo, stories: Sequence[Story], runs: Sequence[CheckRun]) -> None:
    """Write the verdict on each decided document, and second looks at what the sample drew."""
    decisions, drawn = [], []
    for story, run in zip(stories, runs, strict=True):
        decision = _decision(demo, story, run)
        decisions.append(decision)
        if decision.is_sampled:
            drawn.append(story.document)
    copy_models(decisions)
    _write_looks(demo, drawn)


def _decision(demo: Demo, story: Story, run: CheckRun) -> MachineDecision:
    document, policy = story.document, story.policy
    number = draw(document.pk)
    decision = MachineDecision(
        document=document,
        run=run,
        brand_id=story.client.brand_id,
        policy=policy,
        risk="unrated",
        digest=digest_of(run),
        version=run.version,
        decided_at=story.checked_at,
    )
    if document.decided_by_policy_id is None:
        decision.outcome, decision.reasons = Outcome.QUEUE, [demo.rng.choice(REASONS).value]
    elif document.state == DocumentState.APPROVED:
        percent = Rules.read(policy.rules).kinds[document.kind].sample_percent("unrated")
        decision.outcome, decision.draw, decision.is_sampled = Outcome.APPROVE, number, is_drawn(number, percent)
    else:
        decision.outcome, decision.reasons = Outcome.ASK, [flaw_of(document)]
    return decision


def _write_looks(demo: Demo, drawn: Sequence[Document]) -> None:
    looks, items = [], []
    for document in drawn:
        assert document.reviewed_at is not None
        is_open = demo.rng.random() > LOOKED_AT and demo.now - document.reviewed_at < dt.timedelta(days=21)
        item = work.new_item(
            SECOND_LOOK, client_id=document.client_id, brand=document.client.brand, opened_at=document.reviewed_at
        )
        look = SecondLook(document=document, work=item, opened_at=document.reviewed_at)
        if not is_open:
            _agree(demo, look, item)
        items.append(item)
        looks.append(look)
    copy_models(items)
    for look in looks:
        look.work = look.work  # its id is known now
    copy_models(looks)


def _agree(demo: Demo, look: SecondLook, item: WorkItem) -> None:
    at = min(look.opened_at + dt.timedelta(hours=demo.rng.uniform(2, 30)), demo.now)
    officer = demo.rng.choice(demo.by_role["kyc_officer"])
    look.state, look.decided_by, look.decided_at = SecondLookState.AGREED, officer, at
    item.state, item.outcome, item.decided_by, item.decided_at = WorkState.FINAL, SecondLookState.AGREED, officer, at
    item.final_at, item.handling_seconds = at, 30 + document_seconds(look)


def document_seconds(look: SecondLook) -> int:
    """Return some seconds that differ from document to document."""
    return look.document.size_bytes % 90
