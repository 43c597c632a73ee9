"""A picture's look in 1,024 bits: the same picture is known again after it was re-encoded, scaled or brightened."""

from __future__ import annotations

import cv2
import numpy as np

HASH_SIDE = 32
SAMPLE_SIDE = 128
INDEXED_SIDE = 16


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
