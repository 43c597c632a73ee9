"""Rows are locked in one way: `crm.db.locking`, in the order of docs/domain/locking.md."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# What takes a lock of its own kind, and why.
NAMED = {
    "crm/db/locking.py": "the one way",
    "crm/accounts/link_requests.py": "a queue: what another worker has is skipped",
    "crm/notices/email_channel.py": "a sweeper: whom another sweep writes to is skipped",
    "crm/notices/mail.py": "a queue",
    "crm/queue/catch_up.py": "the row may not be there yet: locked as it is made",
    "leads/waiting.py": "a sweeper: what somebody works on is skipped",
    "wallet/closing/periods.py": "a sweeper",
    "wallet/disputes/verbs.py": "the row may not be there yet: locked as it is made",
    "wallet/opening_balances/posting.py": "a queue: what another worker posts is skipped",
    "wallet/reconciliation/announced_reports.py": "a queue",
    "crm/due/sweep.py": "a queue",
    "compliance/vendors/asking.py": "a queue: what another worker sends is skipped",
    "prop/judge/quiet.py": "a queue: an account that somebody works on is left",
    "wallet/webhooks/processing.py": "a queue",
}


def _modules_that_lock() -> set[str]:
    paths = (path for app in settings.KEELSON_APPS for path in (ROOT / app).rglob("*.py"))
    return {
        str(path.relative_to(ROOT))
        for path in paths
        if "migrations" not in path.parts and "select_for_update" in path.read_text()
    }


def test_select_for_update_is_written_in_named_modules_only():
    assert _modules_that_lock() == set(NAMED)
