from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.smoke.instance import ROOT, fresh_instance
from tests.smoke.journey import Journey
from tests.smoke.people import PATIENCE
from tests.smoke.steps import STEPS

CHROMIUM = os.environ.get("KEELSON_CHROMIUM", "/usr/bin/chromium-headless-shell")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def main() -> int:
    started = time.monotonic()
    expect.set_options(timeout=1000 * PATIENCE)
    with fresh_instance() as instance, sync_playwright() as playwright:
        print(f"   instance at {instance.base_url}, demo loaded  {time.monotonic() - started:6.1f} s", flush=True)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        journey = Journey(instance, browser)
        for number, (title, step) in enumerate(STEPS, start=1):
            begun = time.monotonic()
            try:
                told = step(journey) or ""
            except Exception:
                keep = Path(ROOT) / "var" / "smoke"
                keep.mkdir(parents=True, exist_ok=True)
                journey.screenshots(keep)
                log = instance.var.parent / "supervisor.log"
                if log.exists():
                    (keep / "supervisor.log").write_text(log.read_text())
                print(f"✗ {number:2}. {title}  {time.monotonic() - begun:6.1f} s", flush=True)
                traceback.print_exc()
                print(f"Screenshots and the supervisor's log are in {keep}", file=sys.stderr)
                return 1
            print(f"✓ {number:2}. {title:<70} {time.monotonic() - begun:6.1f} s  {told}", flush=True)
        browser.close()
    print(f"The whole journey holds: {len(STEPS)} steps in {time.monotonic() - started:.0f} s", flush=True)
    print(f"{len(STEPS)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
