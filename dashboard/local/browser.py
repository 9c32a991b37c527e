"""Open pages in a browser."""

import os
import sys
import webbrowser


def open_page(url: str) -> None:
    """Open a page in the default browser if the machine has a desktop."""
    has_desktop = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    # Without a desktop, a text browser would take over the terminal.
    if has_desktop:
        webbrowser.open(url)
