"""From the access log to an agent's day: set-based, two statements for any number of agents and days."""

from __future__ import annotations

import datetime as dt

from django.db import connection

# When work is not expected: before 7 and from 21 o'clock, and at the weekend, where the agent lives.
WORK_FROM_HOUR = 7
WORK_TO_HOUR = 21
# Over how many days an agent's own hours are learned, from how many counted ones, and from which share on an hour is usual.
HABIT_DAYS = 60
HABIT_KNOWN_FROM = 10
UNUSUAL_HOUR = 0.08
# A list answers while somebody types: "mei", "meie", "meier" within such steps are one search, the last.
TYPING_SECONDS = 10
SHORT_CALL_SECONDS = 10
FAST_STEP_SECONDS = 5
STEP_SECONDS_MAX = 120
# Of a client: net deposits from which on it is of high value; of a movement, in the brand's base currency, that it is large.
HIGH_VALUE = 10_000
LARGE_MOVEMENT = 5_000
# Of the clients of an absent colleague whom somebody opens: from this share in contact on, the colleague is covered for.
COVERED_FROM_SHARE = 1 / 3
# What somebody did longer ago than this is forgotten: the client or place is new again.
KNOWN_DAYS = 180
# How long after a look a client's leaving counts, and after a call its result is awaited.
RESULT_DAYS = 14

# One pass over the rows of the days: per client first (so that "different clients" needs no sorting), then per day.
COUNT_DAYS = """
WITH seen AS MATERIALIZED (
  SELECT e.user_id, (e.at AT TIME ZONE u.time_zone) AS local, e.at, e.id, e.kind, e.client_id, e.rows, e.in_book, e.ip,
    e.device, e.country, e.target, e.session, e.request_id, lower(btrim(e.reason)) AS words
  FROM crm_accessevent e
  JOIN crm_user u ON u.id = e.user_id AND u.kind = 'staff'
  WHERE e.at >= %(from_at)s AND e.at < %(to_at)s AND (%(agents)s::bigint[] IS NULL OR e.user_id = ANY(%(agents)s))
), dated AS (
  SELECT seen.*, local::date AS day, extract(hour FROM local)::int AS hour FROM seen
  -- `coalesce`: of a bare condition on an expression the planner expects one row in 200, and counts all again for each agent's day.
  WHERE coalesce(local::date BETWEEN %(first)s AND %(last)s, false)
), per_client AS (
  SELECT user_id, day, client_id,
    count(*) FILTER (WHERE kind = 'view') AS views,
    count(*) FILTER (WHERE kind = 'view' AND in_book IS FALSE) AS outside_views,
    count(*) FILTER (WHERE kind = 'reveal') AS reveals,
    count(*) FILTER (WHERE kind = 'reveal' AND in_book IS FALSE) AS outside_reveals,
    count(*) FILTER (WHERE kind = 'edit' AND in_book IS FALSE) AS outside_edits,
    count(*) FILTER (WHERE kind = 'call') AS calls,
    count(*) FILTER (WHERE kind IN ('call', 'mail', 'edit')) AS contacts
  FROM dated WHERE client_id IS NOT NULL GROUP BY 1, 2, 3
), covered AS MATERIALIZED (
  -- Books of colleagues who are away that day, with whose clients this person works: so many of those opened were contacted.
  SELECT p.user_id, p.day, c.book_id FROM per_client p
  JOIN clients_client c ON c.id = p.client_id
  JOIN crm_book b ON b.id = c.book_id AND b.owner_id <> p.user_id
  JOIN crm_user o ON o.id = b.owner_id
  WHERE p.outside_views > 0 OR p.outside_reveals > 0 OR p.outside_edits > 0
  GROUP BY p.user_id, p.day, c.book_id, b.owner_id, o.time_zone
  HAVING count(*) FILTER (WHERE p.contacts > 0) >= %(covered)s * count(*) AND NOT EXISTS (
    SELECT 1 FROM crm_accessevent e WHERE e.user_id = b.owner_id AND (e.at AT TIME ZONE o.time_zone)::date = p.day
      AND e.at >= p.day - interval '14 hours' AND e.at < p.day + interval '38 hours')
), about_clients AS (
  -- `is_new`: this person never did anything with the client before, as far back as half a year.
  SELECT p.user_id, p.day, p.client_id, p.views, p.reveals, p.calls, p.contacts, w.*,
    c.stage = 'dormant' AS is_dormant, c.net_deposits >= %(high_value)s AS is_high, c.book_id,
    w.outside_views > 0 AND NOT EXISTS (SELECT 1 FROM crm_accessevent e WHERE e.client_id = p.client_id AND e.user_id = p.user_id
      AND e.at < p.day - interval '14 hours' AND e.at >= p.day - %(known)s * interval '1 day') AS is_new,
    w.outside_views > 0 AND EXISTS (SELECT 1 FROM compliance_amlmovement m WHERE m.client_id = p.client_id
      AND m.kind IN ('deposit', 'withdrawal') AND m.base_amount >= %(large)s
      AND m.at >= p.day - interval '3 days' AND m.at < p.day + interval '1 day') AS is_money
  FROM per_client p LEFT JOIN clients_client c ON c.id = p.client_id
  LEFT JOIN covered v ON v.user_id = p.user_id AND v.day = p.day AND v.book_id = c.book_id
  CROSS JOIN LATERAL (SELECT CASE WHEN v.user_id IS NULL THEN p.outside_views ELSE 0 END AS outside_views,
    CASE WHEN v.user_id IS NULL THEN p.outside_reveals ELSE 0 END AS outside_reveals,
    CASE WHEN v.user_id IS NULL THEN p.outside_edits ELSE 0 END AS outside_edits) w
), of_clients AS (
  SELECT user_id, day, sum(views) AS views, count(*) FILTER (WHERE views > 0) AS clients,
    sum(outside_views) AS outside_views, count(*) FILTER (WHERE outside_views > 0) AS outside_clients,
    count(*) FILTER (WHERE outside_views > 0 AND calls = 0) AS outside_silent,
    count(*) FILTER (WHERE is_new AND contacts = 0) AS new_clients,
    count(*) FILTER (WHERE views > 0 AND calls = 0) AS silent_clients,
    coalesce(sum(views) FILTER (WHERE is_dormant AND contacts = 0), 0) AS dormant_views,
    count(*) FILTER (WHERE is_high AND views > 0) AS high_value_clients,
    count(*) FILTER (WHERE is_high AND outside_views > 0 AND contacts = 0) AS high_value_outside,
    count(*) FILTER (WHERE is_money) AS money_looks,
    sum(reveals) AS reveals, coalesce(sum(reveals) FILTER (WHERE calls = 0), 0) AS reveals_without_call,
    count(*) FILTER (WHERE reveals > 0) AS revealed_clients, count(*) FILTER (WHERE outside_reveals > 0) AS reveals_outside,
    sum(outside_edits) AS edits_outside,
    sum(calls) AS calls, coalesce(sum(calls) FILTER (WHERE views = 0 AND reveals = 0), 0) AS calls_without_record,
    coalesce(sum(calls - 1) FILTER (WHERE calls > 1), 0) AS repeat_calls
  FROM about_clients GROUP BY 1, 2
), of_owners AS (
  SELECT user_id, day, max(clients) AS one_owner FROM (
    SELECT user_id, day, book_id, count(*) AS clients FROM about_clients WHERE outside_views > 0 GROUP BY 1, 2, 3
  ) per_book GROUP BY 1, 2
), of_partners AS (
  -- Whose clients: those of one partner, who isn't the agent's to work with.
  SELECT user_id, day, max(clients) AS one_partner FROM (
    SELECT p.user_id, p.day, a.partner_id, count(*) AS clients FROM about_clients p
    JOIN ib_attribution a ON a.client_id = p.client_id AND a.starts_at < p.day + interval '1 day'
      AND (a.ends_at IS NULL OR a.ends_at >= p.day)
    WHERE p.outside_views > 0 AND p.contacts = 0 GROUP BY 1, 2, 3
  ) per_partner GROUP BY 1, 2
), of_leavers AS (
  -- Large withdrawals of the day, by clients whom the agent opened outside the own book in the two weeks before, without a call.
  SELECT e.user_id, d.day, count(DISTINCT m.client_id) AS left_after_looks
  FROM (SELECT DISTINCT user_id, day FROM dated) d
  JOIN compliance_amlmovement m ON m.kind = 'withdrawal' AND m.base_amount >= %(large)s
    AND m.at >= d.day AND m.at < d.day + interval '1 day' AND m.at >= %(from_at)s AND m.at < %(to_at)s
  JOIN crm_accessevent e ON e.client_id = m.client_id AND e.user_id = d.user_id AND e.kind = 'view' AND e.in_book IS FALSE
    AND e.at < m.at AND e.at >= m.at - %(fortnight)s * interval '1 day' AND e.at >= %(from_at)s - %(fortnight)s * interval '1 day'
  WHERE NOT EXISTS (SELECT 1 FROM clients_call c WHERE c.client_id = m.client_id AND c.agent_id = d.user_id
    AND c.started_at < m.at AND c.started_at >= m.at - %(fortnight)s * interval '1 day')
  GROUP BY 1, 2
), of_results AS (
  -- Clients reached two weeks before: who neither registered nor deposited since, and whom nobody spoke to again.
  SELECT c.agent_id AS user_id, (c.started_at AT TIME ZONE u.time_zone)::date + %(fortnight)s AS day,
    count(DISTINCT c.client_id) AS reached_before,
    count(DISTINCT c.client_id) FILTER (WHERE (k.registered_at IS NULL OR k.registered_at < c.started_at)
      AND k.first_deposit_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM clients_call n WHERE n.client_id = c.client_id AND n.id > c.id)) AS no_result
  FROM clients_call c JOIN crm_user u ON u.id = c.agent_id AND u.kind = 'staff' JOIN clients_client k ON k.id = c.client_id
  WHERE c.outcome = 'reached' AND c.started_at >= %(from_at)s - %(fortnight)s * interval '1 day'
    AND c.started_at < %(to_at)s - %(fortnight)s * interval '1 day'
  GROUP BY 1, 2
), of_calls AS (
  SELECT c.agent_id AS user_id, (c.started_at AT TIME ZONE u.time_zone)::date AS day,
    count(*) FILTER (WHERE c.outcome IN ('reached', 'call_back', 'refused', 'wrong_number')) AS answered_calls,
    count(*) FILTER (WHERE c.outcome IN ('reached', 'call_back', 'refused', 'wrong_number')
      AND c.duration_seconds < %(short)s) AS short_calls
  FROM clients_call c JOIN crm_user u ON u.id = c.agent_id AND u.kind = 'staff'
  WHERE c.started_at >= %(from_at)s AND c.started_at < %(to_at)s GROUP BY 1, 2
), paced AS (
  SELECT user_id, day, gap, gap_before, is_other, number, number - number_before AS ahead FROM (
    SELECT stepped.*, lag(gap) OVER (PARTITION BY user_id, day ORDER BY at, id) AS gap_before FROM (
      SELECT user_id, day, at, id, client_id AS number,
        extract(epoch FROM at - lag(at) OVER steps) AS gap, lag(client_id) OVER steps AS number_before,
        client_id <> lag(client_id) OVER steps AS is_other
      FROM dated WHERE kind = 'view' AND client_id IS NOT NULL WINDOW steps AS (PARTITION BY user_id, day ORDER BY at, id)
    ) stepped
  ) timed WHERE is_other AND gap <= %(step)s
), of_pace AS (
  SELECT user_id, day, count(*) AS steps, count(*) FILTER (WHERE gap <= %(fast)s) AS fast_steps,
    count(*) FILTER (WHERE abs(gap - gap_before) <= greatest(1, floor(gap / 12))) AS steady_pace,
    count(*) FILTER (WHERE ahead BETWEEN 1 AND 2 AND contacts = 0) AS sequential
  FROM paced JOIN (SELECT user_id, day, client_id AS number, contacts FROM per_client) worked USING (user_id, day, number)
  GROUP BY 1, 2
), of_sessions AS (
  -- A session that goes on while another of the same person was used in between.
  SELECT user_id, day, least(count(*), 20) AS second_devices FROM (
    SELECT user_id, day, session, at, lag(session) OVER (PARTITION BY user_id, day ORDER BY at, id) AS session_before,
      lag(at) OVER (PARTITION BY user_id, day, session ORDER BY at, id) AS used_before
    FROM dated WHERE session <> ''
  ) used WHERE session <> session_before AND at - used_before < interval '30 minutes' GROUP BY 1, 2
), of_networks AS (
  SELECT user_id, day, count(*) AS new_networks FROM (
    SELECT DISTINCT user_id, day, network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 16 ELSE 48 END)) AS place
    FROM dated WHERE ip IS NOT NULL
  ) places WHERE EXISTS (SELECT 1 FROM crm_accessevent e WHERE e.user_id = places.user_id
      AND e.at < places.day - interval '5 days' AND e.ip IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM crm_accessevent e WHERE e.user_id = places.user_id AND e.ip <<= places.place
      AND e.at < places.day - interval '14 hours' AND e.at >= places.day - %(known)s * interval '1 day')
  GROUP BY 1, 2
), of_devices AS (
  -- A browser and system not used before, for people whose devices are known for five days.
  SELECT user_id, day, count(*) AS new_devices FROM (SELECT DISTINCT user_id, day, device FROM dated WHERE device <> '') used
  WHERE EXISTS (SELECT 1 FROM crm_accessevent e WHERE e.user_id = used.user_id AND e.at < used.day - interval '5 days'
      AND e.device <> '')
    AND NOT EXISTS (SELECT 1 FROM crm_accessevent e WHERE e.user_id = used.user_id AND e.device = used.device
      AND e.at < used.day - interval '14 hours' AND e.at >= used.day - %(known)s * interval '1 day')
  GROUP BY 1, 2
), of_countries AS (
  SELECT user_id, day, count(*) AS new_countries FROM (
    SELECT DISTINCT user_id, day, country FROM dated WHERE kind = 'login' AND country <> ''
  ) seen_from
  WHERE EXISTS (SELECT 1 FROM crm_accessevent e WHERE e.user_id = seen_from.user_id AND e.at < seen_from.day - interval '5 days'
      AND e.kind = 'login' AND e.country <> '')
    AND NOT EXISTS (SELECT 1 FROM crm_accessevent e WHERE e.user_id = seen_from.user_id AND e.country = seen_from.country
      AND e.kind = 'login' AND e.at < seen_from.day - interval '14 hours'
      AND e.at >= seen_from.day - %(known)s * interval '1 day')
  GROUP BY 1, 2
), per_hour AS (
  SELECT user_id, day, hour, count(*) FILTER (WHERE kind = 'view' AND client_id IS NOT NULL) AS views
  FROM dated GROUP BY 1, 2, 3
), of_hours AS (
  SELECT user_id, day, max(views) AS busiest_hour, count(*) AS active_hours FROM per_hour GROUP BY 1, 2
), asked AS (
  -- The palette asks several sources in one request: a request counts once, however often each source was asked in it.
  SELECT user_id, day, session, page, words, min(at) AS at, min(hour) AS hour FROM (
    SELECT dated.*, CASE WHEN target LIKE 'palette%%' THEN 'palette' ELSE target END AS page,
      coalesce(nullif(request_id, ''), id::text) AS request,
      row_number() OVER (PARTITION BY user_id, target, words, request_id ORDER BY at, id) AS again
    FROM dated WHERE kind = 'search'
  ) each_source GROUP BY user_id, day, session, page, words, request, again
), typed AS (
  SELECT user_id, day, hour, (words <> '' AND next_words <> words AND starts_with(next_words, words)
    AND next_at - at <= %(typing)s * interval '1 second') IS TRUE AS goes_on
  FROM (
    SELECT asked.*, lead(words) OVER on_page AS next_words, lead(at) OVER on_page AS next_at FROM asked
    WINDOW on_page AS (PARTITION BY user_id, day, session, page ORDER BY at, words)
  ) in_order
), of_searches AS (
  SELECT user_id, day, count(*) AS searches,
    count(*) FILTER (WHERE hour < %(work_from)s OR hour >= %(work_to)s OR extract(isodow FROM day) > 5) AS off_hours
  FROM typed WHERE NOT goes_on GROUP BY 1, 2
), of_days AS (
  SELECT user_id, day,
    count(*) FILTER (WHERE kind = 'export') AS exports,
    coalesce(sum(rows) FILTER (WHERE kind = 'export'), 0) AS export_rows,
    count(*) FILTER (WHERE kind = 'download') AS downloads, count(*) FILTER (WHERE kind = 'refused') AS refusals,
    count(*) FILTER (WHERE kind = 'export' AND client_id IS NOT NULL) AS prints,
    count(*) FILTER (WHERE kind = 'edit') AS edits,
    coalesce(bit_or(1 << hour) FILTER (WHERE kind NOT IN ('login', 'logout')), 0) AS hours,
    count(*) FILTER (WHERE kind = 'view' AND client_id IS NULL) AS lists,
    coalesce(sum(rows) FILTER (WHERE kind = 'view' AND client_id IS NULL), 0) AS list_rows,
    count(*) FILTER (WHERE kind NOT IN ('login', 'logout', 'search')
      AND (hour < %(work_from)s OR hour >= %(work_to)s OR extract(isodow FROM day) > 5)) AS off_hours,
    least(count(*) FILTER (WHERE kind NOT IN ('login', 'logout')
      AND (hour < %(work_from)s OR hour >= %(work_to)s OR extract(isodow FROM day) > 5)), 30000) AS odd_hours,
    count(DISTINCT ip) AS addresses, min(at) AS first_at, max(at) AS last_at
  FROM dated GROUP BY 1, 2
)
INSERT INTO monitoring_agentday AS kept (agent_id, day, views, clients, busiest_hour, searches, outside_views,
  outside_clients, dormant_views, reveals, reveals_without_call, calls, exports, export_rows, downloads, off_hours,
  odd_hours, silent_clients,
  lists, list_rows,
  outside_silent, new_clients, one_owner, high_value_outside, high_value_clients, money_looks, revealed_clients,
  reveals_outside, answered_calls, short_calls, calls_without_record, repeat_calls, new_networks, second_devices, steps,
  steady_pace, fast_steps, sequential, prints, new_devices, new_countries, edits, edits_outside,
  hours, active_hours, addresses, first_at, last_at, is_excluded, refusals, one_partner, left_after_looks, no_result,
  reached_before)
SELECT d.user_id, d.day, coalesce(c.views, 0), coalesce(c.clients, 0), h.busiest_hour, coalesce(s.searches, 0),
  coalesce(c.outside_views, 0), coalesce(c.outside_clients, 0), coalesce(c.dormant_views, 0), coalesce(c.reveals, 0),
  coalesce(c.reveals_without_call, 0), coalesce(c.calls, 0), d.exports, d.export_rows, d.downloads,
  d.off_hours + coalesce(s.off_hours, 0),
  d.odd_hours, coalesce(c.silent_clients, 0),
  d.lists, d.list_rows,
  coalesce(c.outside_silent, 0), coalesce(c.new_clients, 0), coalesce(o.one_owner, 0), coalesce(c.high_value_outside,
  0), coalesce(c.high_value_clients, 0), coalesce(c.money_looks, 0), coalesce(c.revealed_clients, 0),
  coalesce(c.reveals_outside, 0), coalesce(l.answered_calls, 0), coalesce(l.short_calls, 0), coalesce(c.calls_without_record,
  0), coalesce(c.repeat_calls, 0), coalesce(n.new_networks, 0), coalesce(t.second_devices, 0), coalesce(p.steps, 0),
  coalesce(p.steady_pace, 0), coalesce(p.fast_steps, 0), coalesce(p.sequential, 0), d.prints,
  coalesce(v.new_devices, 0), coalesce(w.new_countries, 0), d.edits, coalesce(c.edits_outside, 0),
  d.hours, h.active_hours, d.addresses, d.first_at, d.last_at, false, d.refusals, coalesce(i.one_partner, 0),
  coalesce(g.left_after_looks, 0), coalesce(r.no_result, 0), coalesce(r.reached_before, 0)
FROM of_days d
JOIN of_hours h USING (user_id, day)
LEFT JOIN of_clients c USING (user_id, day)
LEFT JOIN of_searches s USING (user_id, day)
LEFT JOIN of_owners o USING (user_id, day)
LEFT JOIN of_calls l USING (user_id, day)
LEFT JOIN of_pace p USING (user_id, day)
LEFT JOIN of_sessions t USING (user_id, day)
LEFT JOIN of_networks n USING (user_id, day)
LEFT JOIN of_devices v USING (user_id, day)
LEFT JOIN of_countries w USING (user_id, day)
LEFT JOIN of_partners i USING (user_id, day)
LEFT JOIN of_leavers g USING (user_id, day)
LEFT JOIN of_results r USING (user_id, day)
ORDER BY d.day, d.user_id
ON CONFLICT ON CONSTRAINT one_row_per_agent_and_day DO UPDATE SET
  views = EXCLUDED.views, clients = EXCLUDED.clients, busiest_hour = EXCLUDED.busiest_hour, searches = EXCLUDED.searches,
  outside_views = EXCLUDED.outside_views, outside_clients = EXCLUDED.outside_clients,
  dormant_views = EXCLUDED.dormant_views, reveals = EXCLUDED.reveals,
  reveals_without_call = EXCLUDED.reveals_without_call, calls = EXCLUDED.calls, exports = EXCLUDED.exports,
  export_rows = EXCLUDED.export_rows, downloads = EXCLUDED.downloads, off_hours = EXCLUDED.off_hours,
  odd_hours = EXCLUDED.odd_hours, silent_clients = EXCLUDED.silent_clients,
  lists = EXCLUDED.lists, list_rows = EXCLUDED.list_rows,
  outside_silent = EXCLUDED.outside_silent, new_clients = EXCLUDED.new_clients, one_owner =
  EXCLUDED.one_owner, high_value_outside = EXCLUDED.high_value_outside, high_value_clients = EXCLUDED.high_value_clients,
  money_looks = EXCLUDED.money_looks, revealed_clients = EXCLUDED.revealed_clients, reveals_outside = EXCLUDED.reveals_outside,
  answered_calls = EXCLUDED.answered_calls, short_calls = EXCLUDED.short_calls, calls_without_record =
  EXCLUDED.calls_without_record, repeat_calls = EXCLUDED.repeat_calls, new_networks = EXCLUDED.new_networks, second_devices =
  EXCLUDED.second_devices, steps = EXCLUDED.steps, steady_pace = EXCLUDED.steady_pace, fast_steps = EXCLUDED.fast_steps,
  sequential = EXCLUDED.sequential, new_devices = EXCLUDED.new_devices, new_countries = EXCLUDED.new_countries,
  prints = EXCLUDED.prints, edits = EXCLUDED.edits, edits_outside = EXCLUDED.edits_outside, hours = EXCLUDED.hours,
  active_hours = EXCLUDED.active_hours, addresses = EXCLUDED.addresses, first_at = EXCLUDED.first_at,
  last_at = EXCLUDED.last_at, refusals = EXCLUDED.refusals, one_partner = EXCLUDED.one_partner,
  left_after_looks = EXCLUDED.left_after_looks, no_result = EXCLUDED.no_result, reached_before = EXCLUDED.reached_before
"""

# An agent's own hours: of each hour of a day, on how many of the days like it (working days, weekends) of two months there was
# anything in or beside it. Whoever is known for less than ten days has the hours of everybody, 7 to 21 from Monday to Friday.
OWN_HOURS = """
WITH judged AS (
  SELECT agent_id, day, hours, extract(isodow FROM day) > 5 AS is_rest FROM monitoring_agentday
  WHERE day BETWEEN %(first)s AND %(last)s AND (%(agents)s::bigint[] IS NULL OR agent_id = ANY(%(agents)s))
), past AS MATERIALIZED (
  SELECT j.agent_id, j.day, p.day AS past_day, p.hours, (extract(isodow FROM p.day) > 5) = j.is_rest AS is_alike
  FROM judged j JOIN monitoring_agentday p ON p.agent_id = j.agent_id AND p.day < j.day AND p.day >= j.day - %(habit)s
  WHERE NOT p.is_excluded
), known AS (
  SELECT agent_id, day, min(past_day) AS since FROM past GROUP BY 1, 2 HAVING count(*) >= %(known)s
), rated AS (
  SELECT j.agent_id, j.day, h.hour,
    coalesce(sum(0.5 * ((p.hours >> h.hour) & 1) + 0.25 * ((p.hours >> ((h.hour + 1) %% 24)) & 1)
      + 0.25 * ((p.hours >> ((h.hour + 23) %% 24)) & 1)), 0)
    / greatest((j.day - k.since) * (CASE WHEN j.is_rest THEN 2 ELSE 5 END) / 7.0, 1) AS rate
  FROM judged j JOIN known k USING (agent_id, day)
  JOIN generate_series(0, 23) AS h (hour) ON (j.hours >> h.hour) & 1 = 1
  LEFT JOIN past p ON p.agent_id = j.agent_id AND p.day = j.day AND p.is_alike
  GROUP BY j.agent_id, j.day, h.hour, j.is_rest, k.since
), done AS (
  SELECT e.user_id AS agent_id, local::date AS day, extract(hour FROM local)::int AS hour, count(*) AS acts
  FROM crm_accessevent e JOIN crm_user u ON u.id = e.user_id CROSS JOIN LATERAL (SELECT e.at AT TIME ZONE u.time_zone AS local) here
  WHERE e.at >= %(from_at)s AND e.at < %(to_at)s AND e.kind NOT IN ('login', 'logout')
    AND (%(agents)s::bigint[] IS NULL OR e.user_id = ANY(%(agents)s))
  GROUP BY 1, 2, 3
), odd AS (
  SELECT agent_id, day, least(coalesce(sum(acts) FILTER (WHERE rate < %(unusual)s), 0), 30000) AS acts
  FROM rated LEFT JOIN done USING (agent_id, day, hour) GROUP BY 1, 2
)
UPDATE monitoring_agentday a SET odd_hours = odd.acts FROM odd
WHERE a.agent_id = odd.agent_id AND a.day = odd.day AND a.odd_hours <> odd.acts
"""


def count_days(first: dt.date, last: dt.date, *, agent_ids: list[int] | None = None) -> int:
    """Count all staff's days from `first` to `last`, both included and local to each person; returns how many rows.

    `agent_ids`: only these people's.

    The access log keeps every list that was shown; a search that only grows while it is typed is counted once here. One that
    repeats, is cut back or changed counts again: whoever pages through results or tries names gains nothing by it.
    Counting a day again replaces its counts: the open day is counted every quarter of an hour.
    """
    margin = dt.timedelta(hours=14)  # the widest distance of a time zone from UTC
    bounds = {
        "agents": agent_ids,
        "first": first,
        "last": last,
        "from_at": dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC) - margin,
        "to_at": dt.datetime.combine(last, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1) + margin,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_DAYS,
            {
                **bounds,
                "work_from": WORK_FROM_HOUR,
                "work_to": WORK_TO_HOUR,
                "typing": TYPING_SECONDS,
                "short": SHORT_CALL_SECONDS,
                "fast": FAST_STEP_SECONDS,
                "step": STEP_SECONDS_MAX,
                "high_value": HIGH_VALUE,
                "large": LARGE_MOVEMENT,
                "known": KNOWN_DAYS,
                "covered": COVERED_FROM_SHARE,
                "fortnight": RESULT_DAYS,
            },
        )
        written: int = cursor.rowcount
        cursor.execute(OWN_HOURS, {**bounds, "habit": HABIT_DAYS, "known": HABIT_KNOWN_FROM, "unusual": UNUSUAL_HOUR})
        return written
