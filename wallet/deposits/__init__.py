"""Deposits: payment methods offered, and how incoming money is settled or held."""
