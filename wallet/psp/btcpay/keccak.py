"""Keccak-256 as Ethereum uses it (the padding of before SHA-3, so hashlib's sha3_256 is another function)."""

from __future__ import annotations

RATE_BYTES = 136
MASK = (1 << 64) - 1


def _round_constants() -> list[int]:
    constants, register = [], 1
    for _round in range(24):
        constant = 0
        for place in range(7):
            if register & 1:
                constant |= 1 << ((1 << place) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


ROUND_CONSTANTS = _round_constants()


def _rotated(lane: int, by: int) -> int:
    by %= 64
    return (lane << by | lane >> (64 - by)) & MASK if by else lane


def _permuted(state: list[list[int]]) -> list[list[int]]:
    for constant in ROUND_CONSTANTS:
        columns = [state[x][0] ^ state[x][1] ^ state[x][2] ^ state[x][3] ^ state[x][4] for x in range(5)]
        mixed = [columns[(x - 1) % 5] ^ _rotated(columns[(x + 1) % 5], 1) for x in range(5)]
        state = [[state[x][y] ^ mixed[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, state[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, state[x][y] = state[x][y], _rotated(current, (step + 1) * (step + 2) // 2)
        state = [[state[x][y] ^ (~state[(x + 1) % 5][y] & state[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        state[0][0] ^= constant
    return state


def keccak_256(message: bytes) -> bytes:
    padded = bytearray(message) + b"\x01" + b"\0" * (-(len(message) + 1) % RATE_BYTES)
    padded[-1] |= 0x80
    state = [[0] * 5 for _column in range(5)]
    for start in range(0, len(padded), RATE_BYTES):
        for place in range(RATE_BYTES // 8):
            lane = padded[start + place * 8 : start + place * 8 + 8]
            state[place % 5][place // 5] ^= int.from_bytes(lane, "little")
        state = _permuted(state)
    return b"".join((state[place % 5][place // 5] & MASK).to_bytes(8, "little") for place in range(4))
