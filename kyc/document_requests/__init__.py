"""Another document that an officer asked a client for: until when, why, and the result.

request_document(document_id=…, kind="passport", reason_code="unreadable", due_on=day, actor=officer)
"""
