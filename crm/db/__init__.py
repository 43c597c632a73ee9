"""Helpers close to PostgreSQL: bulk writes, partitions, history, migration operations."""
