"""Changing a brand's levels: one person proposes with a preview of who would move, another approves."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import proofs
from crm import approvals
from crm.approvals import Change
from crm.brand_policies.registry import require_day, today
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, User
from crm.money.amounts import from_minor
from crm.security.policies import Decision, on_whole_brand, require
from kyc.audit_codes import KycAction
from kyc.choices import KycNotice
from kyc.levels.ladder import (
    GROUPS_MAX,
    LEVEL_MAX,
    METHOD_KINDS,
    Level,
    default_name,
    group_label,
    newest_table,
    parsed,
    planned_ladder,
)
from kyc.levels.reaching import schedule
from kyc.levels.sql import levels_sql
from kyc.models.level_tables import LevelProposal, LevelTable
from kyc.questionnaires.obligations import published_of
from kyc.questionnaires.proofs import KIND_OF

RIGHT: Final = "crm.manage_identity_policies"
DAYS_AHEAD_MAX: Final = 366
PREVIEW = """
SELECT c.kyc_level, coalesce(s.level, 0), count(*)
FROM clients_client c LEFT JOIN ({levels}) s(client_id, level) ON s.client_id = c.id
WHERE c.brand_id = %(brand)s AND c.kyc_level <> coalesce(s.level, 0) GROUP BY 1, 2 ORDER BY 1, 2
"""


def can_change(actor: Actor, brand_id: int) -> Decision:
    """Propose or decide: the right on identity policies, on the whole brand."""
    return on_whole_brand(actor, RIGHT, brand_id)


@dataclass(frozen=True, slots=True)
class Move:
    """How many clients would change from one level to another."""

    before: int
    after: int
    clients: int

    @property
    def is_up(self) -> bool:
        return self.after > self.before


def preview(brand: Brand, levels: Sequence[Level]) -> list[Move]:
    """Count who would change level under these levels: one statement over the brand's clients."""
    given: dict[str, Any] = {"brand": brand.pk, "levels": orjson.dumps([level.as_json() for level in levels]).decode()}
    with connection.cursor() as cursor:
        cursor.execute(PREVIEW.replace("{levels}", levels_sql("%(levels)s::jsonb")), given)
        return [Move(*row) for row in cursor.fetchall()]


@transaction.atomic
def propose_levels(
    *, brand_id: int, levels: Sequence[Level], effective_on: dt.date, actor: User, reason: str
) -> LevelProposal:
    """Propose all levels of a brand from a day on.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: NotAllowed, DomainError (a level without a requirement, an
    unknown proof, one without a published questionnaire, a limit below that of the level before, a past day, no reason),
    WrongState (nothing changes, or one waits).
    """
    require(can_change(actor, brand_id))
    brand = lock(Brand, brand_id)
    checked = tuple(sorted(levels, key=lambda level: level.number))
    check(checked)
    _require_questionnaires(brand, checked)
    newest = newest_table(brand)
    if checked == planned_ladder(brand):
        raise WrongState(_("These are the brand's levels already."))
    first = first_day(brand)
    require_day(effective_on, first=first, last=first + dt.timedelta(days=DAYS_AHEAD_MAX))
    proposal = LevelProposal(
        brand=brand,
        levels=[level.as_json() for level in checked],
        effective_on=effective_on,
        based_on=newest.pk if newest else 0,
        reason=reason,
    )
    return approvals.propose(proposal, actor=actor)


def first_day(brand: Brand) -> dt.date:
    """Return the first day that a change can be effective from: not before one that is planned already."""
    newest = newest_table(brand)
    return max(today(brand), newest.effective_on) if newest else today(brand)


def check(levels: tuple[Level, ...]) -> None:
    """Check levels that somebody wants. Raises: DomainError, which names the level."""
    numbers = [level.number for level in levels]
    if numbers != list(range(len(numbers))) or not 2 <= len(numbers) <= LEVEL_MAX + 1:
        raise DomainError(_("Levels are numbered from 0 to at most %(max)s, without a gap.") % {"max": LEVEL_MAX})
    for level in levels:
        for groups, is_company in ((level.requires, False), (level.company_requires, True)):
            _check_groups(level, groups, is_company=is_company)
    for limit in ("deposits_max_minor", "withdrawals_max_minor", "withdrawals_30_days_max_minor"):
        shut = limit.startswith("withdrawals")
        amounts = [0 if shut and not level.withdraws else getattr(level, limit) for level in levels]
        for number, (lower, higher) in enumerate(itertools.pairwise(amounts), start=1):
            if higher is not None and (lower is None or higher < lower):
                raise DomainError(
                    _("Level %(number)s can't have a lower limit than the level before it.") % {"number": number}
                )


def _check_groups(level: Level, groups: Sequence[Sequence[str]], *, is_company: bool) -> None:
    if level.number == 0 and groups:
        raise DomainError(_("Level 0 requires nothing."))
    if level.number > 0 and not groups:
        raise DomainError(
            _("Level %(number)s must require something, of persons and of companies.") % {"number": level.number}
        )
    if len(groups) > GROUPS_MAX or not all(groups):
        raise DomainError(_("A level has at most %(count)s requirements.") % {"count": GROUPS_MAX})
    for code in {code for group in groups for code in group}:
        if code not in proofs.PROOFS or not proofs.PROOFS[code].fits(is_company=is_company):
            raise DomainError(_("Unknown requirement: %(code)s.") % {"code": code[:40]})


def _require_questionnaires(brand: Brand, levels: Sequence[Level]) -> None:
    """Refuse a level for which clients couldn't answer anything."""
    published = {row.kind for row in published_of(brand)}
    groups = [group for level in levels for group in (*level.requires, *level.company_requires)]
    for code in sorted({code for group in groups for code in group if code in KIND_OF}):
        if KIND_OF[code] not in published:
            name = KIND_OF[code].label
            raise DomainError(_("No questionnaire of this type is published: %(name)s.") % {"name": name})


class LevelApproval(approvals.ApprovalKind[LevelProposal]):
    """New levels of a brand. Who decides holds the same right as who proposes, on the whole brand."""

    model = LevelProposal
    code = "kyc-levels"
    label = gettext_lazy("KYC levels")
    asks = decides = RIGHT
    proposed, approved = KycAction.LEVELS_PROPOSED, KycAction.LEVELS_APPROVED
    rejected, withdrawn = KycAction.LEVELS_REJECTED, KycAction.LEVELS_WITHDRAWN
    notice = KycNotice.LEVELS_PROPOSED
    brand_path = "brand_id"
    one_open = ("brand",)
    related = ("brand",)
    done = gettext_lazy("KYC levels changed.")

    def apply(self, item: LevelProposal, actor: User, **given: Any) -> None:
        """Write the table; it takes effect on its day, today where that has passed while the proposal waited."""
        brand = lock(Brand, item.brand_id)
        newest = newest_table(brand)
        if (newest.pk if newest else 0) != item.based_on:
            raise WrongState(_("The levels were changed meanwhile. Propose the change again."))
        _require_questionnaires(brand, parsed(item.levels))
        table = LevelTable.objects.create(
            brand=brand,
            levels=item.levels,
            effective_on=max(item.effective_on, today(brand)),
            set_by=item.requested_by,
            set_at=timezone.now(),
            reason=item.reason,
        )
        schedule(table)

    def title(self, item: LevelProposal) -> LocalizedText:
        return phrase("KYC levels of %(brand)s") % {"brand": item.brand.name}

    def url(self, item: LevelProposal) -> str:
        return f"/kyc/levels/{item.brand_id}/"

    def changes(self, item: LevelProposal) -> Sequence[Change]:
        return [
            *_differences(item.brand, planned_ladder(item.brand), parsed(item.levels)),
            Change(_("Effective from"), formats.day(item.effective_on)),
        ]

    def after(self, item: LevelProposal) -> dict[str, Any]:
        return {"levels": item.levels, "effective_on": item.effective_on.isoformat()}


def _differences(brand: Brand, old: Sequence[Level], new: Sequence[Level]) -> Iterator[Change]:
    before, after = ({level.number: dict(described(brand, level)) for level in ladder} for ladder in (old, new))
    for number in sorted({*before, *after}):
        was, now = before.get(number, {}), after.get(number, {})
        for label in dict.fromkeys([*was, *now]):
            if was.get(label) != now.get(label):
                name = _("Level %(number)s: %(what)s") % {"number": number, "what": label}
                yield Change(name, now.get(label, "–"), was.get(label, "–"))


def described(brand: Brand, level: Level) -> list[tuple[str, str]]:
    """Describe a level in lines of (label, value) for pages and approvals."""

    def amount(minor: int | None) -> str:
        return (
            _("No limit")
            if minor is None
            else formats.money(from_minor(minor, brand.base_currency), brand.base_currency)
        )

    def groups(of: Sequence[Sequence[str]]) -> str:
        return "; ".join(group_label(tuple(group)) for group in of) or "–"

    def yes_no(value: bool) -> str:
        return _("Yes") if value else _("No")

    return [
        (_("Name"), level.names.get("en") or default_name(level.number)),
        (_("Persons provide"), groups(level.requires)),
        (_("Companies provide"), groups(level.company_requires)),
        (_("Deposits in total"), amount(level.deposits_max_minor)),
        (_("Real trading accounts"), yes_no(level.trades)),
        (_("Withdrawals"), yes_no(level.withdraws)),
        (_("Withdrawals in total"), amount(level.withdrawals_max_minor) if level.withdraws else "–"),
        (_("Withdrawals in 30 days"), amount(level.withdrawals_30_days_max_minor) if level.withdraws else "–"),
        (_("Payment methods"), ", ".join(str(METHOD_KINDS.get(kind, kind)) for kind in level.methods) or _("All")),
    ]
