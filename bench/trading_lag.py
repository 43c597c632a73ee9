"""The money's part of `bench trading`: every account's equity from the sandbox server over its socket, in batches."""

from __future__ import annotations

from bench.harness import Figure


def run(size: str) -> list[Figure]:
    return []
