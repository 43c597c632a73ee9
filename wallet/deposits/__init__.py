"""Deposits: payment methods offered, what arrives and how it is settled or held."""
