"""How a challenge is judged: rules, server days, one step per input. No tables: plain values in, verdicts out."""
