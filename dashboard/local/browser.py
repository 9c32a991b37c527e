"""Show a page to the person at this machine."""

import os
import sys
import webbrowser


def open_page(url: str) -> None:
    """Open a page in the browser, where there is a desktop to show it on."""
    has_desktop = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    # Without one, a text browser would take over the terminal.
    if has_desktop:
        webbrowser.open(url)
