"""The process from which Mailpulse's programs are forked after all imports.

It runs in a copy of the project, and ends when its socket is closed. Each message on it has a
module and its arguments, the environment, and the file descriptors of the standard input, output
and error, of a pipe on which the process id and then the exit status are told, and of files that
the program inherits.

Chalice, which `deploy` starts, and the emulator, which `up` starts, are forked as well, with the
modules to be imported again that belong to the project or depend on the environment.
"""

import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Never

# Whose descriptions are parsed once, instead of by each command.
_SERVICES = (
    *("apigatewayv2", "cloudformation", "cloudfront", "cognito-idp", "dynamodb", "events", "iam"),
    *("lambda", "logs", "s3", "sns", "sqs", "ssm", "sts"),
)
# What takes longest to import: for commands, Chalice, and the emulator.
_MODULES = (
    *("chalice.cli", "chalice.deploy.packager"),
    *("docker", "hypercorn.asyncio", "hypercorn.protocol.h2", "msgspec", "uvicorn", "wsproto"),
    *("cryptography.hazmat.primitives.serialization", "cryptography.x509"),
)
_OWN = ("app", "chalicelib", "dashboard")
_MOST_FILES = 16
_ABOVE_ALL_FILES = 100


def main() -> None:
    """Fork a process for each message."""
    sys.path.insert(0, str(Path.cwd()))
    _import_all()
    gc.freeze()  # what is looked at is copied
    with socket.socket(fileno=int(sys.argv[1])) as messages:
        while True:
            message, files, *_ = socket.recv_fds(messages, 1 << 20, _MOST_FILES)
            if not message:
                return
            watcher = os.fork()
            if watcher == 0:
                messages.close()
                request = json.loads(message)
                _watch(request, *files)
                break
            for one in files:
                os.close(one)
            os.waitpid(watcher, 0)
    # Only the program's process gets here, and ends as any program does.
    _run_module(request["module"], request["arguments"])


def _import_all() -> None:
    loaders = importlib.import_module("botocore.loaders")
    loaders.create_loader = cache(loaders.create_loader)
    for module in (*importlib.import_module("dashboard.cli").COMMANDS.values(), *_MODULES):
        importlib.import_module(module)
    for module in ("dashboard.deploy.chalice_cli", "dashboard.local.emulator.process"):
        names = {"run": _forked(subprocess.run), "Popen": _forked(subprocess.Popen)}
        importlib.import_module(module).subprocess = SimpleNamespace(**vars(subprocess) | names)
    session = importlib.import_module("boto3").session.Session("none", "none")
    for service in _SERVICES:
        session.client(service, "us-east-1")


def _watch(
    request: dict[str, Any], stdin: int, stdout: int, stderr: int, told: int, *inherited: int
) -> None:
    """Fork the program and report its exit status; return only in the program's process."""
    if os.fork():
        os._exit(0)  # so that init reaps the processes that follow
    program = os.fork()
    if program:
        for one in (stdin, stdout, stderr, *inherited):
            os.close(one)
        os.write(told, f"{program}\n".encode())
        _, status = os.waitpid(program, 0)
        os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.setsid()
    numbers = (0, 1, 2, *request["inherited"])
    files = [
        fcntl.fcntl(one, fcntl.F_DUPFD, _ABOVE_ALL_FILES)
        for one in (stdin, stdout, stderr, *inherited)
    ]
    for file, number in zip(files, numbers, strict=True):
        os.dup2(file, number)
    _become(request["environment"], request["inherited"])


def _become(environment: Mapping[str, str], inherited: Sequence[int]) -> None:
    """Keep nothing of the process that was forked except its modules."""
    kept = sorted({2, *inherited})
    for one, following in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(one + 1, following)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)


def _run_module(module: str, arguments: Sequence[str]) -> None:
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _forked(start: Callable[..., Any]) -> Callable[..., Any]:
    """Return subprocess.run or subprocess.Popen, with a fork in place of a Python interpreter."""

    def forked(
        command: list[str], *, env: Mapping[str, str], pass_fds: Sequence[int] = (), **options: Any
    ) -> Any:
        for one in (sys.stdout, sys.stderr):
            one.flush()
        instead = partial(_run_program, command, env, pass_fds)
        return start(command, env=env, pass_fds=pass_fds, preexec_fn=instead, **options)

    return forked


def _run_program(
    command: list[str], environment: Mapping[str, str], inherited: Sequence[int]
) -> Never:
    """Run `python -c code …` or `python -m module …`, and end this process as Python would."""
    _python, option, program, *arguments = command
    status: Any = 1
    try:
        _become(environment, inherited)
        if option == "-m":
            _run_module(program, arguments)
        else:
            sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
            sys.path[0] = ""
            sys.argv = ["-c", *arguments]
            for name in [one for one in sys.modules if one.partition(".")[0] in _OWN]:
                del sys.modules[name]
            exec(program, {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # noqa: BLE001 - as Python itself would end
        traceback.print_exc()
    if not isinstance(status, int):
        sys.stderr.write(f"{status}\n")
        status = 1
    for one in (sys.stdout, sys.stderr):
        one.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
