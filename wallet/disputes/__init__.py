"""Chargebacks, reversals, refunds and what they do to bonuses."""
