"""Exchange rates: the day's reference rates and the feeds they come from."""
