"""Which static files are collected: not what nothing asks for, which is half of the seconds that packing them takes."""

from __future__ import annotations

from typing import Final

from django.contrib.staticfiles.apps import StaticFilesConfig

UNUSED: Final = (
    "django_htmx",  # htmx comes from static/vendor
    "tabler.min.css",  # pages use what deploy/purge_css.py keeps of it
    "tabler.rtl.min.css",
    "xregexp.js",  # of Django's admin, for debugging
    "jquery.js",
    "select2.full.js",
)


class StaticFiles(StaticFilesConfig):
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, *UNUSED]
