"""Run Mailpulse's programs in processes forked from one that has already imported everything.

The imports of a command take longer than most commands run.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, TypeVar

from dashboard.paths import PROJECT

_FORKING = Path(__file__).with_name("forking.py")
_SECONDS = 240
_Kind = TypeVar("_Kind", bound="Process")


class Process:
    """A running or ended command, with the interface of subprocess.Popen.

    Attributes:
        pid: the id of the process, which leads its own process group.
        returncode: None while the command runs; negative if a signal ended it.
    """

    def __init__(
        self,
        messages: socket.socket,
        request: bytes,
        *streams: int,
        inherited: Sequence[int] = (),
    ) -> None:
        reading, told = os.pipe()
        self._told = os.fdopen(reading, "rb", buffering=0)
        socket.send_fds(messages, [request], [*streams, told, *inherited])
        os.close(told)
        self.returncode: int | None = None
        self._waiting = threading.Lock()
        self.pid = int(self._line())

    def poll(self) -> int | None:
        """Return the exit status, or None while the command runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float = _SECONDS) -> int:
        """Wait until the command ends."""
        with self._waiting:
            if self.returncode is None:
                if not select.select([self._told], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("dashboard", timeout)
                self.returncode = int(self._line())
                self._told.close()
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the command only, not to its child processes."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the command and its child processes."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.wait()

    def _line(self) -> bytes:
        line = self._told.readline()
        assert line, "the process that forks programs has ended"
        return line


class Command(Process):
    """A command whose output is read when it has ended."""

    def __init__(self, messages: socket.socket, request: bytes, stdin: int) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - until it is read
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 - the same
        super().__init__(messages, request, stdin, self._out.fileno(), self._err.fileno())

    def communicate(self, timeout: float = _SECONDS) -> tuple[str, str]:
        """Wait for its end; return its standard output and error."""
        try:
            self.wait(timeout)
        finally:
            self.kill()
        written = []
        for file in (self._out, self._err):
            with file:
                file.seek(0)
                written.append(file.read().decode())
        return written[0], written[1]


class Service(Process):
    """A command that is read while it runs.

    Attributes:
        stdout: its standard output.
        stderr: its standard error.
    """

    def __init__(self, messages: socket.socket, request: bytes, stdin: int) -> None:
        (reading, out), (reading_too, err) = os.pipe(), os.pipe()
        self.stdout, self.stderr = os.fdopen(reading), os.fdopen(reading_too)
        super().__init__(messages, request, stdin, out, err)
        for one in (out, err):
            os.close(one)


class Child(Process):
    """A program that is controlled while it runs.

    Attributes:
        stdin: its standard input.
        stdout: its standard output.
    """

    def __init__(
        self, messages: socket.socket, request: bytes, stderr: int, inherited: Sequence[int]
    ) -> None:
        (stdin, writing), (reading, stdout) = os.pipe(), os.pipe()
        self.stdin, self.stdout = os.fdopen(writing, "wb"), os.fdopen(reading, "rb")
        super().__init__(messages, request, stdin, stdout, stderr, inherited=inherited)
        for one in (stdin, stdout):
            os.close(one)


class Commands:
    """Starts programs in a copy of the project.

    Args:
        project: the copy.
        environment: set before the imports.
    """

    def __init__(self, project: Path, environment: Mapping[str, str] | None = None) -> None:
        self._messages, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            # Without -P, modules in its folder would shadow those of the standard library.
            [sys.executable, "-P", str(_FORKING), str(theirs.fileno())],
            cwd=project,
            env={**without_aws(), **(environment or {})},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    def start(
        self, *arguments: str, environment: Mapping[str, str], stdin: int | None = None
    ) -> Command:
        """Start a command.

        Args:
            arguments: for example `deploy`, `--stage`, `prod`.
            environment: the complete environment.
            stdin: a file descriptor; an empty file by default.
        """
        return self._started(Command, arguments, environment, stdin)

    def start_service(self, *arguments: str, environment: Mapping[str, str]) -> Service:
        """Start a command that is read while it runs; the arguments are those of `start`."""
        return self._started(Service, arguments, environment, None)

    def start_child(
        self,
        command: list[str],
        *,
        env: Mapping[str, str],
        stderr: IO[bytes],
        pass_fds: Sequence[int],
        **_: object,
    ) -> Child:
        """Start `python -m module …` in a session of its own, as subprocess.Popen does."""
        _python, option, module, *arguments = command
        assert option == "-m"
        return Child(
            self._messages,
            _request(module, arguments, env, pass_fds),
            stderr.fileno(),
            pass_fds,
        )

    def close(self) -> None:
        """Stop the process from which programs are forked."""
        self._messages.close()
        self._process.wait()

    def _started(
        self,
        kind: Callable[[socket.socket, bytes, int], _Kind],
        arguments: Sequence[str],
        environment: Mapping[str, str],
        stdin: int | None,
    ) -> _Kind:
        with open(os.devnull, "rb") as empty:  # noqa: PTH123 - a device, not a path of ours
            return kind(
                self._messages,
                _request("dashboard", arguments, environment),
                empty.fileno() if stdin is None else stdin,
            )


def _request(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    inherited: Sequence[int] = (),
) -> bytes:
    request = {"module": module, "arguments": arguments, "environment": dict(environment)}
    return json.dumps({**request, "inherited": inherited}).encode()


@cache
def of_project() -> Commands:
    """Return the commands of the project itself, in a shared process."""
    commands = Commands(PROJECT)
    atexit.register(commands.close)
    return commands


def without_aws() -> dict[str, str]:
    """Return this process's environment without the variables of an AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
