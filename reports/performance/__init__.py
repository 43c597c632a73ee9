"""Figures of people: what each means, the rows behind it, and who leads."""
