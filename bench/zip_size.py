"""How large the functions' archive is, with the packages of requirements.txt and without.

    python bench/zip_size.py [--json]

Made as `deploy` makes it, for the machines that it takes by default. Exit status 1 when one is
larger than it must be.
"""

import json
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from dashboard import archive, functions

MUST_BYTES = {"without packages": 1024**2, "with packages": 6 * 1024**2}


def measure(*, with_packages: bool) -> dict[str, Any]:
    """Make an archive; give its size, its files, and what they take in it, all in bytes."""
    policies = {name: {"Version": "2012-10-17", "Statement": []} for name in functions.FUNCTIONS}
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder)
        functions.prepare(build, "bench", {}, policies, with_packages=with_packages)
        path = archive.make(build, functions.ARCHITECTURES[0])
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
        size = path.stat().st_size
    tops: Counter[str] = Counter()
    for one in entries:
        tops[one.filename.split("/")[0]] += one.compress_size
    bytecode = sum(one.compress_size for one in entries if one.filename.endswith(".pyc"))
    return {
        "bytes": size,
        "files": len(entries),
        "bytecode": bytecode,
        "largest": dict(tops.most_common(5)),
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def main(*, as_json: bool) -> None:
    """Measure both."""
    rows = {name: measure(with_packages=name == "with packages") for name in MUST_BYTES}
    met = all(rows[name]["bytes"] <= most for name, most in MUST_BYTES.items())
    if as_json:
        print(json.dumps({"bench": "zip_size", "met": met, "rows": rows}))
    else:
        for name, row in rows.items():
            print(
                f"{name:<18}{row['bytes']:>12,} bytes{row['files']:>6} files"
                f"{row['bytecode']:>12,} bytes of bytecode   must: {MUST_BYTES[name]:,}"
            )
            for top, size in row["largest"].items():
                print(f"    {size:>12,}  {top}")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
