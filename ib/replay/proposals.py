"""Applying a replay with four eyes: exactly the differences that were seen are added, or nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.security.policies import require
from ib import periods
from ib.audit_codes import IbAction
from ib.choices import DifferenceCause, IbNotice, ReplayState
from ib.models import Partner, Replay, ReplayProposal
from ib.replay.shadow import add_differences, digest_of

PARTNERS_SHOWN: Final = 100


@transaction.atomic
def propose_replay(*, replay_id: int, actor: User, reason: str) -> ReplayProposal:
    """Propose to apply a replay's differences. Who: `ib.run_commissions` at the brand.

    Raises: NotAllowed, DomainError (no reason), WrongState (nothing to apply, or proposed already).
    """
    replay = lock(Replay, replay_id, "brand")
    item = ReplayProposal(replay=replay, reason=reason.strip())
    require(approvals.kind_of(ReplayProposal).can_propose(actor, item))
    if replay.state != ReplayState.READY:
        raise WrongState(_("Only a replay with differences can be applied."))
    return approvals.propose(item, actor=actor)


class ReplayApproval(approvals.ApprovalKind[ReplayProposal]):
    """The differences are added as rows, in the periods of their deals or, where those are settled, in the open one."""

    model = ReplayProposal
    code = "commission-replay"
    label = gettext_lazy("Commission replay")
    # Who asks for it doesn't pay it out: finance decides, as it settles.
    asks, decides = "ib.run_commissions", "ib.settle_commissions"
    proposed, approved = IbAction.REPLAY_PROPOSED, IbAction.REPLAY_APPROVED
    rejected, withdrawn = IbAction.REPLAY_REJECTED, IbAction.REPLAY_WITHDRAWN
    notice = IbNotice.REPLAY_PROPOSED
    brand_path = "replay__brand_id"
    related = ("replay__brand",)
    one_open = ("replay",)
    done = gettext_lazy("Replay applied. Differences added.")

    def lock(self, pk: int) -> ReplayProposal:
        about = ReplayProposal.objects.values_list("replay_id", "replay__brand_id")
        replay_id, brand_id = about.get(pk=pk)
        periods.lock_commissions(brand_id)
        replay = lock(Replay, replay_id, "brand")
        item = super().lock(pk)
        item.replay = replay
        return item

    def apply(self, item: ReplayProposal, actor: User, **given: Any) -> None:
        replay = item.replay
        replay.move_to(ReplayState.APPLIED)
        run, lines = add_differences(replay, actor=actor)
        if digest_of(lines) != replay.digest:
            raise DomainError(_("Commissions have changed since the replay. Reject it, then run the replay again."))
        replay.run, replay.ended_by, replay.ended_at = run, actor, timezone.now()
        replay.save(update_fields=["state", "run", "ended_by", "ended_at"])

    def title(self, item: ReplayProposal) -> LocalizedText:
        return phrase("Commission replay #%(replay)s of %(brand)s") % {
            "replay": str(item.replay_id),
            "brand": item.replay.brand.name,
        }

    def url(self, item: ReplayProposal) -> str:
        return item.replay.get_absolute_url()

    def changes(self, item: ReplayProposal) -> list[Change]:
        replay = item.replay
        last = formats.moment(replay.to_at)
        lines = ngettext("%(count)s line", "%(count)s lines", replay.lines_count) % {"count": replay.lines_count}
        return [
            Change(_("Closed"), f"{formats.moment(replay.from_at)} – {last}"),
            Change(_("Differences"), lines),
            *[
                Change(
                    str(DifferenceCause(row["cause"]).label), _money(row), formats.money(row["before"], row["currency"])
                )
                for row in totals(replay, "cause")
            ],
            *_by_partner(replay),
        ]

    def after(self, item: ReplayProposal) -> dict[str, Any]:
        sums: dict[str, Decimal] = {}
        for row in totals(item.replay, "cause"):
            sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + row["difference"]
        return {
            "replay": item.replay_id,
            "lines": item.replay.lines_count,
            "difference": {currency: str(amount) for currency, amount in sorted(sums.items())},
        }


def totals(replay: Replay, *by: str) -> list[dict[str, Any]]:
    """Sum a replay's lines by a field and currency, the largest difference first: lines, before, after, difference."""
    rows = replay.lines.order_by().values(*by, "currency")
    summed = rows.annotate(lines=Count("pk"), before=Sum("before"), after=Sum("after"), difference=Sum("difference"))
    return sorted(summed, key=lambda row: (-abs(row["difference"]), str(row[by[0]])))


def _by_partner(replay: Replay) -> list[Change]:
    rows = totals(replay, "partner_id")[:PARTNERS_SHOWN]
    partners = Partner.objects.in_bulk({row["partner_id"] for row in rows})
    return [
        Change(partners[row["partner_id"]].name, _money(row), formats.money(row["before"], row["currency"]))
        for row in rows
    ]


def _money(row: dict[str, Any]) -> str:
    """Write an amount with its difference, e.g. €12.00 (+€2.00)."""
    difference = formats.money(row["difference"], row["currency"], sign=True)
    return f"{formats.money(row['after'], row['currency'])} ({difference})"
