"""Questionnaires: written and published by four eyes, answered in the client portal, with outcomes that other apps obey."""
