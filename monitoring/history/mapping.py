"""Another system's words for what its agents do, mapped to ours: names of fields and kinds of events.

What is known is listed here and in `docs/domain/monitoring.md`; a kind nobody knows is counted as other activity and reported.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

# Our field: the names other systems give it, most telling first. A nested object's field is tried as parent_child and as child.
FIELDS: dict[str, tuple[str, ...]] = {
    "ts": (
        "ts",
        "timestamp",
        "time",
        "at",
        "occurred_at",
        "event_time",
        "created_at",
        "datetime",
        "started_at",
        "date",
        "when",
    ),
    "agent": (
        "agent",
        "agent_id",
        "user",
        "user_id",
        "employee",
        "employee_id",
        "staff",
        "staff_id",
        "actor",
        "actor_id",
        "operator",
        "username",
        "who",
        "by",
    ),
    "kind": ("kind", "event", "event_type", "type", "action", "activity", "verb", "name", "operation"),
    "client": (
        "client",
        "client_id",
        "customer",
        "customer_id",
        "contact",
        "contact_id",
        "lead",
        "lead_id",
        "account",
        "account_id",
        "record",
        "record_id",
        "trader",
        "trader_id",
        "object_id",
        "target",
    ),
    "owner": (
        "client_owner",
        "client_owner_id",
        "owner",
        "owner_id",
        "book_owner",
        "assigned_to",
        "account_manager",
        "client_agent",
        "customer_owner",
        "responsible",
    ),
    "value": (
        "client_value",
        "client_equity",
        "client_balance",
        "client_net_deposits",
        "client_ltv",
        "client_tier",
        "client_segment",
        "customer_value",
        "value",
        "equity",
        "balance",
        "net_deposits",
        "ltv",
        "tier",
        "vip",
        "is_vip",
    ),
    "duration": (
        "duration_s",
        "duration_sec",
        "duration_seconds",
        "talk_seconds",
        "talk_time",
        "call_seconds",
        "billsec",
        "length_s",
        "call_duration",
        "duration",
        "seconds",
        "duration_ms",
    ),
    "ip": ("ip", "ip_address", "remote_ip", "src_ip", "client_ip", "addr"),
    "device": (
        "device",
        "device_id",
        "device_fingerprint",
        "fingerprint",
        "hostname",
        "workstation",
        "pc",
        "user_agent",
        "ua",
    ),
    "country": (
        "country",
        "ip_country",
        "geo_country",
        "login_country",
        "country_code",
        "place",
        "geo",
        "location",
        "city",
    ),
    "session": ("session", "session_id", "sid"),
    "rows": (
        "rows",
        "row_count",
        "n_rows",
        "records",
        "record_count",
        "n_records",
        "rows_exported",
        "export_rows",
        "result_count",
        "results",
        "count",
        "n",
        "size",
    ),
    "amount": ("amount", "amount_usd", "amount_eur", "sum", "money", "volume"),
    "outcome": ("outcome", "result", "call_outcome", "disposition", "call_status", "answered", "status"),
    "role": ("role", "agent_role", "job", "job_title", "position"),
    "desk": ("desk", "agent_desk", "team", "agent_team", "department", "unit", "group", "office", "brand"),
    "shift": ("shift", "agent_shift", "roster"),
    "dormant": (
        "client_dormant",
        "dormant",
        "is_dormant",
        "client_status",
        "client_stage",
        "client_state",
        "dormant_days",
        "days_inactive",
        "client_days_inactive",
        "client_inactive_days",
        "client_idle_days",
        "days_since_activity",
    ),
    "id": ("event_id", "id", "uuid", "guid"),
}

# Our kind: words in another system's kind, tried in this order; the first that holds wins. A word may be several, joined by "_".
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("login_failed", ("login_failed", "failed_login", "signin_failed", "login_failure", "auth_failed")),
    ("logout", ("logout", "logoff", "sign_out", "signout", "log_out", "log_off", "session_end", "signed_out")),
    ("login", ("login", "logon", "sign_in", "signin", "log_in", "log_on", "session_start", "signed_in", "auth")),
    (
        "reveal",
        (
            "reveal",
            "unlock",
            "unmask",
            "revealed",
            "unlocked",
            "unmasked",
            "show_phone",
            "show_email",
            "phone_view",
            "view_phone",
            "view_contact",
            "contact_view",
            "click_to_reveal",
            "decrypt",
            "copy",
            "copied",
            "clipboard",
        ),
    ),
    ("export", ("export", "exported", "extract", "bulk_download", "report_export", "csv", "xlsx", "dump", "exfil")),
    ("print", ("print", "printed", "printing", "screenshot")),
    ("download", ("download", "downloaded", "document", "doc", "file", "attachment", "kyc", "usb", "copy_file")),
    ("campaign", ("campaign", "campaign_start")),
    (
        "assign",
        (
            "assign",
            "assigned",
            "assignment",
            "reassign",
            "transfer_client",
            "client_transfer",
            "transfer_in",
            "handover",
            "allocation",
            "ownership",
            "owner_change",
            "delegation",
            "import",
            "lead_import",
        ),
    ),
    ("withdrawal", ("withdrawal", "withdraw", "payout", "cashout")),
    ("deposit", ("deposit", "ftd", "topup", "top_up", "funding", "payment", "renewal")),
    ("mail", ("mail", "email", "e_mail", "sms", "message", "chat", "whatsapp", "mail_sent", "telegram", "reply")),
    ("call", ("call", "dial", "dialed", "dialled", "phone", "telephony", "ring", "voice", "callback")),
    (
        "edit",
        (
            "edit",
            "edited",
            "update",
            "updated",
            "change",
            "changed",
            "modify",
            "create",
            "created",
            "delete",
            "deleted",
            "save",
            "write",
            "stage",
            "status_change",
        ),
    ),
    ("note", ("note", "comment", "task", "meeting", "remark", "appointment", "reminder", "ticket")),
    (
        "list",
        (
            "list",
            "list_view",
            "view_list",
            "list_open",
            "grid",
            "report",
            "dashboard",
            "table",
            "browse",
            "filter",
            "page",
        ),
    ),
    ("search", ("search", "query", "lookup", "find", "searched")),
    (
        "view",
        (
            "view",
            "viewed",
            "open",
            "opened",
            "look",
            "read",
            "access",
            "visit",
            "profile",
            "card",
            "show",
            "get",
            "client",
            "record",
            "preview",
            "detail",
        ),
    ),
)
ABSENCES = (
    "leave",
    "holiday",
    "vacation",
    "absence",
    "sick",
    "shift",
    "roster",
    "hr",
    "notice",
    "heartbeat",
    "idle",
    "ping",
    "break",
)
NOBODY = {
    "",
    "none",
    "null",
    "system",
    "0",
    "-",
    "unassigned",
    "nobody",
    "pool",
    "unknown",
    "n_a",
    "na",
    "server",
    "api",
    "bot",
}
DORMANT_WORDS = {
    "dormant",
    "inactive",
    "sleeping",
    "lapsed",
    "churned",
    "closed",
    "lost",
    "idle",
    "archived",
    "true",
    "yes",
    "1",
}
DORMANT_DAYS = 60
TIERS = {
    "true": 3.0,
    "yes": 3.0,
    "vip": 3.0,
    "platinum": 3.0,
    "diamond": 3.0,
    "high": 3.0,
    "a": 3.0,
    "gold": 2.0,
    "premium": 2.0,
    "medium": 1.0,
    "silver": 1.0,
}
LOOKING = {"view", "viewed", "open", "opened", "read"}
NOT_WHEN_VIEWED = {"campaign", "assign", "withdrawal", "deposit", "mail", "call", "edit", "note"}
UNANSWERED = {
    "no_answer",
    "noanswer",
    "busy",
    "failed",
    "voicemail",
    "missed",
    "unanswered",
    "cancelled",
    "canceled",
    "rejected",
    "invalid",
    "wrong_number",
    "false",
    "no",
    "0",
    "not_answered",
    "unreachable",
    "abandoned",
    "machine",
    "declined",
}
# What a pair of words says outright, before any single word of it is tried.
PHRASES = {word: kind for kind, words in KINDS for word in words}
_ODD = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def plain(text: object) -> str:
    """Write a name in small letters with single underscores: `ClientView`, `client.view` → `client_view`."""
    return _ODD.sub("_", _CAMEL.sub("_", str(text)).lower()).strip("_")


def kind_of(name: str) -> str:
    """Map another system's kind to ours; "context" for absences and the like, "" for what nobody knows."""
    name = plain(name)
    if name in PHRASES:
        return PHRASES[name]
    words = name.split("_")
    held = set(words) | {f"{a}_{b}" for a, b in pairwise(words)}
    for kind, known in KINDS:
        if held.intersection(known):
            # "view_deposits" looks at money, it doesn't move any.
            return "view" if kind in NOT_WHEN_VIEWED and held & LOOKING else kind
    return "context" if held.intersection(ABSENCES) else ""


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """Lay nested objects out: {"client": {"id": 7, "owner": 3}} answers `client`, `client_id` and `client_owner`."""
    out: dict[str, Any] = {}
    for key, value in event.items():
        if isinstance(value, dict):
            inner = {plain(name): entry for name, entry in value.items() if not isinstance(entry, dict | list)}
            if "id" in inner:
                out.setdefault(plain(key), inner["id"])
            for name, entry in inner.items():
                out.setdefault(f"{plain(key)}_{name}", entry)
                out.setdefault(name, entry)
        elif not isinstance(value, list):
            out[plain(key)] = value
    return out


def fields_of(sample: list[dict[str, Any]], stated: dict[str, str]) -> dict[str, str]:
    """Decide which key holds which of our fields: what was stated, else the first known name that the sample has."""
    seen: dict[str, int] = {}
    for event in sample:
        for key, value in event.items():
            if value is not None and value != "":
                seen[key] = seen.get(key, 0) + 1
    taken: set[str] = set(stated.values())
    chosen = dict(stated)
    for field, names in FIELDS.items():
        if field in chosen:
            continue
        match = next((name for name in names if name in seen and name not in taken), None)
        if match is not None:
            chosen[field] = match
            taken.add(match)
    return chosen
