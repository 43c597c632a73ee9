"""Tables of the app's rooms."""

from risk.retention.models import RetentionCase, RetentionFlag

__all__ = ["RetentionCase", "RetentionFlag"]
