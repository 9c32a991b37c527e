"""The archive of the functions' code: what Chalice packs, compiled, and without what nobody reads.

/var/task cannot be written to: without bytecode in the archive each cold start compiles all that it
imports. Chalice takes an archive that lies where it would put its own, so this one is made first,
by Chalice's own packager. The same code makes the same archive, byte for byte.
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

# Of cffi, cryptography needs `_cffi_backend` alone: the rest makes such modules.
_UNUSED = (
    *("*.dist-info/*", "*.pyi", "*/py.typed", "*.h", "*.pyx", "*.pxd", "*/tests/*"),
    *("cffi/*", "pycparser/*"),
)
# Of these the sources stay, for tracebacks.
_READ_BY_PEOPLE = {"app.py", "chalice", "chalicelib"}
# By which rules an archive was finished: another number, and all are made anew.
_RULES = 3
_TASK = "/var/task"  # where Lambda unpacks it: the paths in tracebacks
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


def make(build: Path, architecture: str) -> Path:
    """Make the archive, unless it is there; return where Chalice will find it.

    Args:
        build: the folder that `functions.prepare` filled.
        architecture: of the machines that it is for, as Lambda names it.

    Raises:
        CommandError: a package cannot be had for these machines, or code is not Python.
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
    """Make the archive that Chalice itself would make; arguments and errors as `make` has them."""
    archive = _path(build, architecture)
    shutil.rmtree(archive.parent, ignore_errors=True)
    _packager(architecture).create_deployment_package(str(build), RUNTIME)
    return archive


def _path(build: Path, architecture: str) -> Path:
    return Path(_packager(architecture).deployment_package_filename(str(build), RUNTIME))


def _packager(architecture: str) -> Any:
    """Make Chalice's packager, as Chalice does."""
    # Half a second, for this alone.
    from chalice.deploy import packager  # noqa: PLC0415
    from chalice.utils import UI, OSUtils  # noqa: PLC0415

    osutils = OSUtils()
    pip = packager.PipRunner(packager.SubprocessPip(osutils), osutils)
    builder: Any = _AllPackages(packager.DependencyBuilder(osutils, pip, architecture=architecture))
    return packager.LambdaDeploymentPackager(osutils, builder, UI(io.StringIO()), architecture)


class _AllPackages:
    """Builds packages by Chalice's builder; without one of them, Chalice would go on."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def build_site_packages(self, abi: str, requirements: str, target: str) -> None:
        from chalice.deploy import packager  # noqa: PLC0415

        try:
            self._builder.build_site_packages(abi, requirements, target)
        except packager.MissingDependencyError as error:
            names = ", ".join(sorted(package.identifier for package in error.missing))
            raise CommandError(
                f"there is no build for Lambda's machines of {names}: name a version in "
                "requirements.txt that has one, or look whether pip can reach PyPI"
            ) from error
        except (packager.NoSuchPackageError, packager.PackageDownloadError) as error:
            last = str(error).strip().splitlines()[-1]
            raise CommandError(
                f"what requirements.txt names cannot be had ({last}): look whether pip can reach "
                "PyPI, and run this again"
            ) from error


def _mark(archive: Path) -> str:
    return f"{_RULES} {hashlib.sha256(archive.read_bytes()).hexdigest()}"


def _remove_unused(code: Path) -> None:
    for path in _files(code):
        if any(fnmatch(path.relative_to(code).as_posix(), unused) for unused in _UNUSED):
            path.unlink()


def _compile(code: Path) -> None:
    """Put bytecode beside the sources, to be used whatever their times are."""
    command = [sys.executable, "-I", "-m", "compileall", "-q"]
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(code), "-p", _TASK]
    # A process of its own: what else this one has done would show in the bytes.
    done = subprocess.run(
        [*command, *options, str(code)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandError(f"the code is not all Python: {' '.join(done.stdout.split())[-500:]}")


def _leave_bytecode_of_packages(code: Path) -> None:
    """Put packages' bytecode where it is imported without a source, and take the sources out."""
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
