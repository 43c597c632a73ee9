"""Is this an address on that network? Checksums of Bech32 and Bech32m (BIP-173, BIP-350), Base58Check and EIP-55.

A payout to a mistyped address is lost for good, so an address whose checksum does not hold is refused before anything is sent.
An address of a test network is not one of the real network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import base58
from Crypto.Hash import keccak

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32_CONST, BECH32M_CONST = 1, 0x2BC830A3
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BASE58_CHARS_MAX = 120
ETHEREUM = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class Network:
    """What addresses of a network look like: the prefix of segwit ones, the version bytes of Base58 ones."""

    name: str
    segwit_prefix: str = ""
    versions: tuple[int, ...] = ()
    is_ethereum: bool = False


NETWORKS = {
    "btc": Network("Bitcoin", "bc", (0x00, 0x05)),
    "ltc": Network("Litecoin", "ltc", (0x30, 0x32, 0x05)),
    "tron": Network("Tron", versions=(0x41,)),
    "eth": Network("Ethereum", is_ethereum=True),
}


def is_address(address: str, network: str) -> bool:
    """Check that an address is of that network and that its checksum holds."""
    known = NETWORKS[network]
    if known.is_ethereum:
        return is_ethereum_address(address)
    if known.segwit_prefix and segwit_program(address, known.segwit_prefix) is not None:
        return True
    payload = base58check(address)
    return payload is not None and len(payload) == 21 and payload[0] in known.versions


def base58check(text: str) -> bytes | None:
    """Decode the payload (version byte first); None where a character or the checksum is wrong."""
    if len(text) > BASE58_CHARS_MAX:
        return None
    try:
        return base58.b58decode_check(text) or None
    except ValueError:
        return None


def bech32(text: str) -> tuple[str, list[int], int] | None:
    """Prefix, data without checksum, and which checksum constant held; None for anything that is not valid."""
    if not 8 <= len(text) <= 90 or any(not 33 <= ord(letter) <= 126 for letter in text):
        return None
    if text.lower() != text and text.upper() != text:
        return None
    prefix, separator, data = text.lower().rpartition("1")
    if not separator or not prefix or len(data) < 6 or any(letter not in BECH32 for letter in data):
        return None
    values = [BECH32.index(letter) for letter in data]
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    const = _polymod(expanded + values)
    return (prefix, values[:-6], const) if const in (BECH32_CONST, BECH32M_CONST) else None


def segwit_program(address: str, prefix: str) -> tuple[int, bytes] | None:
    """Witness version and program of a segwit address: version 0 with Bech32, later ones with Bech32m."""
    decoded = bech32(address)
    if decoded is None or decoded[0] != prefix or not decoded[1]:
        return None
    version, program = decoded[1][0], _regroup_bits(decoded[1][1:])
    if program is None or version > 16 or not 2 <= len(program) <= 40:
        return None
    if version == 0 and (len(program) not in (20, 32) or decoded[2] != BECH32_CONST):
        return None
    return None if version > 0 and decoded[2] != BECH32M_CONST else (version, program)


def is_ethereum_address(address: str) -> bool:
    """Hexadecimal of 20 bytes; with mixed case the case is the checksum (EIP-55)."""
    if not ETHEREUM.fullmatch(address):
        return False
    digits = address[2:]
    if digits in (digits.lower(), digits.upper()):
        return True
    # Ethereum hashes with the padding of before SHA-3, so hashlib's sha3_256 is another function.
    marks = keccak.new(digest_bits=256, data=digits.lower().encode()).hexdigest()
    return all(
        letter == (letter.upper() if int(mark, 16) >= 8 else letter.lower())
        for letter, mark in zip(digits, marks, strict=False)
    )


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(GENERATOR):
            check ^= generator if top >> place & 1 else 0
    return check


def _regroup_bits(values: list[int]) -> bytes | None:
    """Join groups of five bits into bytes; None where the padding isn't short and zero."""
    bits = "".join(f"{value:05b}" for value in values)
    whole = len(bits) // 8 * 8
    if len(bits) - whole > 4 or "1" in bits[whole:]:
        return None
    return bytes(int(bits[place : place + 8], 2) for place in range(0, whole, 8))
