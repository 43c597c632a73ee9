"""How partners are settled: terms, cycles, disputes, invoices, and what waits."""
