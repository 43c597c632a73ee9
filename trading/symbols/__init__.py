"""Symbols of the platforms and what they mean for us."""
