"""The documents name tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
SECURITY = (ROOT / "docs" / "security.md").read_text()


WITH_ITS_FILE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def in_reliability():
    """Each test is named with its file."""
    return WITH_ITS_FILE.findall(RELIABILITY)


def in_security():
    """Each test is named with its file, or its table's head names the file of all."""
    yield from WITH_ITS_FILE.findall(SECURITY)
    for table in SECURITY.split("| Attack |")[1:]:
        [path] = re.findall(r"Test in `([\w/.]+)`", table.partition("\n")[0])
        yield from ((path, name) for name in re.findall(r"`(test_\w+)`", table))


@pytest.mark.parametrize(("named", "least"), [(in_reliability, 30), (in_security, 30)])
def test_every_test_named_in_the_documents_exists(named, least):
    rows = list(named())

    assert len(rows) > least
    assert [row for row in rows if f"\ndef {row[1]}(" not in (ROOT / row[0]).read_text()] == []
