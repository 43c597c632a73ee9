"""What agents do with a case: decide it after the call, note a call without an answer, or snooze it."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import TimelineKind
from clients.timeline import add_entry
from crm import work
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import label_of, phrase
from crm.models import User
from crm.security import audit, policies
from risk.audit_codes import RiskAction
from risk.retention.choices import DECISIONS, CaseState
from risk.retention.kind import RETENTION
from risk.retention.models import RetentionCase

SNOOZE_DAYS_MAX: Final = 60
RETRY: Final = dt.timedelta(days=1)


def _open_case(case_id: int, actor: User) -> RetentionCase:
    """Lock an open case that a person may work on. Raises: NotAllowed, WrongState."""
    case = RETENTION.lock(case_id)
    policies.require(RETENTION.may_work(actor, case))
    if case.state != CaseState.OPEN:
        raise WrongState(_("This has already been decided or closed."))
    assert case.work is not None
    policies.require(work.may_decide(actor, case.work))
    return case


@transaction.atomic
def decide_retention(
    *, case_id: int, actor: User, outcome: str, reason: str = "", was_useful: bool | None = None
) -> RetentionCase:
    """Decide a case: the outcome of the call, and whether the flags were useful.

    Who: `risk.work_retentioncase` on the client, unless a colleague has claimed it. Raises: NotAllowed, WrongState, DomainError
    (no action without a reason).
    """
    case = _open_case(case_id, actor)
    if outcome not in DECISIONS:
        raise DomainError(_("Choose a decision."))
    state = CaseState(outcome)
    work.decide(case, actor=actor, outcome=state, reason=reason)
    case.move_to(state)
    case.reason, case.was_useful = reason.strip(), was_useful
    case.decided_by, case.ended_at, case.snoozed_until = actor, timezone.now(), None
    case.save(update_fields=["state", "reason", "was_useful", "decided_by", "ended_at", "snoozed_until"])
    audit.record(
        actor=actor,
        action=RiskAction.RETENTION_DECIDED,
        target=case,
        client_id=case.client_id,
        brand_id=case.brand_id,
        reason=reason.strip(),
        after={"outcome": state.value, "was_useful": was_useful},
    )
    add_entry(
        client_id=case.client_id,
        kind=TimelineKind.NOTE,
        title=phrase("Retention: %(outcome)s") % {"outcome": label_of(case, "state")},
        body=case.reason,
        actor=actor,
        url=case.get_absolute_url(),
        dedupe_key=f"risk.retention:{case.pk}",
    )
    return case


@transaction.atomic
def note_no_answer(*, case_id: int, actor: User) -> RetentionCase:
    """Note a call without an answer: the case comes back tomorrow, to the same agent.

    Who: as for deciding. Raises: NotAllowed, WrongState.
    """
    case = _open_case(case_id, actor)
    case.attempts += 1
    return _snooze(case, actor, timezone.now() + RETRY, _("Called, not reached"))


@transaction.atomic
def snooze_retention(*, case_id: int, actor: User, days: int, reason: str) -> RetentionCase:
    """Set a case aside for some days. Who: as for deciding. Raises: NotAllowed, WrongState, DomainError."""
    case = _open_case(case_id, actor)
    if not 1 <= days <= SNOOZE_DAYS_MAX:
        raise DomainError(_("Enter a number of days from 1 to %(most)s.") % {"most": SNOOZE_DAYS_MAX})
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    return _snooze(case, actor, timezone.now() + dt.timedelta(days=days), reason.strip())


def _snooze(case: RetentionCase, actor: User, until: dt.datetime, text: str) -> RetentionCase:
    assert case.work_id is not None
    work.leave_with(case.work_id, actor=actor, text=text)
    case.snoozed_until = until
    case.save(update_fields=["attempts", "snoozed_until"])
    audit.record(
        actor=actor,
        action=RiskAction.RETENTION_SNOOZED,
        target=case,
        client_id=case.client_id,
        brand_id=case.brand_id,
        reason=text,
        after={"until": until.isoformat(), "attempts": case.attempts},
    )
    return case
