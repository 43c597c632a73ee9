"""Whether a page fits a phone and a desk: the same page at both widths, without walking to it twice."""

from playwright.sync_api import Page

WIDTHS = ({"width": 390, "height": 844}, {"width": 1440, "height": 900})


def fits_both_widths(page: Page) -> None:
    """Resize to a phone's width and a desk's; nothing may be wider than the page. The size is as before afterwards."""
    before = page.viewport_size
    for size in WIDTHS:
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{page.url} is {wide} px wider than {size['width']}"
    if before:
        page.set_viewport_size(before)
