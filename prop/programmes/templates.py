"""Common programmes as files to begin with. The account types are the brand's own, to be filled in."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

HEAD: Final = """\
currency: {currency}
account: {account}
funded_account: {account}
refund_fee: true
payout_days: 14
sizes:
- {{balance: 10000, fee: 99, reset_fee: 89}}
- {{balance: 25000, fee: 199, reset_fee: 179}}
- {{balance: 50000, fee: 299, reset_fee: 269}}
- {{balance: 100000, fee: 499, reset_fee: 449}}
phases:
"""
TWO_STEP: Final = (
    HEAD
    + """\
- {{target: 8, daily_loss: 5, max_loss: 10, min_days: 4, inactive_days: 30, forbidden_styles: [latency, hedge, copy]}}
- {{target: 5, daily_loss: 5, max_loss: 10, min_days: 4, inactive_days: 30, forbidden_styles: [latency, hedge, copy]}}
- daily_loss: 5
  max_loss: 10
  inactive_days: 30
  forbidden_styles: [latency, hedge, copy]
  split: 80
  scaling: {{profit: 10, growth: 25}}
"""
)
ONE_STEP: Final = (
    HEAD
    + """\
- {{target: 10, daily_loss: 4, max_loss: 6, max_loss_kind: trailing_equity, locks_at_start: true, min_days: 3,
  forbidden_styles: [latency, hedge, copy]}}
- {{daily_loss: 4, max_loss: 6, max_loss_kind: trailing_equity, locks_at_start: true, inactive_days: 30,
  forbidden_styles: [latency, hedge, copy], split: 80}}
"""
)
THREE_STEP: Final = (
    HEAD
    + """\
- {{target: 6, max_loss: 5, min_days: 3, inactive_days: 30}}
- {{target: 6, max_loss: 5, min_days: 3, inactive_days: 30}}
- {{target: 6, max_loss: 5, min_days: 3, inactive_days: 30}}
- {{daily_loss: 3, max_loss: 5, inactive_days: 30, forbidden_styles: [latency, hedge, copy], split: 80}}
"""
)
INSTANT: Final = (
    HEAD
    + """\
- daily_loss: 3
  daily_loss_by: equity
  max_loss: 6
  max_loss_kind: trailing_balance
  locks_at_start: true
  best_day: 25
  inactive_days: 30
  weekend: false
  forbidden_styles: [latency, hedge, copy]
  split: 70
"""
)
TEMPLATES: Final = {
    "two-step": (_("Two phases: 8 % and 5 %, daily loss 5 %, maximum loss 10 %"), TWO_STEP),
    "one-step": (_("One phase: 10 %, daily loss 4 %, trailing maximum loss 6 %"), ONE_STEP),
    "three-step": (_("Three phases: 6 % each, maximum loss 5 %"), THREE_STEP),
    "instant": (_("Instant funding: no target, trailing maximum loss 6 %"), INSTANT),
}
