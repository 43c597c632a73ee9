"""From the access log to an agent's day: set-based, one statement for any number of agents and days."""

from __future__ import annotations

import datetime as dt

from django.db import connection

# When work is not expected: before 7 and from 21 o'clock, and at the weekend, where the agent lives.
WORK_FROM_HOUR = 7
WORK_TO_HOUR = 21
# A list answers while somebody types: "mei", "meie", "meier" within such steps are one search, the last.
TYPING_SECONDS = 10

# One pass over the rows of the days: per client first (so that "different clients" needs no sorting), then per day.
COUNT_DAYS = """
WITH seen AS MATERIALIZED (
  SELECT e.user_id, (e.at AT TIME ZONE u.time_zone) AS local, e.at, e.id, e.kind, e.client_id, e.rows, e.in_book, e.ip,
    e.target, e.session, e.request_id, lower(btrim(e.reason)) AS words
  FROM crm_accessevent e
  JOIN crm_user u ON u.id = e.user_id AND u.kind = 'staff'
  WHERE e.at >= %(from_at)s AND e.at < %(to_at)s
), dated AS (
  SELECT seen.*, local::date AS day, extract(hour FROM local)::int AS hour FROM seen
  WHERE local::date BETWEEN %(first)s AND %(last)s
), per_client AS (
  SELECT user_id, day, client_id,
    count(*) FILTER (WHERE kind = 'view') AS views,
    count(*) FILTER (WHERE kind = 'view' AND in_book IS FALSE) AS outside_views,
    count(*) FILTER (WHERE kind = 'reveal') AS reveals,
    count(*) FILTER (WHERE kind = 'call') AS calls
  FROM dated WHERE client_id IS NOT NULL GROUP BY 1, 2, 3
), of_clients AS (
  SELECT p.user_id, p.day, sum(views) AS views, count(*) FILTER (WHERE views > 0) AS clients,
    sum(outside_views) AS outside_views, count(*) FILTER (WHERE outside_views > 0) AS outside_clients,
    coalesce(sum(views) FILTER (WHERE c.stage = 'dormant'), 0) AS dormant_views,
    sum(reveals) AS reveals, coalesce(sum(reveals) FILTER (WHERE calls = 0), 0) AS reveals_without_call, sum(calls) AS calls
  FROM per_client p LEFT JOIN clients_client c ON c.id = p.client_id GROUP BY 1, 2
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
    count(*) FILTER (WHERE kind = 'download') AS downloads,
    count(*) FILTER (WHERE kind NOT IN ('login', 'logout', 'search')
      AND (hour < %(work_from)s OR hour >= %(work_to)s OR extract(isodow FROM day) > 5)) AS off_hours,
    count(DISTINCT ip) AS addresses, min(at) AS first_at, max(at) AS last_at
  FROM dated GROUP BY 1, 2
)
INSERT INTO monitoring_agentday AS kept (agent_id, day, views, clients, busiest_hour, searches, outside_views,
  outside_clients, dormant_views, reveals, reveals_without_call, calls, exports, export_rows, downloads, off_hours,
  active_hours, addresses, first_at, last_at, is_excluded)
SELECT d.user_id, d.day, coalesce(c.views, 0), coalesce(c.clients, 0), h.busiest_hour, coalesce(s.searches, 0),
  coalesce(c.outside_views, 0), coalesce(c.outside_clients, 0), coalesce(c.dormant_views, 0), coalesce(c.reveals, 0),
  coalesce(c.reveals_without_call, 0), coalesce(c.calls, 0), d.exports, d.export_rows, d.downloads,
  d.off_hours + coalesce(s.off_hours, 0),
  h.active_hours, d.addresses, d.first_at, d.last_at, false
FROM of_days d
JOIN of_hours h USING (user_id, day)
LEFT JOIN of_clients c USING (user_id, day)
LEFT JOIN of_searches s USING (user_id, day)
ORDER BY d.day, d.user_id
ON CONFLICT ON CONSTRAINT one_row_per_agent_and_day DO UPDATE SET
  views = EXCLUDED.views, clients = EXCLUDED.clients, busiest_hour = EXCLUDED.busiest_hour, searches = EXCLUDED.searches,
  outside_views = EXCLUDED.outside_views, outside_clients = EXCLUDED.outside_clients,
  dormant_views = EXCLUDED.dormant_views, reveals = EXCLUDED.reveals,
  reveals_without_call = EXCLUDED.reveals_without_call, calls = EXCLUDED.calls, exports = EXCLUDED.exports,
  export_rows = EXCLUDED.export_rows, downloads = EXCLUDED.downloads, off_hours = EXCLUDED.off_hours,
  active_hours = EXCLUDED.active_hours, addresses = EXCLUDED.addresses, first_at = EXCLUDED.first_at,
  last_at = EXCLUDED.last_at
"""


def count_days(first: dt.date, last: dt.date) -> int:
    """Count all staff's days from `first` to `last`, both included and local to each person; returns how many rows.

    The access log keeps every list that was shown; a search that only grows while it is typed is counted once here. One that
    repeats, is cut back or changed counts again: whoever pages through results or tries names gains nothing by it.
    Counting a day again replaces its counts: the open day is counted every quarter of an hour.
    """
    margin = dt.timedelta(hours=14)  # the widest distance of a time zone from UTC
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_DAYS,
            {
                "first": first,
                "last": last,
                "work_from": WORK_FROM_HOUR,
                "work_to": WORK_TO_HOUR,
                "typing": TYPING_SECONDS,
                "from_at": dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC) - margin,
                "to_at": dt.datetime.combine(last, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1) + margin,
            },
        )
        written: int = cursor.rowcount
        return written
