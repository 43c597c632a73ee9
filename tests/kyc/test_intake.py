"""What comes in: what it really is, whether it is whole, and that nothing active stays in it."""

import io

import pikepdf
import pytest
from PIL import Image

from kyc import intake
from tests.kyc.factories import bill_pdf, passport_jpeg


def take(content, name="scan.jpg"):
    return intake.take_in(io.BytesIO(content), name=name)


def picture(size=(800, 600), form="JPEG", mode="RGB", **options):
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_pictures_become_clean_jpegs(form):
    clean = take(picture(form=form))
    assert clean.content_type == "image/jpeg"
    assert Image.open(io.BytesIO(clean.content)).format == "JPEG"


def test_metadata_does_not_survive_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    clean = take(picture((800, 600), exif=exif))
    kept = Image.open(io.BytesIO(clean.content))
    assert not kept.getexif() and b"taken at home" not in clean.content
    assert kept.size == (600, 800)


def test_a_transparent_picture_gets_a_white_ground():
    out = io.BytesIO()
    Image.new("RGBA", (600, 600), (0, 0, 0, 0)).save(out, "PNG")
    assert Image.open(io.BytesIO(take(out.getvalue()).content)).getpixel((300, 300)) == (255, 255, 255)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_picture_is_told(form, share):
    whole = picture(form=form)
    with pytest.raises(intake.FileRefused, match="incomplete") as told:
        take(whole[: int(len(whole) * share)])
    assert told.value.code == "truncated"


def test_a_truncated_pdf_is_told():
    with pytest.raises(intake.FileRefused, match="damaged or incomplete"):
        take(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", name="bill.pdf")


def test_a_locked_pdf_is_told():
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(bill_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(intake.FileRefused, match="password"):
        take(out.getvalue())


def test_a_pdf_with_many_pages_is_told():
    pdf = pikepdf.new()
    for _page in range(intake.PDF_PAGES_MAX + 1):
        pdf.add_blank_page()
    out = io.BytesIO()
    pdf.save(out)
    with pytest.raises(intake.FileRefused, match="21 pages; the limit is 20"):
        take(out.getvalue())


def test_a_pdf_loses_everything_that_acts():
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(bill_pdf())) as pdf:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('hello')")
        pdf.Root.OpenAction = pdf.make_indirect(script)
        pdf.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=pikepdf.Array(["x", script])))
        pdf.attachments["evil.exe"] = b"MZ evil payload"
        page = pdf.pages[0]
        page.obj.AA = pikepdf.Dictionary(O=script)
        link = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Link,
            Rect=[0, 0, 100, 100],
            A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe"),
        )
        page.obj.Annots = pikepdf.Array([pdf.make_indirect(link)])
        pdf.save(out, compress_streams=False)
    clean = take(out.getvalue(), name="bill.pdf")
    for word in (b"JavaScript", b"app.alert", b"evil", b"cmd.exe", b"OpenAction", b"Launch"):
        assert word in out.getvalue() and word not in clean.content
    with pikepdf.open(io.BytesIO(clean.content)) as kept:
        assert len(kept.pages) == 1 and not kept.attachments


def test_a_bomb_is_refused_before_it_is_unpacked():
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    with pytest.raises(intake.FileRefused, match="too many pixels"):
        take(bomb.getvalue())


OTHER_KINDS = [
    b"MZ\x90\x00 not a picture",
    b"<html><script>alert(1)</script>",
    b"GIF89a" + b"\0" * 500,
    b"<svg xmlns='x'/>",
    b"PK\x03\x04" + b"\0" * 99,
]


@pytest.mark.parametrize("content", OTHER_KINDS)
def test_other_kinds_are_refused_whatever_they_are_called(content):
    with pytest.raises(intake.FileRefused, match="JPEG, PNG or WebP"):
        take(content, name="passport.jpg")


def test_an_iphone_picture_gets_advice():
    heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\0" * 200
    with pytest.raises(intake.FileRefused, match="HEIC"):
        take(heic)


def test_an_empty_file_and_a_tiny_picture_are_told():
    with pytest.raises(intake.FileRefused, match="empty"):
        take(b"")
    with pytest.raises(intake.FileRefused, match="only 120 × 90 pixels"):
        take(picture((120, 90)))


def test_reading_stops_at_the_limit(settings):
    settings.UPLOAD_MAX_BYTES = 10_000

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            Endless.given += size
            return b"x" * size

        def seek(self, *_args):
            return 0

    with pytest.raises(intake.FileRefused, match="larger than"):
        intake.take_in(Endless(), name="x")
    assert Endless.given <= 10_000 + intake.READ_BYTES


def test_the_first_bytes_decide_what_a_file_is():
    assert intake.sniff(passport_jpeg()) == "image/jpeg"
    assert intake.sniff(bill_pdf()) == "application/pdf"
    assert intake.sniff(b"MZ") == "application/octet-stream"
    assert take(picture(form="WEBP")).content_type == "image/jpeg"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\scan.jpg", "scan.jpg"),
        ("", "document"),
        ("a\x00\u202eb.jpg", "ab.jpg"),
    ],
)
def test_names_are_for_show_only(given, kept):
    assert intake.clean_name(given) == kept
