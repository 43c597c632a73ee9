"""The lead that an agent should work next, why this one, and passing over it with a reason."""
