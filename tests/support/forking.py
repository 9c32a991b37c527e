"""The process from which Mailpulse commands are forked after all imports.

It runs in a copy of the project, and ends when its socket is closed. Each message on it has the
arguments and the environment of a command, its standard input, output and error, and a pipe on
which its process id and then its exit status are told.

Chalice, which `deploy` starts, is forked as well, with the project's own modules to be imported
again: those that it finds in its folder.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Never

# Whose descriptions are parsed once, instead of by each command.
_SERVICES = (
    *("apigatewayv2", "cloudformation", "cloudfront", "cognito-idp", "dynamodb", "events", "iam"),
    *("lambda", "logs", "s3", "sns", "sqs", "ssm", "sts"),
)
_OWN = ("app", "chalicelib", "dashboard")


def main() -> None:
    """Fork a process for each message."""
    sys.path.insert(0, str(Path.cwd()))
    _import_all()
    gc.freeze()  # what is looked at is copied
    with socket.socket(fileno=int(sys.argv[1])) as messages:
        while True:
            message, files, *_ = socket.recv_fds(messages, 1 << 20, 4)
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
    # Only the command's process gets here, and ends as any program does.
    _run(request)


def _import_all() -> None:
    for module in importlib.import_module("dashboard.cli").COMMANDS.values():
        importlib.import_module(module)
    for module in ("chalice.cli", "chalice.deploy.packager"):
        importlib.import_module(module)
    chalice = importlib.import_module("dashboard.deploy.chalice_cli")
    chalice.subprocess = SimpleNamespace(**{**vars(subprocess), "run": _forked})
    loader = importlib.import_module("botocore.loaders").JSONFileLoader
    parsed = cache(loader().load_file)
    loader.load_file = lambda _self, path: parsed(path)
    session = importlib.import_module("boto3").session.Session("none", "none")
    for service in _SERVICES:
        session.client(service, "us-east-1")


def _watch(request: dict[str, Any], stdin: int, stdout: int, stderr: int, told: int) -> None:
    """Fork the command and report its exit status; return only in the command's process."""
    if os.fork():
        os._exit(0)  # so that init reaps the processes that follow
    command = os.fork()
    if command:
        for one in (stdin, stdout, stderr):
            os.close(one)
        os.write(told, f"{command}\n".encode())
        _, status = os.waitpid(command, 0)
        os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(told)
    os.setsid()
    _become(request["environment"], stdin, stdout, stderr)


def _become(environment: Mapping[str, str], *streams: int) -> None:
    for number, one in enumerate(streams):
        os.dup2(one, number)
        if one not in streams[:number]:
            os.close(one)
    os.environ.clear()
    os.environ.update(environment)


def _run(request: dict[str, Any]) -> None:
    sys.argv = ["dashboard", *request["arguments"]]
    runpy.run_module("dashboard", run_name="__main__", alter_sys=True)


def _forked(
    command: list[str], *, cwd: Path, env: Mapping[str, str], stdout: IO[str], **_: object
) -> SimpleNamespace:
    """Run Chalice in a process of its own, as subprocess.run does."""
    _python, option, code, *arguments = command
    assert option == "-c"
    for one in (sys.stdout, sys.stderr):
        one.flush()
    process = os.fork()
    if process == 0:
        _run_chalice(code, arguments, cwd, env, stdout.fileno())
    _, status = os.waitpid(process, 0)
    return SimpleNamespace(returncode=os.waitstatus_to_exitcode(status))


def _run_chalice(
    code: str, arguments: list[str], cwd: Path, environment: Mapping[str, str], output: int
) -> Never:
    status: Any = 1
    try:
        os.chdir(cwd)
        _become(environment, os.open(os.devnull, os.O_RDONLY), output, os.dup(output))
        sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
        sys.path[0] = ""
        sys.argv = ["-c", *arguments]
        for name in [one for one in sys.modules if one.partition(".")[0] in _OWN]:
            del sys.modules[name]
        exec(code, {"__name__": "__main__"})
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
