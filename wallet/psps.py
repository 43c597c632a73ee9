"""Setting up PSPs, and asking one whether it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm import audit
from crm.policies import require
from wallet import policies
from wallet.models import Psp
from wallet.psp import adapter_of
from wallet.psp.base import Health

PLAIN_FIELDS = ("name", "is_enabled", "base_url")


@transaction.atomic
def configure_psp(*, psp_id: int, values: Mapping[str, Any], keys: Mapping[str, str], actor: Any) -> Psp:
    """Change a PSP's set-up; keys that are given replace the stored ones, the old webhook secret stays valid beside.

    Who: `wallet.manage_psp` on the brand. The audit row names the keys that changed, never their values.
    """
    psp = Psp.objects.select_for_update(of=["self"]).get(pk=psp_id)
    require(policies.can_manage_psp(actor, psp))
    before = {
        name: getattr(psp, name) for name in PLAIN_FIELDS if name in values and getattr(psp, name) != values[name]
    }
    for name in before:
        setattr(psp, name, values[name])
    known = psp.credentials
    changed = {name: value for name, value in keys.items() if known.get(name) != value}
    if changed:
        if "webhook_secret" in changed:
            changed["previous_webhook_secret"] = known.get("webhook_secret", "")
        psp.seal_credentials({**known, **changed})
    psp.save()
    audit.record(
        actor=actor, action="wallet.psp_configured", target=psp, brand_id=psp.brand_id, before=before,
        after={**{name: values[name] for name in before}, **({"keys_changed": sorted(changed)} if changed else {})},
    )  # fmt: skip
    return psp


def is_down(psp: Psp) -> bool:
    """Has this PSP stopped answering? Then its methods are not offered and others of their group stand in."""
    return psp.is_down


def check_psp(*, psp_id: int, actor: Any) -> Health:
    """Ask the PSP whether it is up and knows our key; the answer is kept for the page. Who: `wallet.manage_psp`."""
    psp = Psp.objects.get(pk=psp_id)
    require(policies.can_manage_psp(actor, psp))
    health = adapter_of(psp).check_connection()
    psp.last_checked_at, psp.last_check_error = timezone.now(), "" if health.is_up else health.detail[:300]
    psp.save(update_fields=["last_checked_at", "last_check_error"])
    audit.record(
        actor=actor, action="wallet.psp_checked", target=psp, brand_id=psp.brand_id, after={"up": health.is_up},
        reason=health.detail,
    )  # fmt: skip
    return health
