"""What a client's record page shows: stage, facts edited in place, timeline, preview."""
