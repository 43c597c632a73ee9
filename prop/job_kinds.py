"""Jobs of challenges that a person starts and waits for: documents."""

import prop.certificates.pdf  # noqa: F401 (registers its kind)
