"""Managing staff: inviting, roles and reach by four eyes, switching off, and why somebody sees a record."""
