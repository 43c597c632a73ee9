"""Named sets of leads and clients: by conditions that the system keeps true, or fixed lists. Entering and leaving are events."""
