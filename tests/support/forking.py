"""The process from which commands of Mailpulse are forked after all imports.

It runs in a copy of the project and ends when its socket is closed. Each message contains the
arguments and environment of a command, its standard input, output and error, and a pipe that
receives its process id and then its exit status.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Fork a process for each message."""
    sys.path.insert(0, str(Path.cwd()))
    for module in importlib.import_module("dashboard.cli").COMMANDS.values():
        importlib.import_module(module)
    gc.freeze()  # memory that is touched is copied
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
    for number, one in enumerate((stdin, stdout, stderr)):
        os.dup2(one, number)
        os.close(one)
    os.environ.clear()
    os.environ.update(request["environment"])


def _run(request: dict[str, Any]) -> None:
    sys.argv = ["dashboard", *request["arguments"]]
    runpy.run_module("dashboard", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
