"""How the audit log is read: topics and the names of fields."""
