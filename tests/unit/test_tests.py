"""Every file of tests has tests: one that is emptied by mistake would pass."""

import re

import pytest

from dashboard.paths import PROJECT

FILES = [
    *sorted((PROJECT / "tests").glob("*/test_*.py")),
    *sorted((PROJECT / "static" / "test").glob("*.test.js")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_tests_has_tests(file):
    assert re.search(r"^ *def test_|^test\(", file.read_text(), re.MULTILINE)
