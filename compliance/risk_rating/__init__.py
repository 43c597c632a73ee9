"""How risky a client is: a brand's model as data in versions, the rating computed with it, and a person's own rating above it."""
