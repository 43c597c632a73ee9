"""Results and behaviour of agents, desks and brands on one page."""
