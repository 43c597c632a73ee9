"""Marks by which the same document, or the same picture, is known again, without keeping what they are made of."""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache

import cv2
import numpy as np

from crm.crypto import derived_key

HASH_SIDE = 32
SAMPLE_SIDE = 128
INDEXED_SIDE = 16
BANDS = 16


def number_fingerprint(number: str) -> str:
    """Keyed hash of a document number: found again by whoever types the number, read by nobody from the table."""
    plain = re.sub(r"[^A-Z0-9]", "", number.upper())
    return hmac.new(_number_key(), plain.encode(), hashlib.sha256).hexdigest() if plain else ""


@lru_cache(maxsize=1)
def _number_key() -> bytes:
    return derived_key("kyc-document-number")


def perceptual_hash(picture: np.ndarray) -> bytes:
    """1,024 bits that stay nearly the same when a picture is re-encoded, scaled or brightened.

    The first 256 come from the coarsest waves, which change least: the index is made of them. The finer ones tell two
    documents of one country apart, whose layout is the same.
    """
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SAMPLE_SIDE, SAMPLE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = cv2.dct(small)[:HASH_SIDE, :HASH_SIDE]
    coarse = np.zeros_like(waves, dtype=bool)
    coarse[:INDEXED_SIDE, :INDEXED_SIDE] = True
    ordered = np.concatenate([waves[coarse], waves[~coarse]])
    return np.packbits(ordered > np.median(ordered)).tobytes()


def bands_of(phash: bytes) -> list[int]:
    """The coarse part in 16 pieces, each with its place: near hashes share at least one, so that an index finds them."""
    return [(place << 16) | int.from_bytes(phash[place * 2 : place * 2 + 2], "big") for place in range(BANDS)]


def distance(one: bytes, other: bytes) -> int:
    """Bits that differ, 0 to 1,024."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
