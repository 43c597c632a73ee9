"""Leverage rules: caps, margins per class and the groups of accounts they hold for."""
