"""How a brand looks: who may change it, what of an upload is kept, and where it shows."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from PIL import Image

from crm.demo import LOOKS
from crm.errors import NotAllowed
from crm.files.svg import UnsafeDrawing, rebuilt
from crm.models import AuditEvent, BrandLook
from crm.staff.brand_look import Drawing, change_look
from tests.cast import signed_in

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d 10"><path d="M0 0h10v10z" fill="#f00"/></svg>'


@pytest.mark.parametrize("name", ["meridian-logo", "meridian-picture", "southern-logo", "southern-picture"])
def test_our_own_drawings_come_through_whole(name):
    content = (LOOKS / f"{name}.svg").read_bytes()
    made, ratio = rebuilt(content)
    assert made.count(b"<") == content.count(b"<") and ratio >= 1


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<foreignObject><p>x</p></foreignObject>",
        '<image href="https://evil.example/a.png"/>',
        "<style>*{fill:red}</style>",
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        '<use href="#x"/>',
        "<animate attributeName='x'/>",
    ],
)
def test_a_drawing_with_anything_else_is_refused(inside):
    with pytest.raises(UnsafeDrawing):
        rebuilt(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{inside}</svg>'.encode())


@pytest.mark.parametrize(
    "content",
    [
        b"not a drawing",
        b'<svg viewBox="0 0 1 1"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">' + b"<path/>" * 3_000 + b"</svg>",
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">' + b"<g>" * 1_900 + b"</g>" * 1_900 + b"</svg>",
        SVG % 10 + b" " * 200_000,
    ],
)
def test_what_is_no_small_plain_drawing_is_refused(content):
    with pytest.raises(UnsafeDrawing):
        rebuilt(content)


def test_attributes_that_act_or_load_are_dropped():
    made, _ratio = rebuilt(
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:i="http://www.inkscape.org/" viewBox="0 0 1 1" onload="alert(1)">'
        b'<i:view zoom="1"/><path style="fill:url(https://evil.example)" fill="url(https://evil.example/a)" '
        b'stroke="url(#own)" d="M0 0"/></svg>'
    )
    assert b"evil" not in made and b"onload" not in made and b"inkscape" not in made
    assert b'stroke="url(#own)"' in made and b'd="M0 0"' in made


def dressed(cast, **changes):
    values = {"colour": "#112233", "accent_colour": "#445566", "logo": None, "picture": None}
    return change_look(brand_id=cast.brand.pk, actor=cast.administrator, **{**values, **changes})


@pytest.mark.django_db
def test_a_look_is_changed_and_recorded(cast):
    brand = dressed(cast, logo=Drawing(*rebuilt(SVG % 50)), picture=Drawing(b"\x89PNG\r\n\x1a\n...", 2.0))
    assert brand.colour == "#112233" and brand.is_logo_wide and len(brand.logo_version) == 12
    event = AuditEvent.objects.get(action="crm.brand_look_changed")
    assert event.actor_id == cast.administrator.pk and event.brand_id == cast.brand.pk
    assert dressed(cast).logo_version == brand.logo_version, "None leaves what is there"
    assert dressed(cast, logo=Drawing(b"", 1)).logo_version == ""


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["agent", "desk_head", "finance", "marketing", "auditor"])
def test_nobody_else_changes_it(cast, who):
    with pytest.raises(NotAllowed):
        change_look(
            brand_id=cast.brand.pk,
            actor=getattr(cast, who),
            colour="#112233",
            accent_colour="#445566",
            logo=None,
            picture=None,
        )
    cast.brand.refresh_from_db()
    assert cast.brand.colour != "#112233" and not BrandLook.objects.exists()


def upload(cast, **files):
    data = {"colour": "#aa0000", "accent_colour": "#00aa00", **files}
    return signed_in(cast.administrator).post(f"/brands/{cast.brand.pk}/look/", data)


@pytest.mark.django_db
def test_uploads_are_rebuilt_and_shown_on_the_brands_pages(cast):
    photo = io.BytesIO()
    Image.new("RGB", (2_400, 900), "navy").save(photo, "JPEG")
    answer = upload(
        cast, logo=SimpleUploadedFile("logo.svg", SVG % 10), picture=SimpleUploadedFile("a.jpg", photo.getvalue())
    )
    assert answer.status_code == 302
    cast.brand.refresh_from_db()
    look = BrandLook.objects.get(brand=cast.brand)
    assert bytes(look.logo).startswith(b"<svg") and Image.open(io.BytesIO(bytes(look.picture))).size == (1_600, 600)
    browser = signed_in(cast.client_user)
    page = Browser().get(f"/b/{cast.brand.code}/login/").content.decode()
    address = f"/brand/{cast.brand.code}/logo/?v={cast.brand.logo_version}"
    assert address in page and address in browser.get("/portal/").content.decode()
    served = browser.get(address)
    assert served["Content-Type"] == "image/svg+xml" and "sandbox" in served["Content-Security-Policy"]
    css = browser.get(f"/brand/{cast.brand.code}.css").content.decode()
    assert f"/brand/{cast.brand.code}/picture/?v={cast.brand.picture_version}" in css


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "content", "words"),
    [
        ("logo", SVG % 10 + b"<script/>", "valid SVG"),
        ("picture", b"GIF89a", "SVG, PNG or JPEG"),
        ("colour", "red", "#rrggbb"),
    ],
)
def test_what_is_no_picture_is_said_at_its_field(cast, field, content, words):
    value = content if field == "colour" else SimpleUploadedFile("x", content)
    answer = upload(cast, **{field: value})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not BrandLook.objects.exists()
