"""Fields that an officer read otherwise than the machine: both values kept, and the checks run again on the officer's.

correct_field(document_id=…, field="last_name", value="Schmidt", reason="misread", actor=officer)
"""
