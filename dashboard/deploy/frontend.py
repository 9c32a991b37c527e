"""Build the page if its sources have changed: `python -m dashboard.deploy.frontend`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from chalicelib.errors import CommandError
from dashboard.paths import STATIC

NODE_MAJOR = 20

# Files outside src/ that affect the build.
_INPUTS = ("build.mjs", "package.json", "package-lock.json")


def manifest_path(static: Path = STATIC) -> Path:
    """Return the path of the file that maps the names of assets to their hashed names."""
    return static / "dist" / "manifest.json"


def is_current(static: Path = STATIC) -> bool:
    """Return whether the build is at least as new as all of its sources."""
    manifest = manifest_path(static)
    if not manifest.exists():
        return False
    built = manifest.stat().st_mtime
    return all(source.stat().st_mtime <= built for source in _sources(static))


def build(static: Path = STATIC) -> None:
    """Build the page with Node.js, installing its packages first if they are missing.

    Raises:
        CommandError: Node.js is missing or too old, or npm or the build failed; the message has the
            remedy.
    """
    _require_node()
    if not is_installed(static):
        install(static)
    _run(["npm", "run", "--silent", "build"], static)
    if not manifest_path(static).exists():
        raise CommandError(
            f"the build of the page did not create {manifest_path(static)}; see build.mjs"
        )


def is_installed(static: Path = STATIC) -> bool:
    """Return whether the npm packages that build and check the page are installed."""
    lock = static / "package-lock.json"
    installed = static / "node_modules" / ".package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


def install(static: Path = STATIC) -> None:
    """Install the npm packages that build and check the page.

    Raises:
        CommandError: as `build`.
    """
    _require_node()
    _run(["npm", "ci", "--no-audit", "--no-fund"], static)


def _sources(static: Path) -> Iterator[Path]:
    yield from (static / name for name in _INPUTS if (static / name).exists())
    yield from (path for path in (static / "src").rglob("*") if path.is_file())


def _require_node() -> None:
    remedy = (
        f"install Node.js {NODE_MAJOR} or later (https://nodejs.org), and run this command again"
    )
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise CommandError(f"`{program}`, which builds the page, is not on PATH: {remedy}")
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    version = answer.stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < NODE_MAJOR:
        said = version or answer.stderr.strip()
        raise CommandError(
            f"`node --version` returned {said!r}, but Node.js {NODE_MAJOR} is required: {remedy}"
        )


def _run(command: list[str], folder: Path) -> None:
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        said = (answer.stderr.strip() or answer.stdout.strip())[-2000:]
        raise CommandError(
            f"`{' '.join(command)}` in {folder} failed with status {answer.returncode}:\n{said}"
        )


def main() -> None:
    """Install the packages and build the page where they are missing or out of date."""
    try:
        if not is_installed():
            print(
                "Installing the npm packages of the page in static/node_modules …", file=sys.stderr
            )
            install()
        if not is_current():
            print("Building the page …", file=sys.stderr)
            build()
    except CommandError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
