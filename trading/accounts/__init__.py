"""Trading accounts: opened, changed, archived, requested, money booked on them."""
