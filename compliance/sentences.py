"""Audit rows as sentences: what was done, on what, and what changed. Used on screen and in packs.

An action that nobody has named here reads from its own name: `wallet.deposit_settled` is "Deposit settled".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ACTIONS: dict[str, Any] = {
    "clients.call_logged": gettext_lazy("Call logged"),
    "clients.mail_sent": gettext_lazy("E-mail sent"),
    "clients.moved": gettext_lazy("Client moved to another book"),
    "clients.note_added": gettext_lazy("Note added"),
    "clients.note_edited": gettext_lazy("Note edited"),
    "clients.profile_changed": gettext_lazy("Particulars changed"),
    "clients.stage_changed": gettext_lazy("Stage changed"),
    "compliance.client_screened": gettext_lazy("Client screened against the watchlists"),
    "compliance.hit_cleared": gettext_lazy("Possible match cleared as another person"),
    "compliance.hit_confirmed": gettext_lazy("Watchlist match confirmed"),
    "compliance.restriction_placed": gettext_lazy("Restriction placed"),
    "compliance.restriction_lift_asked": gettext_lazy("Lifting of a restriction asked for"),
    "compliance.restriction_lift_refused": gettext_lazy("Lifting of a restriction refused"),
    "compliance.restriction_lifted": gettext_lazy("Restriction lifted"),
    "compliance.risk_assessed": gettext_lazy("Risk rated"),
    "compliance.trail_exported": gettext_lazy("Whole trail exported"),
    "compliance.watchlist_imported": gettext_lazy("Watchlist loaded"),
    "compliance.watchlist_refused": gettext_lazy("Watchlist file refused"),
    "crm.access_granted": gettext_lazy("Access granted"),
    "crm.access_taken": gettext_lazy("Access taken away"),
    "crm.role_given": gettext_lazy("Role given"),
    "crm.role_taken": gettext_lazy("Role taken away"),
    "kyc.document_uploaded": gettext_lazy("Document uploaded"),
    "kyc.document_checked": gettext_lazy("Document checked automatically"),
    "kyc.document_approved": gettext_lazy("Document approved"),
    "kyc.document_rejected": gettext_lazy("Document rejected"),
    "kyc.document_expired": gettext_lazy("Document expired"),
    "kyc.review_undone": gettext_lazy("Decision on a document undone"),
    "kyc.level_reached": gettext_lazy("Verification level reached"),
    "leads.captured": gettext_lazy("Lead captured"),
    "leads.assigned": gettext_lazy("Lead assigned"),
    "leads.status_changed": gettext_lazy("Sales status changed"),
    "portal.client_registered": gettext_lazy("Client registered"),
    "portal.consents_recorded": gettext_lazy("Consents recorded"),
    "trading.account_opened": gettext_lazy("Trading account opened"),
}
VALUE_MAX = 300
HASH = re.compile(r"[0-9a-f]{40,}")


def sentence(action: str) -> str:
    """What was done."""
    if action in ACTIONS:
        return str(ACTIONS[action])
    words = action.partition(".")[2].replace("_", " ") or action
    return words[:1].upper() + words[1:]


def on_what(target_type: str, target_id: str) -> str:
    """`Document #17`."""
    return f"{target_type.partition('.')[2] or target_type} #{target_id}"


def details(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, `before → after`) of what changed, then the reason and the evidence."""
    if body.get("erased"):
        yield _("Content"), _("erased: the client's key was destroyed")
        return
    if body.get("tampered"):
        yield _("Content"), _("unreadable: the stored bytes were changed")
        return
    before, after = body.get("before") or {}, body.get("after") or {}
    for field in dict.fromkeys([*before, *after]):
        old, new = plain(before.get(field)), plain(after.get(field))
        yield field_name(field), f"{old} → {new}" if field in before and field in after else new or f"{old} → –"
    if body.get("reason"):
        yield _("Reason"), str(body["reason"])
    for field, value in (body.get("evidence") or {}).items():
        yield field_name(field), plain(value)


def field_name(name: str) -> str:
    return name.replace("_", " ").capitalize()


def plain(value: Any) -> str:
    """A value as text, short enough for a line."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict):
        shown = {key: text for key, item in value.items() if (text := plain(item))}
        text = ", ".join(f"{field_name(str(key)).lower()} {item}" for key, item in shown.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(plain(item) for item in value)
    else:
        text = str(value)
        if HASH.fullmatch(text):  # the whole of it is in the row, and in a pack's attachment
            text = f"{text[:12]}…"
    return text if len(text) <= VALUE_MAX else f"{text[: VALUE_MAX - 1]}…"


def utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
