"""Screening partners who have no client record."""
