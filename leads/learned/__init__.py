"""The learned score of leads: how probable a first deposit is within a month, from what became of earlier leads."""
