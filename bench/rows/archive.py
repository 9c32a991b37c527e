"""Measure the size of the archive of the functions, for the default architecture."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from comparison import Size

from dashboard.deploy import bundle, chalice_project

MOST = {"without packages": 1024**2, "with packages": 6 * 1024**2}


def rows(_stack: ExitStack) -> list[Size]:
    """Measure it with and without the packages in requirements.txt."""
    return [
        Size(f"the functions' archive {name}", _bytes(with_packages=name == "with packages"), most)
        for name, most in MOST.items()
    ]


def _bytes(*, with_packages: bool) -> int:
    roles = {name: f"arn:aws:iam::000000000000:role/{name}" for name in chalice_project.FUNCTIONS}
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder)
        chalice_project.prepare(build, "bench", {}, roles, with_packages=with_packages)
        return bundle.make(build, chalice_project.ARCHITECTURES[0]).stat().st_size
