"""Which countries a brand serves: one table that leads, portal, wallet and trading ask at each gate."""
