"""Chat between the client portal and the desks: who answers, what is said, and what becomes of a chat that stays unanswered."""
