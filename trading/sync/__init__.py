"""Keeping the house in step with the platforms: deals, money, positions, symbols. Reads only; set-based writes."""
