"""What clients declare of their means: income, wealth, expected deposits, source of funds, occupation, political exposure."""
