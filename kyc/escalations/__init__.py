"""What one officer doesn't decide alone: escalated to a head, or read by a second officer who doesn't know the first opinion."""
