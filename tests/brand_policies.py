"""Set a brand's policies for a test, as an approved change of long ago."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from crm.brand_policies import Fraction, find
from crm.models import Brand
from crm.staff.policy_changes import write_value

SINCE = dt.date(2000, 1, 1)


def set_policies(brand: Brand, **values: Any) -> None:
    """Set each policy, checked as a change is; None: the default. The row that is passed reads the new values too."""
    for key, value in values.items():
        policy = find(key)
        assert policy is not None, f"no policy is called {key!r}"
        given = Decimal(str(value)) if isinstance(policy.kind, Fraction) else value
        stored = None if value is None else policy.kind.clean(given)
        write_value(brand, policy, stored, SINCE, actor=None, reason="For this test")
