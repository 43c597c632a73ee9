"""What a recording sounds like here."""

import math
import struct

SAMPLES_A_SECOND, TONE_HERTZ = 8_000, 440


def tone(seconds: int) -> bytes:
    """Make a WAV file with a tone: what a recording sounds like here."""
    count = SAMPLES_A_SECOND * seconds
    wave = (
        int(8_000 * math.sin(2 * math.pi * TONE_HERTZ * place / SAMPLES_A_SECOND)) for place in range(SAMPLES_A_SECOND)
    )
    second = struct.pack(f"<{SAMPLES_A_SECOND}h", *wave)
    data = second * seconds
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        SAMPLES_A_SECOND,
        2 * SAMPLES_A_SECOND,
        2,
        16,
        b"data",
        2 * count,
    )
    return head + data
