"""Money, currencies, exchange rates and bank days."""
