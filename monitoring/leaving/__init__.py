"""Leavers: who has given notice, and an offboarding that is proved by queries."""
