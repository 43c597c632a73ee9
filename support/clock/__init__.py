"""The clocks of tickets: what is promised by priority, and what happens when it is late."""
