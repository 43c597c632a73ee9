"""What the engine reads where a version is tried out: agreements that name it, in place of those that there are.

The version counts at all times for a plan of no number, beside the versions that pay. Tried on a plan's partners, their agreements
name that plan; tried as a change of one partner's agreement, the changed one does, from the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.backends.utils import CursorWrapper

from crm.models import Brand

KEPT: Final = "ib_partnerplan"
TRIED: Final = "ib_agreement"
# No plan has this number.
TRIED_PLAN: Final = 0


@dataclass(frozen=True)
class TriedAgreement:
    """One partner's agreement as it would be made. scope: values by column, as of `PartnerPlan`."""

    partner_id: int
    percent: Decimal
    scope: dict[str, Any]


@dataclass(frozen=True)
class Instead:
    """A version that counts, at all times, for the partners on a plan, or for one agreement: for trying it out."""

    version_id: int
    plan_id: int
    agreement: TriedAgreement | None = None


_COLUMNS: Final = """partner_id, plan_id, link_id, client_id, priority, platforms, account_groups, link_ids, percent, starts_at,
  ends_at"""
AGREEMENTS: Final = f"""
CREATE TEMP TABLE {TRIED} (LIKE {KEPT} INCLUDING DEFAULTS) ON COMMIT DROP;
INSERT INTO {TRIED} (id, {_COLUMNS})
SELECT s.id, s.partner_id, CASE WHEN s.plan_id = %(plan)s THEN {TRIED_PLAN} ELSE s.plan_id END, s.link_id, s.client_id, s.priority,
  s.platforms, s.account_groups, s.link_ids, s.percent, s.starts_at, s.ends_at
FROM {KEPT} s JOIN ib_partner p ON p.id = s.partner_id AND p.brand_id = %(brand)s
WHERE %(partner)s::bigint IS NULL OR s.partner_id <> %(partner)s OR (s.link_id, s.client_id, s.priority)
  IS DISTINCT FROM (%(link_id)s::bigint, %(client_id)s::bigint, %(priority)s::smallint)
"""  # noqa: S608
CHANGED: Final = f"""
INSERT INTO {TRIED} (id, {_COLUMNS})
VALUES (0, %(partner)s, {TRIED_PLAN}, %(link_id)s, %(client_id)s, %(priority)s, %(platforms)s, %(account_groups)s, %(link_ids)s,
  %(percent)s, '-infinity', NULL)
"""  # noqa: S608
_NO_SCOPE: Final = {"link_id": None, "client_id": None, "priority": None}


def agreements(cursor: CursorWrapper, brand: Brand, instead: Instead | None) -> str:
    """Return the table of agreements that a pass reads, made for what is tried out."""
    if instead is None:
        return KEPT
    changed = instead.agreement
    about: dict[str, Any] = {
        "brand": brand.pk,
        "plan": None if changed else instead.plan_id,
        "partner": None,
        **_NO_SCOPE,
    }
    if changed is not None:
        about |= {"partner": changed.partner_id, "percent": changed.percent, **changed.scope}
    cursor.execute(AGREEMENTS, about)
    if changed is not None:
        cursor.execute(CHANGED, about)
    cursor.execute(f"ANALYZE {TRIED}")
    return TRIED


def holders(cursor: CursorWrapper) -> set[int]:
    """List the partners who have an agreement by what is tried out."""
    cursor.execute(f"SELECT DISTINCT partner_id FROM {TRIED} WHERE plan_id = {TRIED_PLAN}")  # noqa: S608
    return {pk for (pk,) in cursor.fetchall()}
