"""bench/documents.py: the parts of a document that a program writes."""

import click
import pytest

from bench.documents import write_parts

TEXT = "a\n<!-- results: written by bench/x.py -->\nold\n<!-- end of results -->\nb\n"
WRITTEN = "a\n<!-- results: written by bench/x.py -->\n\nnew\n\n<!-- end of results -->\nb\n"


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "x.md"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("times", [1, 2])
def test_a_document_keeps_what_is_not_generated(document, times):
    for _ in range(times):
        write_parts(document, "bench/x.py", {"results": "new"})
    assert document.read_text() == WRITTEN


@pytest.mark.parametrize("missing", ["<!-- results", "<!-- end"])
def test_a_document_without_the_markers_of_a_part_is_not_written(document, missing):
    document.write_text(before := TEXT.replace(missing, ""))

    with pytest.raises(click.ClickException, match=r"x\.md lacks the lines"):
        write_parts(document, "bench/x.py", {"results": "new"})

    assert document.read_text() == before
