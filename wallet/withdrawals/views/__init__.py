"""Pages of withdrawals, their batches and investigations."""
