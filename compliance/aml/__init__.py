"""AML monitoring: a stream of movements, rules as data over it, what they raise, and the cases that people decide."""
