"""Calls over a phone exchange: a protocol, its adapters, calls with their legs, and what becomes of them on the record."""
