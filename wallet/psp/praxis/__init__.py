"""Praxis-like cashier: its API and reports."""
