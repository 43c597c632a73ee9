"""What a person decides to do about an agent's access, with a notice and an end."""
