"""Calculating commissions of a past stretch again: every line that would differ with its cause, applied by a second person."""
