"""The library of educational e-mails."""
