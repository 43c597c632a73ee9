"""The end of a document's validity: notices before it, what it lowers, the grace period, and what follows without a new one."""
