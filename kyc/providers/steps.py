"""The steps of a provider's result as staff read them: what the provider calls it, and what we do."""

from __future__ import annotations

from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from kyc.choices import IssueCode, Verdict
from kyc.models import ProviderCheck

REGISTRATION: Final = "registration"
TONES = {Verdict.PASS: "success", Verdict.FAIL: "danger", Verdict.UNSURE: "warning"}
STEPS: dict[str, Promise] = {
    "IDENTITY": gettext_lazy("Identity document"),
    "SELFIE": gettext_lazy("Selfie"),
    "PROOF_OF_RESIDENCE": gettext_lazy("Proof of address"),
    REGISTRATION: gettext_lazy("Name and date of birth as registered"),
}


def shown_steps(check: ProviderCheck) -> list[dict[str, Any]]:
    """Write a result's steps for a reader: what the provider calls it, and what we do."""
    return [
        {
            "name": STEPS.get(step["name"], step["name"].replace("_", " ").capitalize()),
            "verdict": Verdict(step["verdict"]).label,
            "tone": TONES[Verdict(step["verdict"])],
            "reason": IssueCode(step["code"]).label if step["code"] else "",
            "labels": ", ".join(step["labels"]),
        }
        for step in check.results
    ]
