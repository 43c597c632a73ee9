"""The SQL that gathers what a pass of the commission engine works on, into temporary tables: one statement per fact.

`ib.engine` fills in scopes as text; every value is a parameter.
"""

from ib.calculation.tried import TRIED, TRIED_PLAN
from ib.choices import FIXED, FOR_CLIENT, Component, Network
from ib.models.plans import USUAL_PRIORITY

# Most plans pay per lot, and the introducer's plan pays the whole upline: the rest is joined only where some plan needs it.
FEATURES = """
SELECT coalesce(bool_or(v.network <> 'introducer'), false),
  coalesce(bool_or(v.network = 'difference'), false),
  coalesce(bool_or(EXISTS (SELECT 1 FROM ib_plancomponent k
    WHERE k.version_id = v.id AND k.component NOT IN ('lot', 'revenue', 'net_result', 'pot', 'sale', 'sale_share'))), false),
  coalesce(bool_or(EXISTS (SELECT 1 FROM ib_plancpa k WHERE k.version_id = v.id)), false),
  coalesce(bool_or(cardinality(v.excluded_countries) > 0), false),
  coalesce(bool_or(EXISTS (SELECT 1 FROM ib_plantier k WHERE k.version_id = v.id)), false),
  coalesce(bool_or(v.cap_day IS NOT NULL OR v.cap_month IS NOT NULL OR v.cap_revenue IS NOT NULL), false),
  coalesce(bool_or(v.cap_revenue IS NOT NULL OR v.cap_upline IS NOT NULL), false),
  coalesce(bool_or(v.cap_upline IS NOT NULL), false),
  coalesce(bool_or(cardinality(v.excluded_shared) > 0), false),
  coalesce(bool_or(cardinality(v.excluded_trades) > 0), false),
  coalesce(bool_or('mirrored' = ANY (v.excluded_trades)), false),
  EXISTS (SELECT 1 FROM {agreements} s WHERE (s.link_id IS NOT NULL OR s.client_id IS NOT NULL)
          AND s.plan_id IN (SELECT plan_id FROM ib_version)),
  EXISTS (SELECT 1 FROM {agreements} s WHERE s.priority < 100 AND s.plan_id IN (SELECT plan_id FROM ib_version)),
  EXISTS (SELECT 1 FROM {agreements} s WHERE s.percent <> 100 AND s.plan_id IN (SELECT plan_id FROM ib_version)),
  coalesce(bool_or(v.passed_percent > 0 OR v.passed_per_lot > 0), false),
  coalesce(bool_or(EXISTS (SELECT 1 FROM ib_plancomponent k
    WHERE k.version_id = v.id AND k.component IN ('revenue', 'net_result', 'pot'))), false),
  coalesce(bool_or(EXISTS (SELECT 1 FROM ib_plancomponent k WHERE k.version_id = v.id AND k.component = 'pot')), false),
  coalesce(bool_or(EXISTS (SELECT 1 FROM ib_plancomponent k
    WHERE k.version_id = v.id AND k.component IN ('sale', 'sale_share'))), false)
FROM ib_version v
"""
# The versions that pay; `instead`: a version that is tried out, once more for the plan that stands for it (`ib.calculation.tried`).
VERSIONS = f"""
CREATE TEMP TABLE ib_version ON COMMIT DROP AS
SELECT v.id, held.plan_id, held.starts_at, held.ends_at, v.currency, v.min_hold_seconds,
  v.cap_day, v.cap_month, v.cap_revenue, v.cap_upline, v.markup_pips, v.passed_percent, v.passed_per_lot,
  v.carries_negative,
  CASE WHEN v.cap_revenue IS NOT NULL OR v.cap_upline IS NOT NULL THEN v.currency END AS revenue_in,
  v.excluded_accounts, nullif(v.excluded_shared, '{{}}') AS excluded_shared,
  nullif(v.excluded_trades::text[], '{{}}') AS excluded_trades, v.account_groups, v.network, v.min_pips,
  nullif(v.excluded_symbols, '{{}}') AS excluded_symbols, nullif(v.excluded_countries, '{{}}') AS excluded_countries,
  (SELECT max(level) FROM (SELECT level FROM ib_planlevel l WHERE l.version_id = v.id
                           UNION ALL SELECT level FROM ib_planoverride o WHERE o.version_id = v.id) every) AS levels
FROM ib_planversion v JOIN ib_plan p ON p.id = v.plan_id AND p.brand_id = %(brand)s
CROSS JOIN LATERAL (
  SELECT v.plan_id, v.starts_at, v.ends_at WHERE v.state = 'active'
  UNION ALL SELECT {TRIED_PLAN}, '-infinity', NULL WHERE v.id = %(instead)s) held
"""  # noqa: S608
# In a first pass (not a recalculation) a deal that has rows is done.
NOT_YET = "AND NOT EXISTS (SELECT 1 FROM ib_accrual done WHERE done.kind = 'original' AND done.deal_id = d.id)"
COUNTRY_NOW = "c.country"
# The client's country at an instant; where no history is kept of it, today's.
COUNTRY_AT = """coalesce((SELECT h.country FROM clients_historicalclient h WHERE h.id = c.id AND h.history_date <= {at}
    ORDER BY h.history_date DESC, h.history_id DESC LIMIT 1), c.country)"""
COUNTRY_THEN = COUNTRY_AT.format(at="d.executed_at")
# Group and mapping are those that held when the deal was executed; what isn't in the past tables is as it is now.
# In the order of their closing, as their lines are written so: pages and the index by time read them by it.
# A pip is ten points where prices have three or five digits, and one point where they have others. `point` is in pips.
CLOSING = """
CREATE TEMP TABLE ib_closing ON COMMIT DROP AS
SELECT d.id AS deal_id, d.ticket, d.executed_at AS closed_at, d.account_id, d.position_id, d.symbol,
       {lots} AS lots,
       a.client_id, sv.kind AS platform, coalesce(g."group", a."group") AS account_group,
       coalesce(m.symbol_group, s.symbol_group, '') AS symbol_group,
       att.partner_id AS introducer_id, att.link_id, a.currency AS account_currency, {country} AS country,
       d.closed_lots, d.commission * d.closed_lots / nullif(d.lots, 0) AS commission, d.profit + d.swap AS result, d.swap,
       coalesce(s.currency_profit, '') AS quote_currency,
       d.closed_lots * d.contract_size * pip.size AS pip_value,
       CASE WHEN s.digits IN (3, 5) THEN 0.1 ELSE 1 END AS point, abs(d.price - nullif(d.price_position, 0)) / pip.size AS pips,
       d.action, d.executed_at AS agreed_at, NULL::bigint AS cpa_version, NULL::numeric AS cpa_amount
FROM trading_deal d
JOIN trading_tradingaccount a ON a.id = d.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id AND c.brand_id = %(brand)s
JOIN trading_tradingserver sv ON sv.id = d.server_id
JOIN ib_attribution att ON att.client_id = a.client_id AND att.starts_at <= d.executed_at
  AND (att.ends_at IS NULL OR att.ends_at > d.executed_at)
LEFT JOIN trading_pastaccountgroup g ON g.account_id = a.id AND g.corrected_at IS NULL
  AND (g.starts_at IS NULL OR g.starts_at <= d.executed_at) AND g.ends_at > d.executed_at
{symbol}
CROSS JOIN LATERAL (SELECT power(10::numeric, CASE WHEN s.digits IN (3, 5) THEN 1 ELSE 0 END - coalesce(s.digits, 5)::numeric)
                    AS size) pip
WHERE d.action IN (0, 1) AND d.entry IN (1, 2, 3) AND d.deleted_at IS NULL AND {where} {not_yet}
{order}
"""
IN_ORDER = "ORDER BY d.executed_at, d.id"
# The closed volume in the broker's lots, by what the symbol was mapped to when the deal was executed.
LOTS = """round(d.closed_lots * coalesce(nullif(d.contract_size, 0)
         / CASE WHEN m.id IS NULL THEN s.house_contract_size ELSE m.house_contract_size END, 1), 8)::numeric(18,8)"""
SYMBOL = """LEFT JOIN trading_symbolinfo s ON s.server_id = d.server_id AND s.name = d.symbol
LEFT JOIN trading_pastsymbolmapping m ON m.info_id = s.id AND m.corrected_at IS NULL
  AND (m.starts_at IS NULL OR m.starts_at <= d.executed_at) AND m.ends_at > d.executed_at"""
# The lives of a position that was turned round (INOUT): from one turn on until the next one, which still closes what was open.
TURNS = """(SELECT t.at AS since, lead(t.at, 1, 'infinity') OVER (ORDER BY t.at) AS until
  FROM (SELECT '-infinity'::timestamptz AS at UNION SELECT k.executed_at FROM trading_deal k
        WHERE k.account_id = {p}.account_id AND k.position_id = {p}.position_id AND k.entry = 2 AND k.action IN (0, 1)
          AND k.deleted_at IS NULL) t)"""
_OPENED_LOTS = "o.lots - o.closed_lots"
_CHARGED = f"sum(o.commission * ({_OPENED_LOTS}) / nullif(o.lots, 0)) / nullif(sum({_OPENED_LOTS}), 0)"
# A position's holding time starts at its first opening deal, or at the last reversal (INOUT) before this close. Partial
# closes share it. What the openings of that life were charged falls on each closed lot of it alike.
OPENED = f"""
CREATE TEMP TABLE ib_opened ON COMMIT DROP AS
WITH found AS MATERIALIZED (
  SELECT o.account_id, o.position_id, min(o.executed_at) FILTER (WHERE o.entry = 0) AS opened_at,
         bool_or(o.entry = 2) AS is_reversed, {_CHARGED} AS commission_per_lot
  FROM (SELECT DISTINCT account_id, position_id FROM ib_closing) p
  JOIN trading_deal o ON o.account_id = p.account_id AND o.position_id = p.position_id
  WHERE o.position_id <> 0 AND o.action IN (0, 1) AND o.entry IN (0, 2) AND o.deleted_at IS NULL
  GROUP BY 1, 2
)
SELECT account_id, position_id, opened_at, commission_per_lot, '-infinity'::timestamptz AS since,
  'infinity'::timestamptz AS until
FROM found WHERE NOT is_reversed
UNION ALL
SELECT f.account_id, f.position_id, own.opened_at, own.commission_per_lot, turn.since, turn.until
FROM found f CROSS JOIN LATERAL {TURNS.format(p="f")} turn
CROSS JOIN LATERAL (
  SELECT min(o.executed_at) AS opened_at, {_CHARGED} AS commission_per_lot FROM trading_deal o
  WHERE o.account_id = f.account_id AND o.position_id = f.position_id AND o.action IN (0, 1) AND o.deleted_at IS NULL
    AND (o.entry = 2 AND o.executed_at = turn.since
      OR o.entry = 0 AND o.executed_at > turn.since AND o.executed_at <= turn.until)
) own
WHERE f.is_reversed
"""  # noqa: S608
# The life of its position that a close belongs to.
IN_LIFE = """{o}.account_id = c.account_id AND {o}.position_id = c.position_id AND {o}.since < c.closed_at
    AND {o}.until >= c.closed_at"""
# `real*` matches by its beginning; platforms write groups with backslashes, so the escape is another sign.
FITS = """lower({value}) LIKE
    replace(replace(replace(replace(lower({mask}), '!', '!!'), '%%', '!%%'), '_', '!_'), '*', '%%') ESCAPE '!'"""
ELIGIBLE = f"""
CREATE TEMP TABLE ib_eligible ON COMMIT DROP AS
SELECT DISTINCT v.id AS version_id, g.account_group
FROM ib_version v CROSS JOIN (SELECT DISTINCT account_group FROM ib_closing) g
WHERE (cardinality(v.account_groups) = 0 OR EXISTS (
  SELECT 1 FROM unnest(v.account_groups) pattern WHERE {FITS.format(value="g.account_group", mask="pattern")}))
  AND NOT EXISTS (
  SELECT 1 FROM unnest(v.excluded_accounts) pattern WHERE {FITS.format(value="g.account_group", mask="pattern")})
"""  # noqa: S608
# What a version pays by component for a symbol group and an account's group, by the row that names most of them; nothing is paid
# where the group isn't one of the version's, or no row has a rate. One table, as each line of a pass is looked up in it.
CELLS = f"""
CREATE TEMP TABLE ib_cell ON COMMIT DROP AS
WITH asked AS (SELECT DISTINCT symbol_group, account_group FROM ib_closing), rated AS (
  SELECT DISTINCT ON (t.version_id, t.component, g.symbol_group, g.account_group)
    t.version_id, t.component, g.symbol_group, g.account_group, t.value, t.cap, t.markup
  FROM (SELECT version_id, 'lot' AS component, "group", '' AS accounts, amount_per_lot AS value, NULL::numeric(16,8) AS cap,
          NULL::numeric(16,8) AS markup FROM ib_planrate
        UNION ALL SELECT version_id, component, "group", accounts, value, cap, markup FROM ib_plancomponent) t
  JOIN ib_version v ON v.id = t.version_id
  CROSS JOIN asked g
  WHERE g.symbol_group <> '' AND t."group" IN ('', g.symbol_group)
    AND (t.accounts = '' OR {FITS.format(value="g.account_group", mask="t.accounts")})
  ORDER BY t.version_id, t.component, g.symbol_group, g.account_group, t.accounts <> '' DESC, length(t.accounts) DESC,
    t.accounts, t."group" <> '' DESC
)
SELECT k.version_id, k.component::varchar(10) AS component, k.is_only, k.component = '{Component.LOT}' AS is_lot,
  k.component IN {tuple(map(str, FOR_CLIENT))} AS for_client, k.component NOT IN {tuple(map(str, FIXED))} AS has_factors,
  g.symbol_group, g.account_group,
  e.version_id IS NOT NULL AS is_eligible, r.version_id IS NOT NULL AS has_rate, r.value, r.cap, r.markup
FROM ib_component k CROSS JOIN asked g
LEFT JOIN ib_eligible e ON e.version_id = k.version_id AND e.account_group = g.account_group
LEFT JOIN rated r ON r.version_id = k.version_id AND r.component = k.component AND r.symbol_group = g.symbol_group
  AND r.account_group = g.account_group
"""  # noqa: S608
# What a version pays a level of it, and instead of that for a lot of a symbol group.
LEVELS = """
CREATE TEMP TABLE ib_level ON COMMIT DROP AS
SELECT v.id AS version_id, n.level::smallint AS level, g.symbol_group, l.id IS NOT NULL AS has_share, l.share,
  o.id IS NOT NULL AS is_fixed, o.amount_per_lot
FROM (SELECT DISTINCT id, levels FROM ib_version) v
CROSS JOIN LATERAL generate_series(1, v.levels) n(level)
CROSS JOIN (SELECT DISTINCT symbol_group FROM ib_closing) g
LEFT JOIN ib_planlevel l ON l.version_id = v.id AND l.level = n.level
LEFT JOIN ib_planoverride o ON o.version_id = v.id AND o.level = n.level AND o."group" = g.symbol_group
WHERE l.id IS NOT NULL OR o.id IS NOT NULL
"""
# Everybody above the clients' partners, and when they were active.
ABOVE = """
CREATE TEMP TABLE ib_above ON COMMIT DROP AS
WITH found AS MATERIALIZED (
  SELECT u.partner_id, u.ancestor_id, u.level, u.starts_at, u.ends_at FROM ib_upline u
  WHERE u.partner_id IN (SELECT introducer_id FROM ib_closing)
), spells AS (
  SELECT s.partner_id, range_agg(tstzrange(s.starts_at, s.ends_at)) AS active FROM ib_partnerspell s
  WHERE s.partner_id IN (SELECT ancestor_id FROM found) GROUP BY 1
)
SELECT u.*, p.currency, p.client_id, coalesce(s.active, '{{}}') AS active
FROM found u JOIN ib_partner p ON p.id = u.ancestor_id LEFT JOIN spells s ON s.partner_id = u.ancestor_id
ORDER BY u.level DESC
"""
# The usual agreements of partners above whose own plan pays them, and the version of it.
OWN = f"""
CREATE TEMP TABLE ib_own ON COMMIT DROP AS
SELECT h.partner_id, nullif(h.percent, 100) AS percent, v.id, v.plan_id, v.network, greatest(h.starts_at, v.starts_at) AS starts_at,
  least(h.ends_at, v.ends_at) AS ends_at
FROM {{agreements}} h JOIN ib_version v ON v.plan_id = h.plan_id AND v.network <> '{Network.INTRODUCER}'
WHERE h.link_id IS NULL AND h.client_id IS NULL AND h.priority = {USUAL_PRIORITY}
"""  # noqa: S608
# A client qualifies for a version's CPA with the first deal closed when enough was paid in and traded since their first referral,
# by what was agreed then with the partner and with those above. A deal of the pass that qualified is in `ib_closing` once more,
# for that version. A person counts once: an older record with the same e-mail, of any brand, was there before.
QUALIFIED = f"""
WITH days AS (SELECT max(k.within_days) AS most FROM ib_plancpa k JOIN ib_version v ON v.id = k.version_id),
referred AS (
  SELECT cl.client_id, first.partner_id, first.starts_at AS since, first.ends_at AS until,
    {COUNTRY_AT.format(at="first.starts_at")} AS country
  FROM (SELECT DISTINCT client_id FROM ib_closing) cl
  JOIN clients_client c ON c.id = cl.client_id
  CROSS JOIN LATERAL (SELECT a.partner_id, a.starts_at, a.ends_at FROM ib_attribution a WHERE a.client_id = cl.client_id
                      ORDER BY a.starts_at LIMIT 1) first
  WHERE NOT EXISTS (SELECT 1 FROM clients_client o WHERE o.brand_id = ANY (ARRAY(SELECT id FROM crm_brand)) AND o.email <> ''
                    AND o.email_canonical = c.email_canonical AND o.id < c.id)
), offered AS (
  SELECT DISTINCT r.client_id, r.since, r.country, v.id AS version_id
  FROM referred r
  JOIN ib_upline u ON u.partner_id = r.partner_id
  JOIN {{agreements}} h ON h.partner_id = u.ancestor_id AND h.starts_at <= r.since AND (h.ends_at IS NULL OR h.ends_at > r.since)
  JOIN ib_version v ON v.plan_id = h.plan_id AND v.starts_at <= r.since AND (v.ends_at IS NULL OR v.ends_at > r.since)
  WHERE EXISTS (SELECT 1 FROM ib_plancpa k WHERE k.version_id = v.id) {{not_yet}}
), done AS (
  SELECT r.client_id, d.executed_at AS at, 1 AS place, d.id AS deal_id, {LOTS} AS lots, 0 AS paid_in
  FROM referred r
  JOIN trading_tradingaccount a ON a.client_id = r.client_id AND NOT a.is_demo
  JOIN trading_deal d ON d.account_id = a.id AND d.executed_at >= r.since
    AND d.executed_at < r.since + make_interval(days => (SELECT most FROM days)) AND (r.until IS NULL OR d.executed_at < r.until)
  {SYMBOL}
  WHERE d.action IN (0, 1) AND d.entry IN (1, 2, 3) AND d.deleted_at IS NULL
    AND r.client_id IN (SELECT client_id FROM offered)
  UNION ALL
  SELECT r.client_id, p.settled_at, 0, NULL, 0, p.base_amount FROM referred r
  JOIN wallet_deposit p ON p.client_id = r.client_id AND p.settled_at >= r.since AND p.state = ANY(%(arrived)s)
), running AS (
  SELECT client_id, at, deal_id, sum(lots) OVER so_far AS lots, sum(paid_in) OVER so_far AS paid_in FROM done
  WINDOW so_far AS (PARTITION BY client_id ORDER BY at, place, deal_id)
), matched AS (
  SELECT DISTINCT ON (o.version_id, o.client_id) o.version_id, o.since, n.deal_id, k.amount
  FROM offered o
  CROSS JOIN LATERAL (SELECT k.* FROM ib_plancpa k
                      WHERE k.version_id = o.version_id AND (o.country = ANY(k.countries) OR cardinality(k.countries) = 0)
                      ORDER BY cardinality(k.countries) = 0 LIMIT 1) k
  JOIN running n ON n.client_id = o.client_id AND n.deal_id IS NOT NULL AND n.lots >= k.min_lots AND n.paid_in >= k.min_deposit
    AND n.at < o.since + make_interval(days => k.within_days)
  ORDER BY o.version_id, o.client_id, n.at, n.deal_id
)
INSERT INTO ib_closing SELECT c.deal_id, c.ticket, c.closed_at, c.account_id, c.position_id, c.symbol, c.lots, c.client_id,
  c.platform, c.account_group, c.symbol_group, c.introducer_id, c.link_id, c.account_currency, c.country, c.closed_lots,
  c.commission, c.result, c.swap, c.quote_currency, c.pip_value, c.point, c.pips,
  c.action, m.since, m.version_id, m.amount
FROM matched m JOIN ib_closing c ON c.deal_id = m.deal_id
"""  # noqa: S608
NO_CPA_YET = """AND NOT EXISTS (SELECT 1 FROM ib_accrual x WHERE x.client_id = r.client_id AND x.component = 'cpa'
    AND x.kind = 'original' AND x.version_id = v.id)"""
# A pass that corrects moves a CPA only where it also takes it back: what is still paid on a deal outside of its scope stays there.
# A deleted deal is in the scope though it closes nothing any more.
NO_CPA_ELSEWHERE = """AND NOT EXISTS (SELECT 1 FROM ib_accrual x WHERE x.client_id = r.client_id AND x.component = 'cpa'
    AND x.kind = 'original' AND x.version_id = v.id AND NOT ({accrued})
    AND (SELECT sum(y.amount) FROM ib_accrual y
         WHERE y.client_id = x.client_id AND y.deal_id = x.deal_id AND y.partner_id = x.partner_id AND y.component = 'cpa') <> 0)"""
# What rank the holder of a plan has, in the versions that pay: a version without that tier pays the next lower one.
RANKS = """
CREATE TEMP TABLE ib_rank ON COMMIT DROP AS
SELECT r.partner_id, v.id AS version_id, v.plan_id, t.number AS tier, t.factor, r.starts_at, r.ends_at
FROM {ranks} r
JOIN ib_version v ON v.plan_id = r.plan_id
JOIN LATERAL (SELECT k.number, k.factor FROM ib_plantier k WHERE k.version_id = v.id AND k.number <= r.tier
              ORDER BY k.number DESC LIMIT 1) t ON true
WHERE r.starts_at <= (SELECT max(closed_at) FROM ib_closing)
  AND (r.ends_at IS NULL OR r.ends_at > (SELECT min(closed_at) FROM ib_closing))
"""
# Since when a client and a partner, by their sign-in or as a client of their own, have used the same device or network.
SHARED = """
CREATE TEMP TABLE ib_shared ON COMMIT DROP AS
WITH used AS (
  SELECT i.client_id, i.kind, i.mark, i.first_seen FROM clients_identifier i
  WHERE i.client_id IN (SELECT client_id FROM ib_closing) AND i.kind IN ('device', 'ip_prefix')
)
SELECT client_id, partner_id, kind, min(since) AS since FROM (
  SELECT u.client_id, p.id AS partner_id, u.kind, greatest(u.first_seen, o.first_seen) AS since
  FROM used u JOIN clients_identifier o ON o.kind = u.kind AND o.mark = u.mark AND o.user_id IS NOT NULL
  JOIN ib_partner p ON p.user_id = o.user_id AND p.brand_id = %(brand)s
  UNION ALL
  SELECT u.client_id, p.id, u.kind, greatest(u.first_seen, o.first_seen)
  FROM used u JOIN clients_identifier o ON o.kind = u.kind AND o.mark = u.mark AND o.client_id IS NOT NULL
  JOIN ib_partner p ON p.client_id = o.client_id AND p.brand_id = %(brand)s
) both_used GROUP BY 1, 2, 3
"""
COMPONENTS = """
CREATE TEMP TABLE ib_component ON COMMIT DROP AS
SELECT v.id AS version_id, k.component,
  k.component = 'cpa' OR count(*) FILTER (WHERE k.component NOT IN ('cpa', 'revenue', 'net_result', 'pot', 'sale',
    'sale_share'))
    OVER (PARTITION BY v.id) = 1 AS is_only
FROM (SELECT DISTINCT id FROM ib_version) v JOIN (
  SELECT version_id, 'lot' AS component FROM ib_planrate UNION SELECT version_id, 'lot' FROM ib_planoverride
  UNION SELECT version_id, component FROM ib_plancomponent UNION SELECT version_id, 'cpa' FROM ib_plancpa) k ON k.version_id = v.id
"""
CARDS = (ELIGIBLE, COMPONENTS, CELLS, LEVELS, ABOVE, OWN)
TABLES = (
    "ib_version",
    TRIED,
    "ib_closing",
    "ib_trade",
    "ib_paid",
    "ib_pair",
    "ib_opened",
    "ib_eligible",
    "ib_cell",
    "ib_component",
    "ib_level",
    "ib_above",
    "ib_own",
    "ib_rank",
    "ib_shared",
    "ib_asked",
    "ib_life",
    "ib_odd",
    "ib_fx",
    "ib_wanted",
    "ib_every",
    "ib_cap_beside",
    "ib_cap_tried",
)
