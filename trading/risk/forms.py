"""A brand's margin limits."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import ModelForm
from trading.models import MarginPolicy
from trading.risk.margin import FIELDS


class MarginPolicyForm(ModelForm[MarginPolicy]):
    class Meta:
        model = MarginPolicy
        fields: ClassVar[list[str]] = list(FIELDS)

    def clean(self) -> dict[str, Any]:
        """Require limits that descend; a CHECK in the database holds it, too."""
        data = super().clean() or {}
        limits = [data.get(name) for name in ("warning_at", "call_at", "stop_at")]
        if all(limit is not None for limit in limits):
            warning, call, stop = limits
            if not warning > call > stop > 0:  # type: ignore[operator]
                raise ValidationError(
                    _("Enter descending limits above zero: warning, then margin call, then stop-out.")
                )
        return data

    def validate_constraints(self) -> None:
        """Leave the limits to `clean`, which explains them, and to the CHECK in the database."""
