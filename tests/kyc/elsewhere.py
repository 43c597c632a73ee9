"""The tests' settings with the files in a folder of one's own (KEELSON_PRIVATE_DIR)."""

import os
from pathlib import Path

from crm.settings.test import *  # noqa: F403

PRIVATE_DIR = Path(os.environ["KEELSON_PRIVATE_DIR"])
