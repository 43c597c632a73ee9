"""Keeping our tables in step with the platforms: deals, money, positions, symbols. Reads only; set-based writes."""
