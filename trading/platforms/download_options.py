"""Where traders get a platform's programs: the vendor's own pages by default, a broker's branded ones from the server's settings.

Match-Trader and Sirix are handed out under each broker's own address, so they have no default.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from trading.platforms.options import Option

WINDOWS, MACOS, IOS, ANDROID, WEB = "windows", "macos", "ios", "android", "web"
LABELS: Final = {
    WINDOWS: _("Windows"),
    MACOS: _("macOS"),
    IOS: _("iPhone and iPad"),
    ANDROID: _("Android"),
    WEB: _("Web terminal"),
}
ICONS: Final = {WINDOWS: "monitor", MACOS: "monitor", IOS: "smartphone", ANDROID: "smartphone", WEB: "globe"}
PLAY: Final = "https://play.google.com/store/apps/details?id="
APPLE: Final = "https://apps.apple.com/app/"
DEFAULTS: Final = {
    "mt5": {
        WINDOWS: "https://www.metatrader5.com/en/download",
        MACOS: "https://www.metatrader5.com/en/terminal/help/start_advanced/install_mac",
        IOS: APPLE + "id413251709",
        ANDROID: PLAY + "net.metaquotes.metatrader5",
        WEB: "https://web.metatrader.app/terminal",
    },
    "mt4": {
        WINDOWS: "https://www.metatrader4.com/en/download",
        IOS: APPLE + "id496212596",
        ANDROID: PLAY + "net.metaquotes.metatrader4",
    },
    "ctrader": {
        WINDOWS: "https://ctrader.com/download/",
        MACOS: "https://ctrader.com/download/",
        IOS: APPLE + "id767428811",
        ANDROID: PLAY + "com.spotware.ct",
        WEB: "https://app.ctrader.com/",
    },
}
HIDDEN: Final = "-"


def options_of(kind: str) -> tuple[Option, ...]:
    """List a server's settings for the download addresses of one kind of platform, one per device."""
    known = DEFAULTS.get(kind, {})
    return tuple(
        Option(
            f"download_{device}",
            label,
            _("Download link for clients. A dash (-) hides it."),
            default=known.get(device, ""),
            pattern=r"-|https://[^\s\"'<>]{3,300}",
        )
        for device, label in LABELS.items()
    )
