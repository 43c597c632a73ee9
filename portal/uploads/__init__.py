"""The guided upload of a document: its steps in the client portal, and the page on a phone that helps."""
