"""The Lambda functions: one module each, with the name that it has in app.py.

A module's `handler` is given Lambda's events; `function` builds what handles them, once a process.
"""

from importlib import import_module

NAMES = ("ingest", "aggregate", "publish", "watch", "connect", "message", "disconnect")


def prepare(name: str) -> None:
    """Import and build a function before its first event.

    Args:
        name: its name in app.py; any other name does nothing.

    Raises:
        ConfigError: a setting is missing or invalid.
    """
    if name in NAMES:
        import_module(f"{__name__}.{name}").function()
