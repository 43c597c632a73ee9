"""A file that an operation does not take: the code, and the figures of the sentence that the caller makes of it."""

from __future__ import annotations


class Refusal(Exception):
    def __init__(self, code: str, **values: int | str) -> None:
        super().__init__(code)
        self.code, self.values = code, values
