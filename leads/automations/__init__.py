"""Automations: what starts one, whom it takes, and what is done for each client, step by step."""
