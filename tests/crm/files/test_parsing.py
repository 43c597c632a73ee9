"""`crm.files.parsing`: whatever a file does, it does to a child with limits, and the caller gets a sentence."""

import ctypes
import io
import os
import subprocess
import sys
import threading
import time
import zlib
from functools import cache
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from reportlab.pdfgen import canvas

from crm.files.parsing import Limits, ParsingBusy, ParsingRefused, Pool, parse
from crm.files.parsing.process import FOLDER
from crm.files.parsing.slots import slot

MEGABYTE = 1024 * 1024
PDF = {"pages_max": 20, "stream_max": 64 * MEGABYTE, "file_max": 256 * MEGABYTE, "pixels_max": 25_000_000}
IMAGE = {"forms": ["JPEG", "PNG", "WEBP"], "pixels_max": 25_000_000, "side_min": 300, "side_max": 4200}


def picture(size=(800, 600), form="JPEG"):
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, form)
    return out.getvalue()


def test_an_answer_has_facts_bytes_and_what_it_cost():
    answer = parse("image.clean", picture(), **IMAGE)
    assert answer.facts == {"size": [800, 600], "traces": {}} and answer.content[:3] == b"\xff\xd8\xff"
    assert 0 < answer.cost["cpu_seconds"] < 5 and answer.cost["peak_bytes"] > 5 * MEGABYTE


def typed_pdf(*runs):
    """A line of texts, each in a font of its own."""
    out, left = io.BytesIO(), 72.0
    page = canvas.Canvas(out)
    for text, font in runs:
        page.setFont(font, 12)
        page.drawString(left, 700, text)
        left += page.stringWidth(text, font, 12)
    page.save()
    return out.getvalue()


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([("Total 1", "Helvetica"), ("9", "Courier"), ("0,00 EUR", "Helvetica")], 1),
        ([("Anna We", "Helvetica"), ("ber and 2", "Times-Roman"), ("6 Oct", "Courier")], 2),
        ([("Total: ", "Helvetica-Bold"), ("190,00", "Helvetica"), (" EUR", "Courier")], 0),
        ([("IBAN:", "Helvetica-Bold"), ("DE89", "Helvetica"), ("/", "Courier"), ("Berlin", "Helvetica")], 0),
    ],
)
def test_words_in_two_fonts_are_counted(runs, words):
    assert parse("pdf.clean", typed_pdf(*runs), **PDF).facts["traces"] == ({"mixed_words": words} if words else {})


def test_a_file_object_is_read_from_its_beginning():
    file = io.BytesIO(picture())
    file.read(100)
    assert parse("image.clean", file, **IMAGE).content


def in_child(code):
    """Run a line of Python in a child that was confined as one for files is."""
    line = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); from child.confine import confine; "
    line += f"confine({512 * MEGABYTE}, 2, {4 * MEGABYTE}); {code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", line],
        capture_output=True,
        text=True,
        timeout=60,
        env={"LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("bytearray(1024**3)", "MemoryError"),
        ("import os; open(os.memfd_create('x'), 'wb').write(bytes(8 * 1024**2))", "File too large"),
        ("import socket; socket.socket()", "not permitted"),
        ("import os; os.execv('/bin/true', ['true'])", "not permitted"),
        ("import os; os.kill(os.getppid(), 0)", "not permitted"),
        ("import os; [os.dup(0) for _ in range(100)]", "Too many open files"),
    ],
)
def test_a_child_has_no_rights_beyond_its_file(code, words):
    status, output = in_child(code)
    assert status == 1 and words in output


def has_landlock():
    """Kernels before 5.13, and some that were built without it, have none: there the child reads what its user may."""
    return ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1)) >= 1


@pytest.mark.skipif(not has_landlock(), reason="the kernel has no Landlock")
def test_a_child_opens_no_file_of_ours_and_writes_none(tmp_path):
    secret = tmp_path / "keys.env"
    secret.write_text("KEELSON_FIELD_KEY=0")
    ours = Path(__file__).resolve().parents[3]
    for path in (
        "/etc/passwd",
        "/proc/1/environ",
        "/proc/self/environ",
        secret,
        ours / "manage.py",
        ours / "crm/settings/base.py",
    ):
        status, output = in_child(f"open({str(path)!r})")
        assert status == 1 and "Permission denied" in output, path
    for code in (f"import os; os.listdir({str(tmp_path)!r})", f"open({str(tmp_path / 'new')!r}, 'w')"):
        status, output = in_child(code)
        assert status == 1 and "Permission denied" in output, code
    assert [path.name for path in tmp_path.iterdir()] == ["keys.env"]


@pytest.mark.skipif(not has_landlock(), reason="the kernel has no Landlock")
def test_a_child_still_imports_what_it_needs():
    libraries = "pikepdf, pypdfium2, python_calamine, PIL.Image, zoneinfo, encodings.cp1252"
    status, output = in_child(f"import {libraries}; PIL.Image.init(); print('fine')")
    assert (status, output.strip()) == (0, "fine")


def test_a_child_that_loops_is_ended_by_the_processor_limit():
    status, _output = in_child("exec('while True: pass')")
    assert status == -24  # SIGXCPU


def test_a_child_knows_no_key_and_no_address_of_ours(monkeypatch):
    monkeypatch.setenv("KEELSON_FIELD_KEY", "0" * 64)
    seen = {}

    class Watched(subprocess.Popen):
        def __init__(self, command, **options):
            seen.update(options["env"])
            super().__init__(command, **options)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    parse("image.clean", picture(), **IMAGE)
    assert set(seen) <= {"LC_ALL", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "LD_LIBRARY_PATH"}


def test_the_child_imports_nothing_of_ours():
    """It starts in a tenth of a second, and a fault in a library reaches no model and no setting."""
    line = (
        f"import sys; sys.path.insert(0, {str(FOLDER)!r}); from child.run import operation_of; "
        "[operation_of(one) for one in ('image.clean', 'pdf.clean', 'workbook.rows')]; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'crm', 'django', 'psycopg', 'celery', 'kyc', 'wallet'}))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", line], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_wall_time_ends_a_child_that_waits():
    before = time.monotonic()
    with pytest.raises(ParsingRefused, match="takes too long") as told:
        parse("image.clean", picture((4000, 3000)), limits=Limits(wall_seconds=0.05), **IMAGE)
    assert told.value.code == "time" and time.monotonic() - before < 20


def test_what_is_longer_than_the_answer_may_be_is_refused():
    with pytest.raises(ParsingRefused, match="expands to far more") as told:
        parse(
            "image.pixels",
            picture((3000, 2000)),
            limits=Limits(output_bytes=MEGABYTE),
            forms=["JPEG"],
            pixels_max=10**8,
        )
    assert told.value.code == "output"


def test_few_children_run_at_once(settings, tmp_path):
    settings.VAR_DIR, settings.PARSING_SLOTS = tmp_path, 1
    with slot(Pool.PAGES, wait_seconds=0) as is_free:
        assert is_free
        with pytest.raises(ParsingBusy, match="Try again in a minute"):
            parse("image.clean", picture(), limits=Limits(wait_seconds=0.1), **IMAGE)
        # Jobs have slots of their own.
        assert parse("image.clean", picture(), limits=Limits(wait_seconds=0.1), pool=Pool.JOBS, **IMAGE).content
    assert parse("image.clean", picture(), **IMAGE).content


def test_who_waits_for_a_slot_gets_the_next_one(settings, tmp_path):
    settings.VAR_DIR, settings.PARSING_SLOTS = tmp_path, 1
    done = []
    threads = [threading.Thread(target=lambda: done.append(parse("image.clean", picture(), **IMAGE))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 3


# ── files that attack ────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def chained_flate_pdf():
    """2 kB: a page whose content is a gigabyte of zeros in Flate in Flate in Flate. One megabyte is squeezed, and repeated."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = squeeze.compress(bytes(MEGABYTE)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    checksum = (1024 * MEGABYTE % 65_521) << 16 | 1  # Adler-32 of zeros
    data = b"\x78\xda" + block * 1024 + b"\x03\x00" + checksum.to_bytes(4, "big")
    for _ in range(2):
        data = zlib.compress(data, 9)
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    page.obj.Contents = pdf.make_stream(data)
    page.obj.Contents.stream_dict.Filter = pikepdf.Array([pikepdf.Name.FlateDecode] * 3)
    out = io.BytesIO()
    pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def one_flate_pdf():
    """Streams of a single Flate: each below the limit, together far above."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    data = zlib.compress(bytes(60 * MEGABYTE), 9)
    page.obj.Contents = pikepdf.Array()
    for _ in range(20):
        stream = pdf.make_stream(data)
        stream.stream_dict.Filter = pikepdf.Name.FlateDecode
        page.obj.Contents.append(stream)
    out = io.BytesIO()
    pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def huge_picture_pdf(filter_name="/FlateDecode", width=60_000, height=60_000):
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    image = pdf.make_stream(zlib.compress(bytes(MEGABYTE)))
    image.stream_dict.update(
        pikepdf.Dictionary(
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=width,
            Height=height,
            BitsPerComponent=8,
            ColorSpace=pikepdf.Name.DeviceRGB,
            Filter=pikepdf.Name(filter_name),
        )
    )
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=image))
    page.obj.Contents = pdf.make_stream(b"q 600 0 0 800 0 0 cm /A Do Q")
    out = io.BytesIO()
    pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def forms_in_forms_pdf():
    """Each form draws the one below it thirty times: 30^8 drawings in 3 kB."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    below = None
    for _ in range(8):
        form = pdf.make_stream(b"/A Do " * 30 if below is not None else b"0 0 100 100 re f ")
        form.stream_dict.update(
            pikepdf.Dictionary(Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 600, 800])
        )
        if below is not None:
            form.stream_dict.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=below))
        below = pdf.make_indirect(form)
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=below))
    page.obj.Contents = pdf.make_stream(b"/A Do")
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def nested_pdf():
    return b"%PDF-1.7\n1 0 obj\n" + b"[" * 2_000_000 + b"\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF"


def many_pages_pdf():
    """A page tree that names one page three hundred thousand times."""
    kids = b"3 0 R " * 300_000
    return (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 1 /Kids ["
        + kids
        + b"] >>"
        b"\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF"
    )


def big_png():
    out = io.BytesIO()
    Image.new("1", (14_000, 14_000)).save(out, "PNG")
    return out.getvalue()


def long_webp():
    frames = [Image.new("RGB", (500, 500), (shade, 0, 0)) for shade in range(100)]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    return out.getvalue()


PDFS = {
    "chained": chained_flate_pdf,
    "sum": one_flate_pdf,
    "picture": huge_picture_pdf,
    "forms": forms_in_forms_pdf,
    "jbig2": lambda: huge_picture_pdf("/JBIG2Decode", 4_000, 4_000),
    "nested": nested_pdf,
    "pages": many_pages_pdf,
}


class Cost:
    """What a block costs this process: seconds of processor, and bytes of memory above what it had."""

    def __enter__(self):
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        self.before, self.started = self.peak(), time.process_time()
        return self

    def __exit__(self, *_error):
        self.seconds, self.grown = time.process_time() - self.started, self.peak() - self.before

    @staticmethod
    def peak():
        line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@pytest.mark.parametrize("kind", PDFS)
def test_a_pdf_that_attacks_costs_this_process_nothing(kind):
    raw = PDFS[kind]()
    began = time.monotonic()
    with Cost() as cost:
        try:
            answer = parse("pdf.clean", raw, limits=Limits(cpu_seconds=4, wall_seconds=20), **PDF)
        except ParsingRefused as refused:
            assert refused.code in {
                "unpacks",
                "memory",
                "time",
                "pixels",
                "damaged",
                "crashed",
                "pages",
                "output",
                "no_pages",
            }
        else:
            assert kind == "jbig2" and answer.facts["pages"] == 1  # drawn blank: it claims less than it may
    assert cost.grown < 64 * MEGABYTE and cost.seconds < 2
    assert time.monotonic() - began < 60


def test_zeros_in_flate_in_flate_are_refused_before_they_unpack():
    raw = chained_flate_pdf()
    assert len(raw) < 4_000
    with pytest.raises(ParsingRefused) as told:
        parse("pdf.clean", raw, **PDF)
    assert told.value.code == "unpacks"


@pytest.mark.parametrize("make", [big_png, long_webp])
def test_a_picture_that_attacks_costs_this_process_nothing(make):
    raw = make()
    with Cost() as cost:
        try:
            parse("image.clean", raw, **IMAGE)
        except ParsingRefused as refused:
            assert refused.code in ("pixels", "animated")
    assert cost.grown < 64 * MEGABYTE and cost.seconds < 2


def test_a_picture_at_the_limit_fits_into_a_child():
    """The largest that are taken decode within the memory of a child, with transparency and without."""
    out = io.BytesIO()
    Image.new("RGBA", (5_000, 5_000), (1, 2, 3, 4)).save(out, "PNG", compress_level=1)
    assert parse("image.clean", out.getvalue(), **IMAGE).facts["size"] == [4200, 4200]
    out = io.BytesIO()
    Image.new("RGB", (8_000, 8_000), (1, 2, 3)).save(out, "JPEG", progressive=True, subsampling=0)
    answer = parse("image.clean", out.getvalue(), **{**IMAGE, "pixels_max": 64_000_000})
    assert answer.facts["size"] == [4200, 4200] and answer.cost["peak_bytes"] < 768 * MEGABYTE


def test_no_child_is_left_behind():
    with pytest.raises(ParsingRefused):
        parse("pdf.clean", forms_in_forms_pdf(), limits=Limits(cpu_seconds=30, wall_seconds=0.3), **PDF)
    mine = [one.parent for one in Path("/proc").glob("[0-9]*/stat") if f") S {os.getpid()} " in one.read_text()]
    assert not [one for one in mine if b"child.run" in (one / "cmdline").read_bytes()]
