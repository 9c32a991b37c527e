"""Names of tests: those that the documents cite exist, and none is longer than 80 characters."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
SECURITY = (ROOT / "docs" / "security.md").read_text()


TESTS = ROOT / "tests"
MOST_CHARACTERS = 80

WITH_ITS_FILE = re.compile(r"`(tests/[\w/]+\.py)::(?:\w+::)?(\w+)`")


def in_reliability():
    """Return the file and the name of each test; each row contains both."""
    return WITH_ITS_FILE.findall(RELIABILITY)


def in_security():
    """Yield the file and the name of each test; the head of a table may contain the file for all
    rows."""
    yield from WITH_ITS_FILE.findall(SECURITY)
    for table in SECURITY.split("| Attack |")[1:]:
        [path] = re.findall(r"Test in `([\w/.]+)`", table.partition("\n")[0])
        yield from ((path, name) for name in re.findall(r"`(test_\w+)`", table))


@pytest.mark.parametrize(("named", "least"), [(in_reliability, 30), (in_security, 30)])
def test_every_test_named_in_the_documents_exists(named, least):
    rows = list(named())

    assert len(rows) > least
    assert [row for row in rows if f"def {row[1]}(" not in (ROOT / row[0]).read_text()] == []


def test_no_test_name_is_longer_than_80_characters():
    names = [
        node.name
        for path in TESTS.glob("*/test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]

    assert len(names) > 900
    assert [name for name in names if len(name) > MOST_CHARACTERS] == []
