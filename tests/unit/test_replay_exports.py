"""Exported events are read value by value, in any layout of the file."""

import gzip
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.errors import CommandError
from dashboard.replay import exports

EVENTS = [{"eventType": "Send", "n": number, "text": "ä\n€" * number} for number in range(5)]
LINES = "\n".join(json.dumps(event) for event in EVENTS)


def texts(path):
    return [record.text for record in exports.read(path)]


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES + "\n",
        "\n\n" + LINES.replace("\n", "\r\n\r\n"),
        LINES.replace("\n", ""),
        "\n".join(json.dumps(event, indent=2, ensure_ascii=False) for event in EVENTS),
    ],
    ids=["lines", "newline at the end", "blank lines", "one after the other", "over many lines"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_json_values_are_found(tmp_path, content, packed):
    path = tmp_path / "export"
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())

    assert [json.loads(text) for text in texts(path)] == EVENTS


def test_invalid_json_ends_at_the_end_of_its_line(tmp_path):
    path = tmp_path / "export"
    path.write_text('{"a": 1}\nHello {world}\n\n{"b": 2}\n{"cut":')

    assert [(record.number, record.line, record.text) for record in exports.read(path)] == [
        (1, 1, '{"a": 1}'),
        (2, 2, "Hello {world}"),
        (3, 4, '{"b": 2}'),
        (4, 5, '{"cut":'),
    ]


def test_long_invalid_json_is_reported_once(tmp_path):
    path = tmp_path / "export"
    path.write_text("{" * 700_000 + "\n" + '{"b": 2}')

    first, second = texts(path)

    assert (len(first), second) == (700_000, '{"b": 2}')


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_values_may_be_split_over_reads_anywhere(tmp_path, chunk, monkeypatch):
    monkeypatch.setattr(exports, "_CHUNK_BYTES", chunk)
    path = tmp_path / "export"
    path.write_text("\n".join(json.dumps(event, ensure_ascii=False) for event in EVENTS[:3]))

    assert [json.loads(text) for text in texts(path)] == EVENTS[:3]


@given(st.binary(max_size=300))
def test_no_written_value_is_skipped(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("export") / "file"
    path.write_bytes(b"[" + content)

    found = "".join(texts(path))

    written = path.read_bytes().decode("utf-8", "replace")
    assert "".join(found.split()) == "".join(written.split())


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_corrupt_gzip_file_is_a_clear_error(tmp_path_factory, content, place):
    path = tmp_path_factory.mktemp("export") / "file.gz"
    packed = gzip.compress(LINES.encode())
    broken = packed[:2] + content + packed[place:]
    # Its time and operating system are arbitrary.
    assume(broken[:4] + broken[10:] != packed[:4] + packed[10:])
    path.write_bytes(broken)

    with pytest.raises(CommandError, match=r"cannot read .*file\.gz"):
        texts(path)


def test_a_truncated_gzip_file_is_a_clear_error(tmp_path):
    path = tmp_path / "export.gz"
    path.write_bytes(gzip.compress(LINES.encode())[:-9])

    with pytest.raises(CommandError, match=r"cannot read .*export\.gz"):
        texts(path)


def test_a_folder_is_replaced_by_its_files(tmp_path):
    for name in ("b/2.json", "a.json", "b/1.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    files = exports.files_in((tmp_path,))

    assert [str(path.relative_to(tmp_path)) for path in files] == ["a.json", "b/1.json", "b/2.json"]
