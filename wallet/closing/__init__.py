"""Periods, month-end, client money and cash."""
