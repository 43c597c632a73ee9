"""Corrections found: an account whose deals were edited, deleted or read late is judged again, and what comes out differently
is put in front of two people. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm import work
from crm.db.locking import lock
from crm.due import DueKind, declare
from crm.errors import DomainError
from crm.i18n.localized_text import label_of, phrase
from crm.models import DueRow
from crm.notices.notify import notify, people_with
from crm.security import audit
from prop.audit_codes import PropAction
from prop.choices import CorrectionState, PropNotice, StageState
from prop.corrections.applying import go_on_from
from prop.corrections.reviews import CORRECTION
from prop.corrections.waiting import KIND, judge_again_soon
from prop.judge.again import Rejudgement, basis_of, first_changed_day, go_on, judge_again_from, signature
from prop.judge.live import count_deals
from prop.models import Challenge, JudgementCorrection, PhaseAccount
from trading.models import Deal

JUDGED: Final = (StageState.RUNNING, StageState.REVIEW, StageState.PASSED, StageState.BREACHED, StageState.EXPIRED)

ATTEMPTS_MAX: Final = 3  # the last one under the locks


@transaction.atomic
def note_changed_deals(*, deal_ids: Iterable[int]) -> int:
    """Have the accounts judged again that were judged beyond deals which were read, edited or deleted now.

    Who: the system, when deals were synced. Returns how many accounts wait.
    """
    beyond = Deal.every.filter(
        pk__in=list(deal_ids),
        account__challenge_phase__state__in=JUDGED,
        executed_at__gte=F("account__challenge_phase__started_at"),
        executed_at__lte=F("account__challenge_phase__judged_until"),
    )
    accounts = beyond.order_by().values("account__challenge_phase").distinct()
    return judge_again_soon(PhaseAccount.objects.filter(pk__in=accounts).select_related("challenge").order_by("pk"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """An account judged again without its lock. `basis`: what that rests on; `until`: up to which instant."""

    basis: tuple[Any, ...]
    until: int
    again: Rejudgement | None
    problem: str


def find_correction(*, phase_account_id: int) -> JudgementCorrection | None:
    """Judge an account again from its first changed day on, and list what is decided differently; None where nothing is.

    Who: the system. A repeat finds the open correction, or the one that two people decided to leave as it was. An account that
    runs on goes on from the state judged again, so that its peak and its days are counted with the deals as they are.

    A long phase takes seconds: it is judged before the locks are taken, so that its samples are judged meanwhile, and again
    where what it rests on has changed until then.
    """
    for attempt in range(ATTEMPTS_MAX):
        is_last = attempt == ATTEMPTS_MAX - 1
        prepared = None if is_last else _prepare(phase_account_id)
        with transaction.atomic():
            row = _locked(phase_account_id)
            if row is None or row.state not in JUDGED or not row.judged:
                return None
            if prepared is None and is_last:
                prepared = _judge_again(row)
            if prepared is not None and basis_of(row, prepared.until) == prepared.basis:
                return _note(row, prepared)
    return None


def _prepare(phase_account_id: int) -> Prepared | None:
    rows = PhaseAccount.objects.select_related("phase", "account__server", "challenge__brand", "challenge__client")
    row = rows.filter(pk=phase_account_id).first()
    return _judge_again(row) if row is not None and row.state in JUDGED and row.judged else None


def _judge_again(row: PhaseAccount) -> Prepared:
    until = row.judged["state"]["at"]
    basis = basis_of(row, until)
    day, again, problem = first_changed_day(row), None, ""
    if day is not None:
        try:
            again = judge_again_from(row, day)
        except DomainError as refused:
            problem = str(refused)
    return Prepared(basis, until, again, problem)


def _note(row: PhaseAccount, prepared: Prepared) -> JudgementCorrection | None:
    """Put what judging a locked account again gave in front of two people, or let it go on from there."""
    again, problem = prepared.again, prepared.problem
    if again is not None:
        again = go_on(again, row)
    found = again if again and again.corrections else None
    current = row.corrections.filter(state=CorrectionState.OPEN).first()
    if current is not None and (found is None or signature(current.was, current.now) != found.signature):
        _outdate(current)
        current = None
    if found is None and again is not None and row.state == StageState.RUNNING:
        go_on_from(row, again)
    known = count_deals(row, row.judged["state"]["at"])
    if row.judged.get("deals") != known or problem:
        _record(row, again, problem)
    row.judged["deals"] = known
    row.save(update_fields=["judged", "quiet_balance"])
    if found is None or current is not None:
        return current
    last = row.corrections.first()
    was_kept = last is not None and last.state == CorrectionState.KEPT
    if last is not None and was_kept and signature(last.was, last.now) == found.signature:
        return None
    return _write(row, found)


def _locked(phase_account_id: int) -> PhaseAccount | None:
    """Lock the client, the challenge and the account, in this order."""
    owner = PhaseAccount.objects.filter(pk=phase_account_id).values_list("challenge__client_id", "challenge_id").first()
    if owner is None:
        return None
    client = lock(Client, owner[0], "brand")
    challenge = lock(Challenge, owner[1], "brand", "version__programme")
    row = lock(PhaseAccount, phase_account_id, "phase", "account__server")
    challenge.client, row.challenge = client, challenge
    return row


def _outdate(correction: JudgementCorrection) -> None:
    correction.move_to(CorrectionState.OUTDATED)
    correction.save(update_fields=["state"])
    work.close_items([correction.work_id])


def _record(row: PhaseAccount, again: Rejudgement | None, problem: str) -> None:
    after: dict[str, Any] = {"problem": problem} if problem else {}
    if again is not None:
        shown = again.to_json()
        after = {name: shown[name] for name in ("day", "since", "until", "samples", "changed_deals")}
        after["corrections"] = [each["kind"] for each in shown["corrections"]]
    audit.record(
        actor=None,
        action=PropAction.JUDGED_AGAIN,
        target=row,
        client_id=row.challenge.client_id,
        brand_id=row.challenge.brand_id,
        after=after,
    )


def _write(row: PhaseAccount, again: Rejudgement) -> JudgementCorrection:
    now, challenge = timezone.now(), row.challenge
    correction = JudgementCorrection.objects.create(
        phase_account=row,
        kind=again.corrections[0].kind,
        day=again.day,
        was=again.was and again.was.to_json(),
        now=again.now and again.now.to_json(),
        evidence={name: value for name, value in again.to_json().items() if name != "corrections"},
        found_at=now,
        work=work.open_item(CORRECTION, brand=challenge.client.brand, client_id=challenge.client_id, opened_at=now),
    )
    audit.record(
        actor=None,
        action=PropAction.CORRECTION_FOUND,
        target=correction,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"kind": correction.kind, "account": row.pk},
    )
    notify(
        people_with("prop.decide_challenge", brand_id=challenge.brand_id),
        kind=PropNotice.CORRECTION_FOUND,
        title=phrase("Judged again after its deals changed, a challenge comes out differently: %(kind)s")
        % {"kind": label_of(correction, "kind")},
        url=correction.get_absolute_url(),
        dedupe_key=f"prop.correction_found:{correction.pk}",
    )
    return correction


def _handle(due_row: DueRow) -> None:
    find_correction(phase_account_id=int(due_row.key))


JUDGE_AGAIN: Final = declare(
    DueKind(KIND, _("Challenge to judge again"), handler=_handle, permission="prop.view_challenge")
)
