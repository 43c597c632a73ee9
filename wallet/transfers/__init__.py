"""Transfers to and from trading accounts, currency exchanges and their quotes."""
