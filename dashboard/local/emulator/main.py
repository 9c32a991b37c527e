"""Run the local AWS emulator as a separate process: python -m dashboard.local.emulator.main.

`up` starts it (local/emulator/process.py) and passes it a listening socket. They exchange lines of
JSON: commands on standard input, progress on standard output. If standard input is closed, `up` has
ended for some reason, and the emulator stops as it does on request.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from dashboard.local.emulator import internals, patches, saved_state
from dashboard.local.emulator.generations import Generations
from dashboard.local.emulator.server import Emulator

logger = logging.getLogger("mailpulse")


def _report(event: Any) -> None:
    """Report an event to `up`, which may have ended."""
    try:
        print(json.dumps(event), flush=True)
    except BrokenPipeError:
        logger.info("no subscriber: %s", event)


def _read_commands(emulator: Emulator) -> None:
    """Execute the commands on standard input; stop the emulator at its end."""
    lines = sys.stdin.buffer
    os.set_blocking(lines.fileno(), False)
    rest = b""

    def read() -> None:
        nonlocal rest
        received = os.read(lines.fileno(), 65536)
        if not received:
            asyncio.get_running_loop().remove_reader(lines.fileno())
            emulator.stopping.set()
            return
        *commands, rest = (rest + received).split(b"\n")
        for line in commands:
            emulator.command(json.loads(line))

    asyncio.get_running_loop().add_reader(lines.fileno(), read)


async def _main(arguments: argparse.Namespace, generations: Generations) -> bool:
    emulator = Emulator(
        arguments.counting_function,
        generations,
        arguments.unsaved,
        _report,
        arguments.allow_origin,
    )
    _read_commands(emulator)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, emulator.stopping.set)
    return await emulator.run(arguments.socket)


def main() -> None:
    """Run the emulator until it is stopped, and stop all of its workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--socket", type=int, required=True, help="file descriptor, listening")
    parser.add_argument("--counting-function", required=True)
    parser.add_argument("--unsaved", type=Path, required=True)
    parser.add_argument("--allow-origin", action="append", default=[])
    arguments = parser.parse_args()

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.umask(0o077)  # for the Lambda workers too
    generations = Generations(Path(os.environ["STATE_DIR"]))
    saved_state.install(generations)
    patches.install()

    async def run_and_leave() -> None:
        # Exit from inside the loop: asyncio's cleanup would wait for connections, and the server's
        # shutdown would save the state again.
        status = 1
        try:
            status = 0 if await _main(arguments, generations) else 1
        except Exception:
            logger.exception("the emulator ended")
        internals.stop_workers()
        sys.stdout.flush()
        os._exit(status)

    asyncio.run(run_and_leave())


if __name__ == "__main__":
    main()
