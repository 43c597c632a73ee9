"""Many at once: `itertools.batched` for Python 3.11, and thousands of numbers as one parameter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Yield the items in tuples of `size`, the last one shorter."""
    iterator = iter(items)
    while batch := tuple(islice(iterator, size)):
        yield batch


def array(numbers: Iterable[int]) -> str:
    """Write PostgreSQL's text of an array: a list as a parameter costs six times as much to write out."""
    return f"{{{','.join(map(str, numbers))}}}"
