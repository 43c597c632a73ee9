"""Pages of disputes and bonuses."""
