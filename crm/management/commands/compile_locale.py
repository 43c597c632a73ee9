"""`manage.py compile_locale [--extract] [--check]`: translations, without gettext's programs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.i18n import catalogues


class Command(BaseCommand):
    help = "Compile locale/*.po into .mo. --extract first reads new texts from code and templates; --check changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--extract", action="store_true", help="update the .po files from code and templates")
        parser.add_argument("--check", action="store_true", help="exit 1 when something is out of date or untranslated")
        parser.add_argument("apps", nargs="*", help="only these apps")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = []
        for app in options["apps"] or settings.KEELSON_APPS:
            for language in catalogues.LANGUAGES:
                if options["check"]:
                    problems += self._check(app, language)
                    continue
                if options["extract"]:
                    catalogues.write_catalog(app, language, catalogues.merged(app, language))
                self._compile(app, language)
        if problems:
            raise CommandError("\n".join(problems))

    def _compile(self, app: str, language: str) -> None:
        path = catalogues.po_path(app, language)
        if path.exists():
            path.with_suffix(".mo").write_bytes(catalogues.compiled(app, language))
            missing = catalogues.untranslated(app, language, only_public=False)
            self.stdout.write(f"{path}: {len(missing)} texts without a translation")

    def _check(self, app: str, language: str) -> list[str]:
        path = catalogues.po_path(app, language)
        catalogued = {(message.id, message.context) for message in catalogues.read_catalog(app, language) if message.id}
        used = {(message.id, message.context) for message in catalogues.template_catalog(app) if message.id}
        problems = [f"{path}: not extracted: {message!r}" for message, _context in used - catalogued]
        problems += [f"{path}: without a translation: {text!r}" for text in catalogues.untranslated(app, language)]
        if path.exists() and (
            not path.with_suffix(".mo").exists()
            or path.with_suffix(".mo").read_bytes() != catalogues.compiled(app, language)
        ):
            problems.append(f"{path}: not compiled")
        return problems
