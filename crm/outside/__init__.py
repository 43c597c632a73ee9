"""Addresses outside: which ones we may call, and how."""
