"""Bank statements, payment files and the entries that aren't matched with a payment yet."""
