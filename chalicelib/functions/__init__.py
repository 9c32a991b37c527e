"""The Lambda functions, one module each, named as in app.py.

A module's `handler` receives Lambda events; its `function` builds the object that handles
them, once per process.
"""

from importlib import import_module

NAMES = (
    *("ingest", "aggregate", "publish", "publish_visible", "watch"),
    *("connect", "message", "disconnect"),
)


def prepare(name: str) -> None:
    """Import and build a function before its first event.

    Args:
        name: name of the function in app.py; any other name is ignored.

    Raises:
        ConfigError: a setting is missing or invalid.
    """
    if name in NAMES:
        import_module(f"{__name__}.{name}").function()
