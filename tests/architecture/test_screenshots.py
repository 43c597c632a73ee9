"""The pictures of the main pages are there, are small, and are those that the script takes."""

import pytest
from PIL import Image

from tests.screenshots.__main__ import FOLDER, listing
from tests.screenshots.pictures import DESK, PHONE, PICTURES
from tests.smoke.instance import ROOT


def test_ten_main_pages_are_pictured_and_no_picture_is_left_over():
    assert len(PICTURES) == 10
    assert {path.stem for path in FOLDER.glob("*.png")} == {picture.name for picture in PICTURES}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_has_its_size(picture):
    with Image.open(FOLDER / f"{picture.name}.png") as image:
        scale = 2 if picture.size == PHONE else 1
        assert image.size == tuple(side * scale for side in picture.size)


def test_all_pictures_together_stay_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.png")) < 3_000_000


def test_the_list_names_every_picture_and_the_readme_shows_one():
    assert (FOLDER / "README.md").read_text() == listing()
    assert "docs/screenshots/" in (ROOT / "README.md").read_text()


def test_some_are_dark_and_one_is_a_phone():
    assert sum(picture.dark for picture in PICTURES) >= 2
    assert {picture.size for picture in PICTURES} == {DESK, PHONE}
