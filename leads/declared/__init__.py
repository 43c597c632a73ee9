"""What leads declare of themselves when they enquire: their trading experience and the deposit they intend to make."""
