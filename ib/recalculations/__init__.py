"""Commissions calculated again: compared, proposed, and applied by a second person."""
