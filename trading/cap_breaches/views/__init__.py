"""Pages of leverage caps and account types."""
