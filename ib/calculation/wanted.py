"""What the closing deals of a pass should earn everyone upline, component by component: the engine's arithmetic as SQL.

Each ancestor is paid by an agreement of their own where their plan says so (`Network`), else by the introducer's plan at
their level. A difference payout pays what the ancestor's own first level exceeds the most that a partner below earns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.backends.utils import CursorWrapper

from crm.models import Brand
from ib.calculation import facts, tried
from ib.calculation.facts import FITS
from ib.calculation.tried import KEPT, Instead
from ib.choices import BESIDE_TRADES, MONTHLY, OF_SALES, REBATES, Component, Network, Reason
from ib.models.plans import USUAL_PRIORITY


@dataclass(frozen=True)
class Features:
    """What the brand's plans make use of; what none uses is left out of the statement."""

    has_own: bool
    has_difference: bool
    has_components: bool
    has_cpa: bool
    has_countries: bool
    has_tiers: bool
    has_caps: bool
    has_revenue: bool
    has_upline_cap: bool
    has_shared: bool
    has_odd: bool
    has_mirrored: bool
    has_special: bool
    has_scopes: bool
    has_ratios: bool
    has_passed: bool
    has_monthly: bool
    has_pot: bool
    has_sales: bool
    # The table of agreements that is read.
    agreements: str = KEPT


# At the close; agreements at the time they count from, which is the close but for a CPA.
HOLDS = "{a}.starts_at <= c.closed_at AND ({a}.ends_at IS NULL OR {a}.ends_at > c.closed_at)"
AGREED = HOLDS.replace("closed_at", "agreed_at")
# The agreement that takes a trade: the first of the partner's own whose scope it fits. A CPA and a client's month have no account.
TAKEN = f"""
  LEFT JOIN LATERAL (SELECT s.plan_id, s.percent FROM {{agreements}} s
    WHERE {{whose}} AND s.link_id IS NULL AND s.client_id IS NULL AND {AGREED.format(a="s")}
      AND (cardinality(s.link_ids) = 0 OR c.link_id = ANY (s.link_ids))
      AND (cardinality(s.platforms) = 0 OR ({{of_trade}} AND c.platform = ANY (s.platforms)))
      AND (cardinality(s.account_groups) = 0 OR ({{of_trade}} AND EXISTS (
        SELECT 1 FROM unnest(s.account_groups) mask WHERE {FITS.format(value="c.account_group", mask="mask")})))
    ORDER BY s.priority LIMIT 1) {{a}} ON true"""  # noqa: S608
USUAL = f"""
  LEFT JOIN {{agreements}} {{a}} ON {{whose}} AND {{a}}.link_id IS NULL AND {{a}}.client_id IS NULL
    AND {{a}}.priority = {USUAL_PRIORITY} AND {AGREED.format(a="{a}")}"""
INTRODUCERS, ANCESTORS = "{s}.partner_id = c.introducer_id", "u.level > 1 AND {s}.partner_id = u.ancestor_id"
SPECIAL = f"""
  LEFT JOIN {{agreements}} pl ON pl.link_id = c.link_id AND {AGREED.format(a="pl")}
  LEFT JOIN {{agreements}} pc ON pc.client_id = c.client_id AND pc.partner_id = c.introducer_id AND {AGREED.format(a="pc")}"""
# The version of an ancestor's own agreement; most have the usual one, laid out once for a pass.
OWN = f"""
  LEFT JOIN ib_own av ON {ANCESTORS.format(s="av")} AND {AGREED.format(a="av")}"""
OWN_BY_SCOPE = f"""{{agreement}}
  LEFT JOIN ib_version av ON av.plan_id = ap.plan_id AND av.network <> '{Network.INTRODUCER}' AND {AGREED.format(a="av")}"""
# A deal that qualified a client is there once more for the CPA, and only for the version it qualified them for.
QUALIFIED = f"""
    AND coalesce(k.component = '{Component.CPA}', false) = (c.cpa_version IS NOT NULL)
    AND (c.cpa_version IS NULL OR c.cpa_version = v.id)"""
# The rank of the partner whose plan pays: the introducer's, or the ancestor's by their own. Fixed sums have no ranks.
RANK = """
  LEFT JOIN ib_rank rk ON rk.version_id = v.id AND rk.plan_id = v.plan_id AND rk.partner_id = {holder} AND {holds}"""
SHARED = f"""
      WHEN v.excluded_shared IS NOT NULL AND EXISTS (SELECT 1 FROM ib_shared sh WHERE sh.client_id = c.client_id
        AND sh.partner_id = u.ancestor_id AND sh.kind = ANY (v.excluded_shared) AND sh.since <= c.closed_at)
        THEN '{Reason.SHARED_DEVICE}'"""  # noqa: S608
# Why a trade is left out is the kind that it is one of.
ODD = """
      WHEN c.odd && v.excluded_trades
        THEN (SELECT min(kind) FROM unnest(c.odd) kind WHERE kind = ANY (v.excluded_trades))"""
ODD_OF = """
  LEFT JOIN ib_odd odd ON odd.deal_id = c.deal_id"""
# Most have neither a rank nor a ratio.
RANKED = """CASE WHEN {is_given} THEN {rate} ELSE trunc({rate} * {factor}, 8) END"""
BASIS = f"""CASE k.component
      WHEN '{Component.LOT}' THEN NULL
      WHEN '{Component.PIP}' THEN round(c.pip_value, 8)
      WHEN '{Component.POINT}' THEN round(c.pip_value * c.point, 8)
      WHEN '{Component.SPREAD}' THEN round(c.pip_value * k.markup, 8)
      WHEN '{Component.COMMISSION}' THEN round(greatest(0, -c.charges), 8)
      WHEN '{Component.LOSS}' THEN round(-(c.result + c.charges), 8)
      WHEN '{Component.CPA}' THEN 1
      END"""
# Of a client's month (`ib.calculation.months`), in the brand's base currency.
BASIS_OF_MONTH = f"""CASE WHEN k.component = '{Component.POT}' THEN c.volume
      ELSE CASE WHEN k.component = '{Component.NET_RESULT}' THEN c.lost
        WHEN v.markup_pips = 0 THEN 0 ELSE trunc(c.pip_value * v.markup_pips, 8) END + c.charged + c.swaps + c.booked END"""
BASIS_CURRENCY_OF_MONTH = f"CASE WHEN k.component = '{Component.POT}' THEN v.currency ELSE c.account_currency END"
# A pot is divided by the lots of all clients for whom the version pays somebody; of a month tried out in part, that part of it.
RATE_OF_MONTH = f"CASE WHEN k.component = '{Component.POT}' THEN trunc(k.value * c.part, 8) ELSE k.value END"
VOLUMES = f"""), volumes AS (
  SELECT version_id, symbol AS month, sum(basis) AS volume FROM (
    SELECT DISTINCT version_id, symbol, deal_id, basis FROM placed WHERE component = '{Component.POT}' AND reason = '') counted
  GROUP BY 1, 2
"""  # noqa: S608
PER_LOT_OF_POT = f"""
    CASE WHEN component = '{Component.POT}' THEN trunc(plan_rate / nullif(volume, 0), 8) ELSE plan_rate END AS rate,"""
VOLUME_OF = """
  LEFT JOIN volumes ON volumes.version_id = placed.version_id AND volumes.month = placed.symbol"""
NO_VOLUME = f"""WHEN component = '{Component.POT}' AND basis = 0 THEN '{Reason.NOTHING_CLOSED}'
        """
ONLY_MONTHLY = f"""
    AND k.component IN {tuple(map(str, MONTHLY))}"""
ONLY_SALES = f"""
    AND k.component IN {tuple(map(str, OF_SALES))}"""
ONLY_TRADES = f"""
    AND (k.component IS NULL OR k.component NOT IN {tuple(map(str, BESIDE_TRADES))})"""
# Of a sold challenge (`ib.calculation.sales`): the challenge itself, or its fee.
BASIS_OF_SALE = f"CASE WHEN k.component = '{Component.SALE}' THEN 1 ELSE c.fee END"
BASIS_CURRENCY_OF_SALE = f"CASE WHEN k.component = '{Component.SALE}' THEN v.currency ELSE c.account_currency END"
RETURNED = f"""
      WHEN c.is_returned THEN '{Reason.FEE_RETURNED}'"""
BASIS_CURRENCY = f"""CASE k.component WHEN '{Component.LOT}' THEN '' WHEN '{Component.PIP}' THEN c.quote_currency
      WHEN '{Component.POINT}' THEN c.quote_currency WHEN '{Component.SPREAD}' THEN c.quote_currency
      WHEN '{Component.COMMISSION}' THEN c.account_currency WHEN '{Component.LOSS}' THEN c.account_currency
      WHEN '{Component.CPA}' THEN v.currency ELSE '' END"""
# What the broker earned on a trade, in the plan's currency: the stated mark-up, what was charged, and swaps. What falls on a part
# of an opening is a quotient, so it is rounded: cut, a third of three times would miss a unit.
REVENUE = f"""CASE WHEN v.revenue_in IS NOT NULL AND k.component <> '{Component.CPA}' THEN
      trunc(trunc(c.pip_value * v.markup_pips, 8) * coalesce(qf.rate, 0) - round(c.charges + c.swap, 8)
        * coalesce(xf.rate, 0), 8) END"""
# Most versions don't ask: their lines have no key here and aren't looked up.
REVENUE_RATES = """
  LEFT JOIN ib_fx qf ON qf.quote = v.revenue_in AND qf.base = c.quote_currency AND qf.day = c.day
  LEFT JOIN ib_fx xf ON xf.quote = v.revenue_in AND xf.base = c.account_currency AND xf.day = c.day"""
# The client's own partner passes on a part of what the client's volume pays.
PASSED = f"""CASE WHEN u.level = 1 AND k.component IN {tuple(map(str, REBATES))} THEN nullif(v.passed_percent, 0)
      ELSE NULL::numeric(5,2) END"""
PASSED_PER_LOT = f"""CASE WHEN u.level = 1 AND k.component = '{Component.LOT}' THEN nullif(v.passed_per_lot, 0)
      ELSE NULL::numeric(16,8) END"""
# A fixed amount per lot stands in place of rate and share.
IS_FIXED = "coalesce(l.is_fixed AND k.is_lot, false)"
# What was charged for a close, and this volume's part of what was charged for opening.
CHARGES = "coalesce(c.commission, 0) + coalesce(op.commission_per_lot * c.closed_lots, 0)"
# OFFSET 0 keeps each step a step: merged into one, its expressions would be computed once for each place that names them. What is
# the same for all of a trade's lines is found first; each further join of the lines costs them a third of a microsecond. What later
# steps filter and sum up by stands first, as a row is read from its beginning.
WANTED = """
CREATE TEMP TABLE ib_wanted ON COMMIT DROP AS
WITH trade AS (
  SELECT c.*, (c.closed_at AT TIME ZONE 'UTC')::date AS day, op.opened_at,
    floor(extract(epoch FROM c.closed_at - op.opened_at))::integer AS held_seconds, {charges} AS charges, {odd_kinds} AS odd,
    nullif({percent}, 100) AS percent, first.id AS first_id, first.plan_id AS first_plan, coalesce(own.id, %(late)s) AS period_id
  FROM ib_closing c
  LEFT JOIN ib_opened op ON {in_life}
  {agreement}{special}{odd_of}
  LEFT JOIN ib_version first ON first.plan_id = {plan} AND {first_holds}
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= c.closed_at AND own.ends_at > c.closed_at OFFSET 0
), placed AS (
  SELECT c.deal_id, c.ticket, c.closed_at, c.account_id, c.symbol, c.lots, c.client_id, c.symbol_group, c.introducer_id, c.pips,
    c.day, c.held_seconds, c.period_id, u.level, u.ancestor_id AS partner_id, u.currency, v.id AS version_id,
    v.currency AS rate_currency, coalesce(k.component, '{lot}'::varchar(10)) AS component, coalesce(k.is_only, true) AS is_only,
    k.for_client,
    {basis} AS basis, {basis_currency} AS basis_currency, v.min_hold_seconds, v.min_pips,
    v.carries_negative, {rate} AS {rate_name}, {tier} AS tier, {ratio} AS ratio,
    CASE WHEN {is_fixed} THEN NULL::numeric(16,8) ELSE k.cap END AS cap,
    CASE WHEN {is_fixed} THEN 1::numeric(9,8) ELSE l.share END AS share, {is_fixed} AS is_override,
    {is_difference} AS is_difference, {revenue} AS revenue, {passed} AS passed_percent,
    {passed_per_lot} AS passed_per_lot,
    CASE
      WHEN c.lots = 0 AND k.for_client IS NOT TRUE THEN '{nothing_closed}'
      WHEN u.client_id = c.client_id THEN '{self_trade}'
      WHEN NOT u.active @> c.closed_at THEN '{partner_not_active}'
      WHEN v.id IS NULL THEN '{no_plan}'
      WHEN NOT k.is_eligible AND NOT k.for_client THEN '{account_group}'
      WHEN c.country = ANY (v.excluded_countries) THEN '{country_excluded}'{shared}{returned}
      WHEN k.for_client THEN CASE WHEN l.has_share THEN '' ELSE '{beyond_levels}' END{odd}
      WHEN v.excluded_symbols IS NOT NULL AND EXISTS (SELECT 1 FROM unnest(v.excluded_symbols) mask
        WHERE {symbol_fits}) THEN '{symbol_excluded}'
      WHEN c.symbol_group = '' THEN '{symbol_not_mapped}'
      WHEN {is_fixed} THEN ''
      WHEN k.has_rate IS NOT TRUE THEN '{no_rate}'
      WHEN l.has_share THEN '' ELSE '{beyond_levels}'
    END AS reason
  FROM trade c
  JOIN ib_above u ON u.partner_id = c.introducer_id AND {u_holds}{own}
  LEFT JOIN ib_version v ON v.id = {version} AND v.plan_id = {version_plan}
  LEFT JOIN ib_cell k ON k.version_id = v.id AND k.symbol_group = c.symbol_group AND k.account_group = c.account_group
  LEFT JOIN ib_level l ON l.version_id = v.id AND l.level = {at_level} AND l.symbol_group = c.symbol_group{rank}{revenue_rates}
  WHERE u.level <= {depth}{only_qualified} OFFSET 0
{volumes}), seen AS (
  SELECT placed.*,{per_lot_of_pot} f.rate AS fx_rate, f.rate_on AS fx_on, {basis_fx} AS basis_fx,
    CASE
      WHEN reason <> '' THEN reason
      WHEN for_client THEN CASE WHEN f.rate IS NULL OR basis IS NULL OR {basis_fx} IS NULL THEN '{no_fx}'
        {no_volume}WHEN basis = 0 OR (basis < 0 AND NOT carries_negative) THEN '{no_revenue}' ELSE '' END
      WHEN min_hold_seconds > 0 AND held_seconds IS NULL THEN '{hold_unknown}'
      WHEN min_hold_seconds > 0 AND held_seconds < min_hold_seconds THEN '{held_too_short}'
      WHEN min_pips > 0 AND pips < min_pips THEN '{too_few_pips}'
      WHEN component = '{commission}' AND basis = 0 THEN '{nothing_charged}'
      WHEN f.rate IS NULL OR (basis IS NOT NULL AND {basis_fx} IS NULL) THEN '{no_fx}'
      ELSE ''
    END AS why
  FROM placed
  LEFT JOIN ib_fx f ON f.base = rate_currency AND f.quote = currency AND f.day = placed.day{basis_rate}{volume_of} OFFSET 0
), counted AS (
  SELECT seen.*, CASE WHEN why = '' THEN trunc(least(coalesce(basis * basis_fx, lots) * rate, cap) * share, 8) ELSE 0 END
    AS rate_amount FROM seen OFFSET 0
)
SELECT {columns}
FROM counted
"""
# What steps of a pass and its lines need of a calculated line.
_AMOUNT = "CASE WHEN why = '' THEN trunc(rate_amount * fx_rate, 8) ELSE 0 END AS amount"
_ALL = f"""deal_id, partner_id, level, version_id, period_id, day, is_only, is_difference, component, why AS reason, currency,
  {_AMOUNT}, rate_amount, lots, rate_currency, fx_rate, revenue,
  closed_at, introducer_id, client_id, ticket, account_id, symbol, symbol_group, basis, basis_currency, basis_fx, rate,
  CASE WHEN cap IS NOT NULL AND why = '' THEN CASE WHEN coalesce(basis * basis_fx, lots) * rate > cap THEN cap END END AS cap,
  share, is_override, tier, ratio, passed_percent, passed_per_lot,
  NULL::numeric(20,8) AS below, fx_on, held_seconds"""
# Where a version is tried out, no line is written: what only a line says isn't computed then.
_TRIED = f"""deal_id, partner_id, level, version_id, day, is_difference, component, why AS reason, currency, {_AMOUNT}, rate_amount,
  lots, rate_currency, fx_rate, revenue, closed_at, introducer_id, passed_percent, passed_per_lot, NULL::numeric(20,8) AS below"""
# What it is joined by: statistics of all forty columns cost a tenth of a pass.
ANALYZE = """ANALYZE ib_wanted (deal_id, partner_id, level, component, currency, version_id, rate_currency, day, is_difference,
  reason)"""
# Until here a difference payout has the whole of its own first level. What counts below is what is really earned there.
DIFFERENCES = f"""
WITH lines AS MATERIALIZED (
  SELECT ctid AS place, deal_id, level, component, rate_currency, day, rate_amount, is_difference FROM ib_wanted
  WHERE reason = '' AND (level = 1 OR is_difference)
), found AS (
  SELECT hi.place, CASE WHEN bool_and(lo.deal_id IS NULL OR f.rate IS NOT NULL)
      THEN coalesce(max(trunc(lo.rate_amount * f.rate, 8)), 0) END AS below
  FROM (SELECT * FROM lines WHERE is_difference) hi
  LEFT JOIN lines lo ON lo.deal_id = hi.deal_id AND lo.component = hi.component AND lo.level < hi.level
  LEFT JOIN ib_fx f ON f.base = lo.rate_currency AND f.quote = hi.rate_currency AND f.day = hi.day
  GROUP BY 1 ORDER BY 1
)
UPDATE ib_wanted hi SET below = b.below,
  reason = CASE WHEN b.below IS NULL THEN '{Reason.NO_FX}' WHEN hi.rate_amount > b.below THEN '' ELSE '{Reason.NO_DIFFERENCE}' END,
  rate_amount = coalesce(greatest(0, hi.rate_amount - b.below), 0),
  amount = coalesce(trunc(greatest(0, hi.rate_amount - b.below) * hi.fx_rate, 8), 0)
FROM found b WHERE hi.ctid = b.place
"""  # noqa: S608
# All levels together get a part of what the broker earned on the trade by the version, the lowest level first. What is left of a
# sum until here, as with the caps per day and month, so that a negative line makes room for those after it.
UPLINE_CAP = f"""
WITH running AS MATERIALIZED (
  SELECT w.ctid AS place, w.rate_amount, greatest(0, trunc(v.cap_upline / 100 * coalesce(w.revenue, 0), 8)) AS most,
    sum(w.rate_amount) OVER (PARTITION BY w.deal_id, w.version_id ORDER BY w.level, w.component ROWS UNBOUNDED PRECEDING) AS total
  FROM ib_wanted w JOIN ib_planversion v ON v.id = w.version_id AND v.cap_upline IS NOT NULL
  WHERE w.reason = '' AND w.component <> '{Component.CPA}'
)
UPDATE ib_wanted w SET rate_amount = left_over.kept, amount = trunc(left_over.kept * w.fx_rate, 8),
  reason = CASE WHEN left_over.kept = 0 THEN '{Reason.CAP_UPLINE}' ELSE '' END
FROM (SELECT place, rate_amount, least(total, most) - least(total - rate_amount, most) AS kept FROM running) left_over
WHERE w.ctid = left_over.place AND left_over.kept <> left_over.rate_amount
"""  # noqa: S608
_REASONS = {str(reason): str(reason) for reason in Reason if reason}


def features_of(cursor: CursorWrapper, brand: Brand, instead: Instead | None) -> Features:
    """Lay out the versions and agreements that a pass reads, and find what they make use of."""
    agreements = tried.agreements(cursor, brand, instead)
    about = {"brand": brand.pk, "instead": instead.version_id if instead else None}
    cursor.execute(facts.VERSIONS, about)
    cursor.execute(facts.FEATURES.format(agreements=agreements))
    return replace(Features(*cursor.fetchone()), agreements=agreements)


def _agreement(features: Features, name: str, whose: str, *, of_client: bool) -> str:
    """Build the join of the agreement that a partner has for a trade beside those for a single client or link."""
    if not features.has_scopes:
        return USUAL.format(a=name, whose=whose.format(s=name), agreements=features.agreements)
    of_trade = "false" if of_client else "c.cpa_version IS NULL"
    return TAKEN.format(a=name, whose=whose.format(s="s"), of_trade=of_trade, agreements=features.agreements)


def _own(features: Features, *, of_client: bool) -> str:
    if not features.has_scopes:
        return OWN
    return OWN_BY_SCOPE.format(agreement=_agreement(features, "ap", ANCESTORS, of_client=of_client))


def statement(features: Features, *, is_monthly: bool = False, is_sale: bool = False, is_tried: bool = False) -> str:
    """Build the statement that fills `ib_wanted` for a brand whose plans have these features.

    Of deals, or of clients' months, or of sold challenges. `is_tried`: nothing is written afterwards.
    """
    of_client = is_monthly or is_sale
    own, parts = features.has_own, of_client or features.has_components or features.has_cpa
    plan = "coalesce(pc.plan_id, pl.plan_id, pp.plan_id)" if features.has_special else "pp.plan_id"
    is_difference = f"coalesce(av.network = '{Network.DIFFERENCE}', false)" if features.has_difference else "false"
    is_deep = f"CASE WHEN av.network = '{Network.DIFFERENCE}' THEN 32767 ELSE coalesce(v.levels, 1) END"
    is_pot = is_monthly and features.has_pot
    fixed = "CASE WHEN k.is_lot THEN l.amount_per_lot ELSE NULL::numeric(16,8) END"
    rate = f"coalesce({fixed}, {'c.cpa_amount, ' if features.has_cpa else ''}k.value)"
    rate = RATE_OF_MONTH if is_pot else rate
    holder = "CASE WHEN av.id IS NULL THEN c.introducer_id ELSE u.ancestor_id END" if own else "c.introducer_id"
    percent = "coalesce(pc.percent, pl.percent, pp.percent)" if features.has_special else "pp.percent"
    owns = "nullif(ap.percent, 100)" if features.has_scopes else "av.percent"
    paid_by = f"CASE WHEN av.id IS NULL THEN c.percent ELSE {owns} END" if own else "c.percent"
    factors = {"rk.factor": "coalesce(rk.factor, 1)"} if features.has_tiers else {}
    factors |= {paid_by: f"0.01 * coalesce({paid_by}, 100)"} if features.has_ratios else {}
    only = (QUALIFIED if features.has_cpa else "") + (ONLY_TRADES if features.has_monthly or features.has_sales else "")
    basis_rate = """
  LEFT JOIN ib_fx b ON b.base = nullif(basis_currency, '') AND b.quote = rate_currency AND b.day = placed.day"""
    return WANTED.format(
        **_REASONS,
        columns=_TRIED if is_tried else _ALL,
        lot=Component.LOT,
        commission=Component.COMMISSION,
        in_life=facts.IN_LIFE.format(o="op"),
        rate=RANKED.format(
            rate=rate,
            factor=" * ".join(factors.values()),
            is_given=f"NOT k.has_factors OR ({' AND '.join(f'{value} IS NULL' for value in factors)})",
        )
        if factors
        else rate,
        rate_name="plan_rate" if is_pot else "rate",
        volumes=VOLUMES if is_pot else "",
        per_lot_of_pot=PER_LOT_OF_POT if is_pot else "",
        volume_of=VOLUME_OF if is_pot else "",
        no_volume=NO_VOLUME if is_pot else "",
        ratio=f"CASE WHEN k.has_factors THEN {paid_by} ELSE NULL::numeric(5,2) END"
        if features.has_ratios
        else "NULL::numeric",
        tier="CASE WHEN k.has_factors THEN rk.tier END" if features.has_tiers else "NULL::smallint",
        revenue=REVENUE if features.has_revenue else "NULL::numeric",
        revenue_rates=REVENUE_RATES if features.has_revenue else "",
        passed=PASSED if features.has_passed else "NULL::numeric",
        passed_per_lot=PASSED_PER_LOT if features.has_passed else "NULL::numeric",
        odd=ODD if features.has_odd else "",
        odd_of=ODD_OF if features.has_odd else "",
        odd_kinds="odd.kinds" if features.has_odd else "NULL::text[]",
        charges="NULL::numeric" if of_client else CHARGES,
        percent=percent,
        is_fixed=IS_FIXED,
        shared=SHARED if features.has_shared else "",
        rank=RANK.format(holder=holder, holds=HOLDS.format(a="rk")) if features.has_tiers else "",
        only_qualified=ONLY_MONTHLY if is_monthly else ONLY_SALES if is_sale else only,
        returned=RETURNED if is_sale else "",
        symbol_fits=FITS.format(value="c.symbol", mask="mask"),
        agreement=_agreement(features, "pp", INTRODUCERS, of_client=of_client).strip(),
        first_holds=AGREED.format(a="first"),
        u_holds=HOLDS.format(a="u"),
        special=SPECIAL.format(agreements=features.agreements) if features.has_special else "",
        plan=plan,
        own=_own(features, of_client=of_client) if own else "",
        version="coalesce(av.id, c.first_id)" if own else "c.first_id",
        version_plan="coalesce(av.plan_id, c.first_plan)" if own else "c.first_plan",
        is_difference=is_difference,
        at_level=f"CASE WHEN {is_difference} THEN 1 ELSE u.level END" if features.has_difference else "u.level",
        depth=is_deep if features.has_difference else "coalesce(v.levels, 1)",
        basis=BASIS_OF_MONTH if is_monthly else BASIS_OF_SALE if is_sale else BASIS if parts else "NULL::numeric",
        basis_currency=BASIS_CURRENCY_OF_MONTH
        if is_monthly
        else BASIS_CURRENCY_OF_SALE
        if is_sale
        else BASIS_CURRENCY
        if parts
        else "''",
        basis_fx="b.rate" if parts else "NULL::numeric",
        basis_rate=basis_rate if parts else "",
    )
