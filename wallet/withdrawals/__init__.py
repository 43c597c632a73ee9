"""Withdrawals: checked, approved, split over sources and paid out."""
