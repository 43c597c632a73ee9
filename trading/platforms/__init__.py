"""Trading platforms: one small protocol class (`base.Platform`), one adapter per kind of server."""
