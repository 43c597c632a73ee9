"""Pictures: decoded to the last pixel and encoded again, so that nothing of the file itself is kept."""

from __future__ import annotations

import io
import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from . import traces
from .refusal import Refusal

Result = tuple[dict[str, Any], bytes]
# A phone's JPEG may hold several pictures of one moment: the first is the photo.
MOVING = {"PNG", "WEBP", "GIF"}


def clean(
    file: BinaryIO, *, forms: list[str], pixels_max: int, side_min: int, side_max: int, quality: int = 92
) -> Result:
    """Rewrite a picture as an upright JPEG without metadata, at most `side_max` pixels long.

    Refusals: `pixels`, `small` (width, height), `animated`, `incomplete`.
    """
    with _opened(file, forms, pixels_max) as image:
        if image.format in MOVING and getattr(image, "is_animated", False):
            raise Refusal("animated")
        width, height = image.size
        if min(width, height) < side_min:
            raise Refusal("small", width=width, height=height)
        # A JPEG decodes at half or a quarter of its size, to the last byte all the same.
        image.draft("RGB", (side_max, side_max))
        _load(image)
        left = traces.of_picture(image)
        flat = _flat(ImageOps.exif_transpose(image))
    flat.thumbnail((side_max, side_max), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=quality, optimize=False, exif=b"", icc_profile=None)
    return {"size": flat.size, "traces": left}, out.getvalue()


def logo(file: BinaryIO, *, forms: list[str], pixels_max: int, side_max: int) -> Result:
    """Rewrite a picture as a PNG with transparency, at most `side_max` pixels long. Refusals: `pixels`, `incomplete`."""
    with _opened(file, forms, pixels_max) as image:
        _load(image)
        made = image.convert("RGBA")
    made.thumbnail((side_max, side_max), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    made.save(out, "PNG", optimize=True)
    return {"size": made.size}, out.getvalue()


def moving(file: BinaryIO, *, forms: list[str], pixels_max: int, side_max: int, frames_max: int) -> Result:
    """Rewrite a GIF or WebP frame by frame in its own form, at most `side_max` pixels long.

    pixels_max: of all frames together. Refusals: `pixels`, `frames`, `incomplete`.
    """
    frames, durations = [], []
    with _opened(file, forms, pixels_max) as image:
        form, count = image.format, _frames_of(image)
        if count > frames_max:
            raise Refusal("frames")
        if image.size[0] * image.size[1] * count > pixels_max:
            raise Refusal("pixels")
        for number in range(count):
            _seek(image, number)
            frame = image.convert("RGBA")
            frame.thumbnail((side_max, side_max), Image.Resampling.LANCZOS)
            frames.append(frame)
            durations.append(min(10_000, max(20, int(image.info.get("duration", 0)) or 100)))
            frame.info.clear()  # a comment would be written again
    out = io.BytesIO()
    how: dict[str, Any] = {"quality": 85} if form == "WEBP" else {"disposal": 2}
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=durations, loop=0, **how)
    return {"size": frames[0].size}, out.getvalue()


def _frames_of(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except (OSError, SyntaxError, ValueError, EOFError):
        raise Refusal("incomplete") from None


def _seek(image: Image.Image, number: int) -> None:
    try:
        image.seek(number)
    except (OSError, SyntaxError, ValueError, EOFError):
        raise Refusal("incomplete") from None
    _load(image)


def pixels(file: BinaryIO, *, forms: list[str], pixels_max: int) -> Result:
    """Decode a picture into rows of RGB bytes."""
    with _opened(file, forms, pixels_max) as image:
        _load(image)
        made = image.convert("RGB")
    return {"pages": [made.size]}, made.tobytes()


def watermarked(file: BinaryIO, *, lines: list[str], forms: list[str], pixels_max: int, quality: int = 85) -> Result:
    """Rewrite a picture as a JPEG of the same size with a watermark."""
    from .watermark import marked

    with _opened(file, forms, pixels_max) as image:
        _load(image)
        made = marked(image.convert("RGB"), lines)
    out = io.BytesIO()
    made.save(out, "JPEG", quality=quality)
    return {}, out.getvalue()


def _opened(file: BinaryIO, forms: list[str], pixels_max: int) -> ImageFile.ImageFile:
    """Open a picture so that its size is known and nothing is decoded yet."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = None  # our own limit, below
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(file, formats=forms)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError, Warning):
        raise Refusal("incomplete") from None
    if image.size[0] * image.size[1] > pixels_max:
        raise Refusal("pixels")
    return image


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError):  # Pillow's decoders say "truncated" in many ways
        raise Refusal("incomplete") from None


def _flat(image: Image.Image) -> Image.Image:
    """Put a picture on a white ground where it is transparent; of 16 bits a pixel, keep the upper eight."""
    if image.mode.startswith("I"):
        return image.point(lambda level: level / 256, "L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", layer.size, "white")
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    return image.convert("RGB")


OPERATIONS = {"clean": clean, "logo": logo, "moving": moving, "pixels": pixels, "watermarked": watermarked}
