"""Bank statements, payment files and the entries that belong to no payment yet."""
