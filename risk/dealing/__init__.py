"""The dealing desk's decisions: who is on which execution book, what a shock would do, and when a day's result is reported."""
