"""Exported events are read value by value, in any layout of the file."""

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.replay import exports, json_values
from dashboard.replay.json_values import TooLong, values

EVENTS = [{"eventType": "Send", "n": number, "text": "ä\n€{}" * number} for number in range(5)]
LINES = "\n".join(json.dumps(event) for event in EVENTS)
LAYOUTS = {
    "lines": LINES,
    "newline at the end": LINES + "\n",
    "blank lines": "\n\n" + LINES.replace("\n", "\r\n\r\n"),
    "one after the other": LINES.replace("\n", ""),
    "over many lines": "\n".join(
        json.dumps(event, indent=2, ensure_ascii=False) for event in EVENTS
    ),
    "commas": LINES.replace("\n", ",\n"),
    "an array": json.dumps(EVENTS),
    "an array over many lines": json.dumps(EVENTS, indent=4),
    "arrays": json.dumps(EVENTS[:2]) + "\n" + json.dumps(EVENTS[2:]),
    "timestamps": "\n".join(f"2026-11-23T10:00:00.000Z {line}" for line in LINES.split("\n")),
    "lines of a Lambda log": "\n".join(
        f"[INFO]\t2026-11-23T10:00:00.000Z\t8f5c\t{line}" for line in LINES.split("\n")
    ),
    "record separators": "".join(f"\x1e{line}\n" for line in LINES.split("\n")),
}


def read(path):
    """Return the texts in a file, and the errors."""
    errors = []
    return [record.text for record in exports.read(path, errors.append)], errors


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_values_are_found_in_any_layout_and_encoding(tmp_path, content, encoding):
    path = tmp_path / "export"
    path.write_bytes(content.encode(encoding))

    texts, errors = read(path)

    assert ([json.loads(text) for text in texts], errors) == (EVENTS, [])


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 40])
def test_values_may_be_split_over_reads_anywhere(content, size, monkeypatch):
    monkeypatch.setattr(json_values, "_CHUNK", 1)
    chunks = (content[start : start + size] for start in range(0, len(content), size))

    assert [value.parsed for value in values(chunks)] == EVENTS


def test_each_message_has_its_number_and_line(tmp_path):
    path = tmp_path / "export"
    path.write_text('{"a": 1}\nHello {world}\n\n{"b":\n 2}\n{"cut":')

    found = [(one.number, one.place, one.text) for one in exports.read(path, pytest.fail)]

    assert found == [
        (1, f"{path}:1", '{"a": 1}'),
        (2, f"{path}:2", "Hello {world}"),
        (3, f"{path}:4", '{"b":\n 2}'),
        (4, f"{path}:6", '{"cut":'),
    ]


EVENT = json.dumps(EVENTS[1])
PRETTY = json.dumps(EVENTS, indent=4)
DAMAGED = {
    "a line is cut": f"{EVENT[:40]}\n{EVENT}",
    "a line is cut inside a string": f"{EVENT[:20]}\n{EVENT}",
    "an event is cut and the next follows it": f"{EVENT[:-1]} oops}}{EVENT}",
    "the file begins inside an event": f'"to": {{"a": {{"b": 1}}, "c": 2}}, "d": 1}}{EVENT}',
    "the file ends inside an event": f"{EVENT}{EVENT[:30]}",
    "a line is no JSON": f"oops\n{EVENT}",
    "a line has other columns": f"MESSAGES\t{EVENT}\tmd5\treceipt",
    "a disk has lost a block": f"oops{chr(0) * 5}\n{EVENT}",
    "a name is not quoted": f"{{oops: {{}}}}\n{EVENT}",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_part_is_one_text_and_the_rest_is_read(tmp_path, content):
    path = tmp_path / "export"
    path.write_text(content)

    texts, errors = read(path)

    assert (len(texts), texts.count(EVENT), errors) == (2, 1, [])


def test_a_damaged_element_of_an_indented_array_does_not_affect_the_others():
    content = PRETTY.replace('"n": 2', '"n": oops')

    found = [value.parsed for value in values(iter([content]))]

    assert found == [*EVENTS[:2], None, *EVENTS[3:]]


def test_long_invalid_json_is_reported_once(tmp_path):
    path = tmp_path / "export"
    path.write_text("{" * 700_000 + "\n" + '{"b": 2}')

    first, second = read(path)[0]

    assert (len(first), second) == (700_000, '{"b": 2}')


@pytest.mark.parametrize("opening", ['{"a": [', '{"a": "', "[[[{"])
def test_a_value_of_any_length_ends_the_reading_with_an_error(opening, monkeypatch):
    monkeypatch.setattr(json_values, "_MOST_CHARACTERS", 10_000)
    monkeypatch.setattr(json_values, "_CHUNK", 1)
    endless = iter([opening, *['"x":1,' if opening[-1] == "{" else "1, "] * 10_000])

    with pytest.raises(TooLong, match="the value in line 1 has more than 10,000 characters"):
        list(values(endless))


def test_a_value_that_is_too_long_is_reported_with_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(json_values, "_MOST_CHARACTERS", 10_000)
    monkeypatch.setattr(json_values, "_CHUNK", 1)
    monkeypatch.setattr("dashboard.replay.layers._CHUNK_BYTES", 1000)
    path = tmp_path / "export"
    path.write_text(f'{{"a": 1}}\n{{"events": [{"1, " * 20_000}]}}')

    texts, errors = read(path)

    assert texts == ['{"a": 1}']
    assert "the value in line 2 has more than 10,000 characters. Split it: jq" in str(errors[0])


separators = st.sampled_from(["", "\n", ",", " ,\n", "[", "]\n", "\r\n", "\n\n"])
objects = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
        max_leaves=4,
    ),
    max_size=3,
)


@given(st.lists(st.tuples(separators, objects)), st.sampled_from([None, 1]))
def test_no_value_is_skipped_or_changed(written, indent):
    content = "".join(between + json.dumps(value, indent=indent) for between, value in written)

    assert [value.parsed for value in values(iter([content]))] == [value for _, value in written]


@given(st.binary(max_size=300))
def test_any_file_is_read_or_reported(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("export") / "file"
    path.write_bytes(b"[" + content)

    texts, errors = read(path)

    assert len(errors) <= 1
    assert all(text.strip() for text in texts)


@pytest.mark.parametrize("separator", ["\n", "", ","])
def test_a_long_file_is_not_kept_in_memory(separator):
    event = json.dumps({"eventType": "Send", "mail": {"subject": "x" * 2000}}) + separator
    chunks = (event * 500 for _ in range(30))
    tracemalloc.start()
    try:
        number = sum(1 for _ in values(chunks))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert number == 15_000
    assert peak < 10_000_000, "30 MB were read"


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_corrupt_gzip_file_is_reported(tmp_path_factory, content, place):
    path = tmp_path_factory.mktemp("export") / "file.gz"
    packed = gzip.compress(LINES.encode())
    broken = packed[:2] + content + packed[place:]
    path.write_bytes(broken)

    texts, errors = read(path)

    # Its time, name and operating system are arbitrary.
    assert [json.loads(text) for text in texts] == EVENTS if not errors else len(errors) == 1
    assert all(f"cannot read {path} after" in str(error) for error in errors)


def test_what_precedes_the_end_of_a_truncated_gzip_file_is_read(tmp_path):
    path = tmp_path / "export.gz"
    path.write_bytes(gzip.compress(LINES.encode())[:-9])

    texts, [error] = read(path)

    assert json.loads(texts[0]) == EVENTS[0]
    assert f"cannot read {path} after" in str(error)


def test_a_missing_file_is_reported(tmp_path):
    _, [error] = read(tmp_path / "export")

    assert str(error) == f"cannot read {tmp_path}/export: No such file or directory"


def test_a_folder_is_replaced_by_its_files(tmp_path):
    for name in ("b/2.json", "a.json", "b/1.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    files = exports.files_in((tmp_path,))

    assert [str(path.relative_to(tmp_path)) for path in files] == ["a.json", "b/1.json", "b/2.json"]
