"""Banners: uploaded within bounds, embedded with the partner's link, views and clicks counted by link and day."""

import html
import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from crm.errors import DomainError, NotAllowed
from ib.links import switch_link
from ib.materials.banners import Picture, add_banner, switch_banner
from ib.models import Material, MaterialDay, ReferralDay
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


def picture(form="PNG", size=(300, 250)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, form)
    return out.getvalue()


def film(form, frames=3, size=(60, 60)) -> bytes:
    out = io.BytesIO()
    first, *others = [Image.new("RGB", size, (number * 97 % 256, number * 31 % 256, 90)) for number in range(frames)]
    first.save(out, form, save_all=True, append_images=others, duration=40, comment=b"<script>hidden</script>")
    return out.getvalue()


def upload(browser, cast, content, **changes):
    data = {"brand": cast.brand.pk, "name": "Spring", "alt": "Trade <now>", "language": "", **changes}
    return browser.post(reverse("ib_material_new"), {**data, "file": SimpleUploadedFile("a.png", content)})


def test_a_banner_is_rebuilt_and_kept_within_bounds(cast, browse):
    browser = browse(cast.ib_manager)
    for content, text in (
        (b"<svg onload=alert(1)></svg>", "a PNG, JPEG, GIF or WebP image"),
        (picture()[:200], "a PNG, JPEG, GIF or WebP image"),
        (film("GIF", frames=101), "it has too many frames"),
        (film("WEBP")[:150], "damaged"),
        (picture(size=(300, 20)), "smaller than 50 pixels"),
        (b"x" * (2 * 1024 * 1024 + 1), "2 MB"),
    ):
        assert text in text_of(upload(browser, cast, content))
    assert not Material.objects.exists()
    upload(browser, cast, picture())
    upload(browser, cast, picture("JPEG", (728, 90)) + b"<script>hidden</script>", name="Leaderboard")
    kept = {row.name: row for row in Material.objects.all()}
    assert (kept["Spring"].width, kept["Spring"].height) == (300, 250)
    assert kept["Leaderboard"].content_type == "image/jpeg" and b"<script>" not in bytes(kept["Leaderboard"].content)
    for form in ("GIF", "WEBP"):
        upload(browser, cast, film(form) + b"<script>hidden</script>", name=form)
        row = Material.objects.get(name=form)
        rebuilt = Image.open(io.BytesIO(bytes(row.content)))
        assert (row.content_type, rebuilt.n_frames, rebuilt.size) == (f"image/{form.lower()}", 3, (60, 60))
        assert b"hidden" not in bytes(row.content)
    assert "has this picture already" in text_of(upload(browser, cast, picture()))
    assert "728 × 90" in text_of(browser.get(reverse("ib_materials")))


PAGE = """<!doctype html><html><head><meta name="ad.size" content="width=300,height=250">
<link rel="stylesheet" href="css/a.css">
<script>var clickTag = "https://example.com/";</script><script src="js/a.js" defer></script></head>
<body><img src="img/a.png"></body></html>"""
FILES = {
    "index.html": PAGE,
    "css/a.css": "body { background: url(../img/a.png) } /* </style><b> */",
    "js/a.js": "document.onclick = () => open(window.clickTag); // </script>",
    "img/a.png": b"\x89PNG",
    "__MACOSX/._a": b"",
}


def bundle(folder="", **changes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**FILES, **changes}.items():
            if content is not None:
                archive.writestr(folder + name, content)
    return out.getvalue()


def test_an_html5_banner_becomes_one_page_in_a_frame_of_its_own(network, cast, browse):
    """It loads nothing, has no origin of ours and leads to the partner's link; opened alone it leads there at once."""
    browser, link = browse(cast.ib_manager), network.sub.referral_links.get()
    for changes, text in (
        ({"index.html": None}, "has no index.html"),
        ({"index.html": PAGE.replace("ad.size", "size")}, "state its size"),
        ({"index.html": PAGE.replace("clickTag =", "other =")}, "set a clickTag"),
        ({"index.html": PAGE.replace("js/a.js", "https://cdn.example.com/x.js")}, "“https://cdn.example.com/x.js”"),
        ({"index.html": PAGE.replace("width=300", "width=30")}, "50 to 2,000 pixels"),
        ({"run.php": "x"}, "“run.php” can't be part of a banner"),
        ({"img/b.png": b"\0" * (5 * 1024 * 1024)}, "larger than 4 MB when unpacked"),
        ({"js/a.js": "'img/a.png'," * 200_000, "img/a.png": b"x" * 90_000}, "rejected"),
        ({f"{number}.css": "" for number in range(61)}, "more than 60 files"),
    ):
        assert text in html.unescape(text_of(upload(browser, cast, bundle(**changes)))), changes.keys()
    assert "damaged" in text_of(upload(browser, cast, bundle()[:300])) and not Material.objects.exists()
    upload(browser, cast, bundle("banner/"), name="Film", language="de")
    made = Material.objects.get()
    kept = bytes(made.content).decode()
    assert (made.width, made.height, made.content_type) == (300, 250, "text/html")
    assert 'src="data:image/png;base64,iVBORw==' in kept and "url(data:image/png" in kept
    assert kept.count("</style") == 1 and "example.com" not in kept and "a.js" not in kept
    assert kept.index("</body>") < kept.index("document.onclick") and kept.count("</script>") == 2
    page = browse(network.sub.user).get(reverse("partner_materials"))
    code = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page.content.decode(), re.S)[1])
    assert 'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox"' in code and "<img" not in code
    address, visitor = html.unescape(re.search(r'src="([^"]*)"', code)[1]), browse(None)
    shown = visitor.get(address, headers={"sec-fetch-dest": "iframe"})
    assert f'clickTag = "http://testserver/r/{link.code}/?banner={made.pk}&lang=de"' in shown.content.decode()
    assert "x-frame-options" not in shown.headers and shown["X-Content-Type-Options"] == "nosniff"
    rules = shown["Content-Security-Policy"]
    assert (
        "default-src 'none'" in rules and "sandbox allow-scripts allow-popups" in rules and "same-origin" not in rules
    )
    alone = visitor.get(address, headers={"sec-fetch-dest": "document"})
    assert alone.status_code == 302 and alone["Location"].endswith(f"banner={made.pk}&lang=de")
    assert MaterialDay.objects.get().views == 1
    for own in (
        browse(network.sub.user).get(reverse("partner_material_picture", args=[made.pk])),
        browser.get(reverse("ib_material_picture", args=[made.pk])),
    ):
        assert "frame-ancestors 'self'" in own["Content-Security-Policy"] and b'"about:blank"' in own.content
    assert "<iframe" in browser.get(reverse("ib_material", args=[made.pk])).content.decode()


def test_a_partner_embeds_it_and_views_and_clicks_count(network, cast, browse, django_assert_max_num_queries):
    made = add_banner(
        brand_id=cast.brand.pk,
        name="Spring",
        alt='Trade "now" <b>',
        picture=Picture(picture(), "image/png", 300, 250),
        actor=cast.ib_manager,
        language="de",
    )
    browser, link = browse(network.sub.user), network.sub.referral_links.get()
    browser.get(reverse("partner_materials"))
    with django_assert_max_num_queries(16):
        page = browser.get(reverse("partner_materials"), {"lang": "de"})
    code = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page.content.decode(), re.S)[1])
    target, image = (html.unescape(re.search(pattern, code)[1]) for pattern in (r'href="([^"]*)"', r'src="([^"]*)"'))
    assert "<b>" not in code and f"/r/{link.code}/" in target and f"banner={made.pk}" in target
    visitor = browse(None)
    shown = visitor.get(image)
    assert shown["Content-Type"] == "image/png" and shown["Cache-Control"] == "no-cache"
    assert visitor.get(image, headers={"if-none-match": shown["ETag"]}).status_code == 304
    assert visitor.get(target).status_code == 302
    for strange in ("x" * 5000, "999999", "-1", "1e3", "²"):
        visitor.get(reverse("referral", args=[link.code]), {"banner": strange})
    day = MaterialDay.objects.get()
    assert (day.link_id, day.views, day.clicks) == (link.pk, 2, 1)
    assert ReferralDay.objects.filter(link=link).count() == 1
    assert "2 views, 1 clicks" in text_of(browser.get(reverse("partner_materials")))
    lines = browser.get(reverse("partner_materials"), {"export": "csv"}).getvalue().decode().splitlines()
    assert lines[1:] == ["Spring,300 × 250,2,1"]
    switch_link(link_id=link.pk, is_active=False, actor=None)
    assert visitor.get(image).status_code == 200 and MaterialDay.objects.get().views == 2
    assert visitor.get(image.replace(link.code, "nobody")).status_code == 404


def test_who_may_add_and_withdraw_banners(network, cast, browse):
    given = {"brand_id": cast.brand.pk, "name": "A", "alt": "A", "picture": Picture(b"a", "image/png", 300, 250)}
    for stranger in (cast.agent, network.sub.user):
        with pytest.raises(NotAllowed):
            add_banner(**given, actor=stranger)
    made = add_banner(**given, actor=cast.ib_manager)
    with pytest.raises(DomainError, match="already"):
        add_banner(**given, actor=cast.ib_manager)
    with pytest.raises(NotAllowed):
        switch_banner(banner_id=made.pk, is_active=False, actor=network.sub.user)
    browse(cast.ib_manager).post(reverse("ib_material_switch", args=[made.pk]))
    assert "No banners yet" in text_of(browse(network.sub.user).get(reverse("partner_materials")))
    assert browse(network.sub.user).get(reverse("partner_material_picture", args=[made.pk])).status_code == 404
    assert "Withdraw" not in text_of(browse(cast.ib_manager).get(reverse("ib_material", args=[made.pk])))
