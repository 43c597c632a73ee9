"""Reviewing alerts: what the agent is asked and answers, two people on confirmed misuse, and what follows."""
