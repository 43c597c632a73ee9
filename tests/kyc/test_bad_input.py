"""Bad input, one line each: every file ends in a clear sentence to the client, or as a clean picture of what it shows."""

import datetime as dt
import io
import struct
import zlib

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageStat

from kyc import intake, specimens
from tests.kyc.factories import bill_pdf, passport_jpeg


def picture(form, mode="RGB", size=(640, 480), **options):
    out = io.BytesIO()
    Image.effect_noise(size, 40).convert(mode).save(out, form, **options)
    return out.getvalue()


def animated(form):
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    return out.getvalue()


def pdf(pages=1, **options):
    out = io.BytesIO()
    with pikepdf.new() as made:
        for _page in range(pages):
            made.add_blank_page()
        made.save(out, **options)
    return out.getvalue()


def pdf_bomb():
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as made:
        zeros = zlib.compressobj(9)
        packed = b"".join(zeros.compress(bytes(1 << 20)) for _piece in range(400)) + zeros.flush()
        made.pages[0].obj.Contents = pikepdf.Stream(made, packed, Filter=pikepdf.Name.FlateDecode)
        made.save(out, compress_streams=False)
    return out.getvalue()


def png_bomb():
    """Claim 60,000 × 60,000 pixels in a header of a few bytes."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


REFUSED = {
    "empty": (lambda: b"", "The file is empty"),
    "huge": (lambda: b"\xff\xd8\xff" + bytes(12_000_000), "larger than"),
    "a text": (lambda: b"my passport" * 50, "isn't supported. Send a JPEG"),
    "a program": (lambda: b"MZ\x90\x00" * 50, "isn't supported. Send a JPEG"),
    "a web page": (lambda: b"<html><script>alert(1)</script>", "isn't supported. Send a JPEG"),
    "a zip": (lambda: b"PK\x03\x04" + bytes(99), "isn't supported. Send a JPEG"),
    "an SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "isn't supported. Send a JPEG"),
    "animated GIF": (lambda: animated("GIF"), "isn't supported. Send a JPEG"),
    "animated WebP": (lambda: animated("WEBP"), "animated"),
    "animated PNG": (lambda: animated("PNG"), "animated"),
    "HEIC": (lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200), "HEIC"),
    "AVIF": (lambda: b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avif" + bytes(200), "HEIC"),
    "TIFF of several pages": (
        lambda: picture("TIFF", save_all=True, append_images=[Image.new("RGB", (640, 480))]),
        "isn't supported. Send a JPEG",
    ),
    "tiny": (lambda: picture("JPEG", size=(120, 90)), "only 120 × 90 pixels"),
    "half a JPEG": (lambda: picture("JPEG")[:9_000], "incomplete or damaged"),
    "half a PNG": (lambda: picture("PNG")[:9_000], "incomplete or damaged"),
    "a JPEG's head only": (lambda: b"\xff\xd8\xff\xe0" + bytes(64), "incomplete or damaged"),
    "PNG bomb": (png_bomb, "too many pixels"),
    "PDF bomb": (pdf_bomb, "expands to more than"),
    "encrypted PDF": (lambda: pdf(encryption=pikepdf.Encryption(owner="a", user="b")), "password"),
    "PDF of 10,000 pages": (lambda: pdf(10_000), "10000 pages; the limit is 20"),
    "PDF without pages": (lambda: pdf(0), "no pages"),
    "half a PDF": (lambda: bill_pdf()[:400], "damaged or incomplete"),
    "a PDF's head only": (lambda: b"%PDF-1.7\n" + bytes(64), "damaged or incomplete"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_taken_is_explained(name, settings):
    settings.UPLOAD_MAX_BYTES = 10_000_000
    make, sentence = REFUSED[name]
    with pytest.raises(intake.FileRefused) as refused:
        intake.take_in(io.BytesIO(make()), name="passport.jpg")
    message = str(refused.value.message)
    assert sentence.lower() in message.lower()
    assert message[0].isupper() and message.rstrip().endswith(".") and "Traceback" not in message


def deep_png():
    levels = np.asarray(Image.effect_noise((640, 480), 40), np.uint16) * 257
    out = io.BytesIO()
    Image.fromarray(levels).save(out, "PNG")
    return out.getvalue()


TAKEN = {
    "CMYK JPEG": lambda: picture("JPEG", "CMYK"),
    "grey JPEG": lambda: picture("JPEG", "L"),
    "16-bit PNG": deep_png,
    "PNG with a palette": lambda: picture("PNG", "P"),
    "transparent PNG": lambda: picture("PNG", "RGBA"),
    "WebP": lambda: picture("WEBP"),
    "JPEG and ZIP in one": lambda: passport_jpeg() + b"PK\x03\x04evil.exe" + bytes(99) + b"PK\x05\x06" + bytes(18),
    "JPEG and script in one": lambda: passport_jpeg() + b"<script>alert(1)</script>",
    "PDF and script in one": lambda: bill_pdf() + b"\n<script>alert(1)</script>",
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_can_be_taken_becomes_a_clean_copy(name):
    clean = intake.take_in(io.BytesIO(TAKEN[name]()), name="x")
    for part in (b"<script>", b"evil.exe", b"PK\x03\x04"):
        assert part not in clean.content
    if clean.content_type == "image/jpeg":
        kept = Image.open(io.BytesIO(clean.content)).convert("L")
        assert 20 < ImageStat.Stat(kept).mean[0] < 235  # neither black nor burnt out


def test_colours_of_cmyk_survive():
    out = io.BytesIO()
    Image.new("RGB", (400, 300), (200, 60, 60)).convert("CMYK").save(out, "JPEG", quality=95)
    kept = Image.open(io.BytesIO(intake.take_in(io.BytesIO(out.getvalue()), name="x").content))
    red, green, blue = kept.getpixel((200, 150))
    assert red > 150 and green < 110 and blue < 110


def test_the_maker_of_a_file_leaves_traces():
    exif = Image.Exif()
    exif[0x0131] = "Adobe Photoshop 25.1 (Windows)"
    edited = specimens.passport(specimens.Holder("Clara", "Müller", dt.date(1990, 5, 17)))
    out = io.BytesIO()
    edited.save(out, "JPEG", exif=exif)
    assert intake.take_in(io.BytesIO(out.getvalue()), name="x").traces == {"editor": "Photoshop"}
    assert intake.take_in(io.BytesIO(passport_jpeg()), name="x").traces == {}
    assert intake.take_in(io.BytesIO(passport_jpeg()), name="Screenshot_2026-11-24.jpg").traces == {"screenshot": True}
