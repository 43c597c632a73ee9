"""What holds for every call, in short: the reference page shows it beside the operations. docs/api.md has the details."""

from typing import Final

CONVENTIONS: Final = (
    (
        "Authentication",
        "Send `Authorization: Bearer …` with a personal token (`kpt_`), a service account’s (`ksv_`), or an "
        "access token (`kat_`) that a service account gets for an hour from `POST /api/v1/oauth/token`. `GET "
        "/api/v1/me` shows whose it is and needs no scope.",
    ),
    (
        "Lists and cursors",
        'Lists answer `{"data": […], "next_cursor": …}`, newest first; `order=oldest` turns them round. Send '
        "`next_cursor` as `cursor` until it is null, with the same filters. A page has up to `limit=200` records.",
    ),
    (
        "Changes",
        "Send `updated_since=beginning` the first time, later the last answer’s `updated_until`. The list is then"
        " in the order of the changes and misses none under concurrent work.",
    ),
    (
        "Filters, fields and expand",
        "A filter takes one value, or several with commas; times and days take `[gte]` and `[lt]`. "
        "`fields=id,stage` leaves the rest out; `expand=client` includes the record behind an id, if the token "
        "has its scope.",
    ),
    (
        "Idempotency-Key",
        "Each write needs a key of your own. The same key with the same body does nothing again and answers with "
        "`Idempotent-Replay: true`; with another body it is refused with 409. Keys are kept for 30 days; a "
        "refused write keeps none.",
    ),
    (
        "ETag and If-Match",
        "A record comes with its `ETag`. Sent as `If-Match`, a write fails with 412 if the record has changed "
        "since; sent as `If-None-Match`, an unchanged record answers 304.",
    ),
    (
        "Money and times",
        'Money is `{"amount": "1250.00", "currency": "EUR"}`; other decimals are texts too. Times are UTC: '
        "`2026-11-26T09:30:00Z`.",
    ),
    (
        "Rate limits",
        "600 requests a minute for each token’s user and 6,000 for each brand. `X-RateLimit-Limit`, `X-RateLimit-"
        "Remaining` and `X-RateLimit-Reset` (seconds) are in each answer; a 429 has `Retry-After`.",
    ),
    (
        "Versions",
        "Send `Keelson-Version: 2026-11-26` to keep getting this version. Fields and addresses may be added "
        "within a version.",
    ),
    (
        "Webhooks",
        "Events arrive as `POST` requests, signed after Standard Webhooks: HMAC-SHA256 over `<webhook-"
        "id>.<webhook-timestamp>.<body>`. Process each `webhook-id` once and answer with any 2xx status within "
        "ten seconds.",
    ),
    (
        "Errors",
        "Refusals are problem documents (RFC 9457): `code` for programs, `detail` for people, and `errors` with a"
        " field each.",
    ),
)
