"""Scores that follow what people do: their engagement, scoring again, and the preview of a rule."""
