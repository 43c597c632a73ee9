"""A file in a form, no larger than what is kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from wallet.core.attachments import BYTES_MAX


class FileField(forms.FileField):
    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if file and file.size > BYTES_MAX:
            raise forms.ValidationError(_("The file is larger than 10 MB."))
        return file
