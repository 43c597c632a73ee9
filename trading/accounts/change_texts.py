"""What dealers changed on an account, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.i18n.localized_text import LocalizedText, phrase
from trading.platforms.base import Right


def words_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[LocalizedText]:
    """List what changed: `Leverage 1:30 → 1:100`, and the like."""
    texts: list[LocalizedText] = []
    if "group" in after:
        texts.append(phrase("Group %(before)s → %(after)s") % {"before": before["group"], "after": after["group"]})
    if "leverage" in after:
        texts.append(
            phrase("Leverage 1:%(before)s → 1:%(after)s") % {"before": before["leverage"], "after": after["leverage"]}
        )
    labels = {
        Right.SIGN_IN: (phrase("Sign-in enabled"), phrase("Sign-in disabled")),
        Right.TRADE: (phrase("Trading enabled"), phrase("Trading disabled")),
        Right.CHANGE_PASSWORD: (phrase("Password changes enabled"), phrase("Password changes disabled")),
        Right.EXPERTS: (phrase("Automated trading enabled"), phrase("Automated trading disabled")),
    }
    if "allowed" in after:
        for right, (label, taken) in labels.items():
            had, has = right.value in before["allowed"], right.value in after["allowed"]
            if had != has:
                texts.append(label if has else taken)
    return texts
