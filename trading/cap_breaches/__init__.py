"""Accounts above their leverage cap: found, remedied, reduced; account types and their checks."""
