"""Pages of periods, month-end, client money and cash."""
