"""Build the deployment package of the functions: Chalice's package, compiled and stripped.

/var/task is read-only: without bytecode in the package, each cold start compiles everything that it
imports. Chalice uses an existing package if it finds one at its own path, so this module builds the
package first, with Chalice's own packager and the packages that requirements.txt locks. Builds are
reproducible: the same code yields the same archive, byte for byte.
"""

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chalicelib.errors import CommandError

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"

# cryptography needs only `_cffi_backend` of cffi; the rest is for building such modules. pip
# installs console scripts into bin/.
_UNUSED = (
    *("*.dist-info/*", "*.pyi", "*/py.typed", "*.h", "*.pyx", "*.pxd", "*/tests/*"),
    *("bin/*", "cffi/*", "pycparser/*"),
)
# Packages whose sources are kept, for tracebacks.
_READ_BY_PEOPLE = {"app.py", "chalice", "chalicelib"}
# Version of the build rules. Increment it to rebuild every existing package.
_RULES = 3
_TASK = "/var/task"  # where Lambda unpacks the package: the path prefix in tracebacks
# Platform names in wheel tags, by Lambda architecture, and the minor version of glibc 2 that each
# runtime provides. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_GLIBC = {"python3.11": 26}  # Amazon Linux 2
_LATER_GLIBC = 34  # Amazon Linux 2023
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


def make(build: Path, architecture: str) -> Path:
    """Build the deployment package unless it is up to date; return the path that Chalice expects.

    Args:
        build: the folder that `chalice_project.prepare` filled.
        architecture: the instruction set of the functions, as Lambda names it.

    Raises:
        CommandError: a package is unavailable for this architecture, or the code has a syntax
            error.
    """
    archive = _path(build, architecture)
    # Chalice's own archive of the same code would have the same name.
    mark = build / ".chalice" / "archive"
    if archive.exists() and mark.exists() and mark.read_text() == _mark(archive):
        return archive
    as_chalice_does(build, architecture)
    with TemporaryDirectory() as folder:
        code = Path(folder)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(code)
        _remove_unused(code)
        _compile(code)
        _leave_bytecode_of_packages(code)
        finished = archive.with_suffix(".tmp")
        _write(code, finished)
    finished.replace(archive)
    mark.write_text(_mark(archive))
    return archive


def as_chalice_does(build: Path, architecture: str) -> Path:
    """Build the deployment package as Chalice does: whole packages, no bytecode. See `make`."""
    archive = _path(build, architecture)
    shutil.rmtree(archive.parent, ignore_errors=True)
    _packager(architecture).create_deployment_package(str(build), RUNTIME)
    return archive


def _path(build: Path, architecture: str) -> Path:
    return Path(_packager(architecture).deployment_package_filename(str(build), RUNTIME))


def _packager(architecture: str) -> Any:
    """Return Chalice's packager, set up to install the packages that requirements.txt locks."""
    # This import takes half a second and is needed only here.
    from chalice.deploy import packager  # noqa: PLC0415 - slow to import
    from chalice.utils import UI, OSUtils  # noqa: PLC0415 - slow to import

    builder: Any = _LockedPackages(architecture)
    return packager.LambdaDeploymentPackager(OSUtils(), builder, UI(io.StringIO()), architecture)


class _LockedPackages:
    """Install exactly what requirements.txt pins, in place of Chalice's dependency builder.

    Chalice's builder downloads packages for other platforms by name and version alone, so their
    hashes are never verified, and builds packages without a wheel from source.
    """

    def __init__(self, architecture: str) -> None:
        self._architecture = architecture

    def build_site_packages(self, abi: str, requirements: str, target: str) -> None:
        if not Path(requirements).read_text():
            return  # the emulator, which uses its own environment
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"]
        wheels = ["--require-hashes", "--only-binary", ":all:", *self._machines(abi)]
        command = [sys.executable, "-m", "pip", "install", *options, *wheels]
        done = subprocess.run(
            [*command, "--target", target, "--requirement", requirements],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CommandError(self._reason(done.stderr))

    def _machines(self, abi: str) -> list[str]:
        machine = _MACHINES[self._architecture]
        # pip matches each platform tag literally, except manylinux2014, which includes older ones.
        newest = _GLIBC.get(RUNTIME, _LATER_GLIBC)
        tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 16, -1)]
        platforms = [("--platform", tag) for tag in (*tags, f"manylinux2014_{machine}")]
        version = RUNTIME.removeprefix("python")
        python = ["--implementation", "cp", "--python-version", version, "--abi", abi]
        return [*python, *(word for option in platforms for word in option)]

    def _reason(self, said: str) -> str:
        last = " ".join(said[max(said.rfind("ERROR: "), 0) :].split())[-500:]
        if "DO NOT MATCH THE HASHES" in said:
            return f"the hash of a package does not match requirements.txt: {last}"
        return (
            f"cannot download the packages in requirements.txt for Lambda ({self._architecture}, "
            f"{RUNTIME}): {last}; check that pip can reach PyPI, or choose a version in "
            "requirements.in that has a wheel for this platform and run `make lock`"
        )


def _mark(archive: Path) -> str:
    return f"{_RULES} {hashlib.sha256(archive.read_bytes()).hexdigest()}"


def _remove_unused(code: Path) -> None:
    for path in _files(code):
        if any(fnmatch(path.relative_to(code).as_posix(), unused) for unused in _UNUSED):
            path.unlink()


def _compile(code: Path) -> None:
    """Write bytecode next to the sources, valid regardless of their modification times."""
    command = [sys.executable, "-I", "-m", "compileall", "-q"]
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(code), "-p", _TASK]
    # A separate process, because the state of this one would affect the bytecode.
    done = subprocess.run(
        [*command, *options, str(code)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandError(f"cannot compile the code: {' '.join(done.stdout.split())[-500:]}")


def _leave_bytecode_of_packages(code: Path) -> None:
    """Move packages' bytecode to where Python imports it without sources; delete the sources."""
    for path in _files(code):
        if path.suffix == ".py" and path.relative_to(code).parts[0] not in _READ_BY_PEOPLE:
            compiled = f"{path.stem}.{sys.implementation.cache_tag}.pyc"
            (path.parent / "__pycache__" / compiled).replace(path.with_suffix(".pyc"))
            path.unlink()


def _write(code: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in _files(code):
            entry = zipfile.ZipInfo(path.relative_to(code).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _READABLE
            packed.writestr(entry, path.read_bytes())


def _files(code: Path) -> list[Path]:
    return sorted(path for path in code.rglob("*") if path.is_file())
