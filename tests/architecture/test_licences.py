"""NOTICE names every dependency with its licence, and none of them binds who runs Keelson to the GPL."""

import pytest
from django.core.management import call_command

from crm.project import licences
from crm.project.licences import Dependency


def test_notice_is_current():
    call_command("licences", "--check")


def test_every_dependency_names_a_licence_and_none_is_gpl():
    found = licences.packages() + licences.vendored()
    assert len(licences.packages()) > 80
    assert len(licences.vendored()) >= 5
    assert [one.name for one in found if not one.licence] == []
    assert [f"{one.name}: {one.licence}" for one in found if one.is_copyleft] == []


@pytest.mark.parametrize(
    ("licence", "is_copyleft"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("GNU General Public License v2 or later (GPLv2+)", True),
        ("GNU Affero General Public License v3", True),
        ("BSD License, GNU General Public License (GPL)", True),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", False),
        ("MIT", False),
    ],
)
def test_gpl_is_told_from_the_lesser_one(licence, is_copyleft):
    assert Dependency("x", "1", licence).is_copyleft is is_copyleft
