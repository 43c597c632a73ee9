"""The order of the review queue: when each document has to be looked at, by its clock, the client's value, risk and flaw."""
