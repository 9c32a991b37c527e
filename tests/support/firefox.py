"""Run Firefox, and use it through WebDriver BiDi, a protocol of the W3C that Firefox implements itself."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("firefox", "firefox-esr")
# Firefox starts within seconds, on a busy host within a minute.
_START_SECONDS = 120
_COMMAND_SECONDS = 60
_WAIT_SECONDS = 20
_WINDOW = {"width": 1280, "height": 900}
_EVENTS = ("log.entryAdded", "browsingContext.downloadWillBegin", "browsingContext.downloadEnd")
# The code points of keys without a character: https://www.w3.org/TR/webdriver2/#keyboard-actions.
_KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Shift": "\ue008"}

Element = dict[str, Any]


class Firefox:
    """A running Firefox.

    Args:
        connection: a WebSocket to its remote agent.
        downloads: the folder for downloaded files.
    """

    def __init__(self, connection: ClientConnection, downloads: Path) -> None:
        self.downloads = downloads
        self._connection = connection
        self._last = 0
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result.

        Raises:
            AssertionError: Firefox refuses the command.
        """
        self._last += 1
        self._connection.send(
            json.dumps({"id": self._last, "method": method, "params": parameters})
        )
        while (answer := self._receive()).get("id") != self._last:
            self._events.append(answer)
        assert answer["type"] == "success", f"{method}: {answer['error']}: {answer['message']}"
        result: dict[str, Any] = answer["result"]
        return result

    def events(self, method: str, context: str) -> list[dict[str, Any]]:
        """Return the events of a tab so far."""
        self.call("session.status")  # what happened before this has arrived with its reply
        found = [one["params"] for one in self._events if one.get("method") == method]
        return [one for one in found if _context(one) == context]

    def wait_for(self, method: str, context: str) -> dict[str, Any]:
        """Return the first event of a tab, as soon as it has happened."""
        while not (found := self.events(method, context)):
            self._events.append(self._receive())
        return found[0]

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._connection.recv(_COMMAND_SECONDS))
        return message


def _context(event: dict[str, Any]) -> str | None:
    context: str | None = event.get("context") or event.get("source", {}).get("context")
    return context


class Tab:
    """A tab in a container of its own: cookies and storage are those of no other tab.

    Args:
        firefox: the browser.
    """

    def __init__(self, firefox: Firefox) -> None:
        self._firefox = firefox
        self._user = firefox.call("browser.createUserContext")["userContext"]
        allowed = {"type": "allowed", "destinationFolder": str(firefox.downloads)}
        firefox.call(
            "browser.setDownloadBehavior", downloadBehavior=allowed, userContexts=[self._user]
        )
        made = firefox.call("browsingContext.create", type="tab", userContext=self._user)
        self._context = made["context"]
        firefox.call("browsingContext.setViewport", context=self._context, viewport=_WINDOW)

    def close(self) -> None:
        self._firefox.call("browser.removeUserContext", userContext=self._user)

    def complaints(self) -> list[str]:
        """Return the errors and warnings in the console so far, including uncaught exceptions."""
        said = self._firefox.events("log.entryAdded", self._context)
        return [one["text"] for one in said if one["level"] in {"error", "warn"}]

    def open(self, url: str) -> None:
        """Load a URL."""
        self._firefox.call(
            "browsingContext.navigate", context=self._context, url=url, wait="complete"
        )

    def back(self) -> None:
        self._firefox.call("browsingContext.traverseHistory", context=self._context, delta=-1)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or that of its promise."""
        answer = self._firefox.call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._context},
            awaitPromise=True,
        )
        return _value(answer)

    def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        _soon(lambda: self.evaluate(expression), expression)

    def counts(self, css: str, number: int) -> None:
        """Wait until a selector matches this number of elements."""
        self.until(f"document.querySelectorAll({json.dumps(css)}).length === {number}")

    def says(self, css: str, text: str) -> None:
        """Wait until the first element that matches a selector contains a text."""
        self.until(
            f"document.querySelector({json.dumps(css)})?.textContent.includes({json.dumps(text)})"
        )

    def element(self, css: str) -> Element:
        """Wait for an element that matches a selector, and return the first one."""
        return self._located({"type": "css", "value": css})

    def named(self, role: str, name: str, within: str = "body") -> Element:
        """Wait for an element with a role and a name for assistive technology; return the first one."""
        locator = {"type": "accessibility", "value": {"role": role, "name": name}}
        return self._located(locator, startNodes=[_reference(self.element(within))])

    def apply(self, function: str, element: Element) -> Any:
        """Return the result of a JavaScript function of an element."""
        answer = self._firefox.call(
            "script.callFunction",
            functionDeclaration=f"async (one) => JSON.stringify(await ({function})(one))",
            arguments=[_reference(element)],
            target={"context": self._context},
            awaitPromise=True,
        )
        return _value(answer)

    def click(self, element: Element) -> None:
        self._point(
            element, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        )

    def hover(self, element: Element) -> None:
        self._point(element)

    def drag(self, element: Element, by: int) -> None:
        """Drag from the middle of an element to the right by this number of pixels."""
        origin = {"type": "element", "element": _reference(element)}
        self._point(
            element,
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "x": by // 2, "y": 0, "origin": origin},
            {"type": "pointerMove", "x": by, "y": 0, "origin": origin},
            {"type": "pointerUp", "button": 0},
        )

    def press(self, *keys: str) -> None:
        """Press these keys one after the other; a text of several characters is the name of a key."""
        strokes = [
            {"type": kind, "value": _KEYS.get(key, key)}
            for key in keys
            for kind in ("keyDown", "keyUp")
        ]
        self._perform({"type": "key", "id": "keyboard", "actions": strokes})

    def downloaded(self) -> Path:
        """Wait for the end of the tab's first download, and return its file."""
        ended = self._firefox.wait_for("browsingContext.downloadEnd", self._context)
        assert ended["status"] == "complete", ended
        return Path(ended["filepath"])

    def _point(self, element: Element, *then: dict[str, Any]) -> None:
        """Move the pointer to the middle of an element, and act there."""
        self.apply("(one) => one.scrollIntoView({ block: 'center', behavior: 'instant' })", element)
        origin = {"type": "element", "element": _reference(element)}
        moved = {"type": "pointerMove", "x": 0, "y": 0, "origin": origin}
        self._perform({"type": "pointer", "id": "mouse", "actions": [moved, *then]})

    def _perform(self, source: dict[str, Any]) -> None:
        self._firefox.call("input.performActions", context=self._context, actions=[source])

    def _located(self, locator: dict[str, Any], **options: Any) -> Element:
        def find() -> Element | None:
            found = self._firefox.call(
                "browsingContext.locateNodes",
                context=self._context,
                locator=locator,
                **options,
            )
            return next(iter(found["nodes"]), None)

        element: Element = _soon(find, str(locator["value"]))
        return element


def _reference(element: Element) -> dict[str, str]:
    return {"sharedId": element["sharedId"]}


def _value(answer: dict[str, Any]) -> Any:
    assert answer["type"] == "success", answer["exceptionDetails"]["text"]
    return json.loads(answer["result"].get("value", "null"))


def _soon(find: Callable[[], Any], wanted: str) -> Any:
    """Return the first result that is true.

    Raises:
        AssertionError: there was none within some seconds.
    """
    end = time.monotonic() + _WAIT_SECONDS
    while not (found := find()):
        assert time.monotonic() < end, f"not within {_WAIT_SECONDS} s: {wanted}"
        time.sleep(0.05)
    return found


@contextmanager
def running(folder: Path) -> Iterator[Firefox]:
    """Run Firefox with a profile and downloads in this folder until the end of the block.

    Raises:
        AssertionError: Firefox is missing, or does not start.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, (
        f"none of {', '.join(PROGRAMS)} is on PATH: "
        "install Firefox (Debian: apt-get install firefox-esr) to test the page"
    )
    profile, downloads, log = folder / "profile", folder / "downloads", folder / "firefox.log"
    profile.mkdir()
    downloads.mkdir()
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, "--headless", "--profile", profile, "--remote-debugging-port", "0"],
            # As root, Firefox refuses a home that belongs to another user.
            env={**os.environ, "HOME": str(folder)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        with connect(_address(process, profile, log), max_size=None) as connection:
            firefox = Firefox(connection, downloads)
            firefox.call("session.new", capabilities={})
            firefox.call("session.subscribe", events=_EVENTS)
            yield firefox
    finally:
        process.terminate()
        process.wait()


def _address(process: subprocess.Popen[bytes], profile: Path, log: Path) -> str:
    """Return the URL of Firefox's remote agent once it listens."""
    file = profile / "WebDriverBiDiServer.json"
    end = time.monotonic() + _START_SECONDS
    while not file.is_file():
        running = process.poll() is None and time.monotonic() < end
        assert running, f"Firefox did not start: {log.read_text()}"
        time.sleep(0.05)
    server = json.loads(file.read_text())
    return f"ws://{server['ws_host']}:{server['ws_port']}/session"
