"""How probable it is that a client stops trading, why, and what that would cost: scores, their models and the money."""
