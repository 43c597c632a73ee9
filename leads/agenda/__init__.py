"""The calendar of follow-ups: an agent's week or day in their own zone, with their hours, absences and holidays."""
