"""Exports are read in the formats in which AWS services and commands write them."""

import base64
import csv
import gzip
import io
import json
import zipfile

import pytest
from support import ses

from chalicelib.ses.parse import parse
from dashboard.replay import exports

EVENTS = [
    ses.a_send("m-1"),
    ses.an_open("m-2", agent="Mozilla/5.0 (X11; Linux)"),
    ses.a_click("m-3"),
]
RAW = [ses.raw(event) for event in EVENTS]
IDS = ["m-1", "m-2", "m-3"]
LINES = "".join(RAW)


def read(path):
    errors = []
    return list(exports.read(path, errors.append)), [str(error) for error in errors]


def ids(path):
    """Return the message ids of the events in a file, of which every part must be one."""
    records, errors = read(path)
    assert errors == []
    return [parse(record.text, campaign_tag="campaign").message_id for record in records]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(content, name="export"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def firehose_failed(data):
    return {
        "attemptsMade": 4,
        "arrivalTimestamp": 1795428000000,
        "errorCode": "Lambda.InvokeAccessDenied",
        "errorMessage": "Access was denied.",
        "attemptEndingTimestamp": 1795428100000,
        "rawData": b64(data),
        "lambdaArn": "arn:aws:lambda:eu-west-1:123456789012:function:x:$LATEST",
    }


def log_events(texts):
    return [
        {"logStreamName": "s", "timestamp": 1795428000000, "message": text, "eventId": str(number)}
        for number, text in enumerate(texts)
    ]


def subscription(texts):
    return {"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": log_events(texts)}


def insights(texts):
    return {
        "results": [
            [
                {"field": "@timestamp", "value": "2026-11-23 10:00:00.000"},
                {"field": "@message", "value": text},
                {"field": "@ptr", "value": "CmEK"},
            ]
            for text in texts
        ],
        "statistics": {"recordsMatched": 3.0},
        "status": "Complete",
    }


WRAPPED = {
    "EventBridge": "\n".join(ses.in_eventbridge(event) for event in EVENTS),
    "an EventBridge archive's replay": "".join(
        json.dumps({**json.loads(ses.in_eventbridge(event)), "replay-name": "again"})
        for event in EVENTS
    ),
    "SNS in Firehose": "".join(ses.in_sns_envelope(text) for text in RAW),
    "an array of SNS": json.dumps([json.loads(ses.in_sns_envelope(text)) for text in RAW]),
    "processing-failed": "\n".join(json.dumps(firehose_failed(text)) for text in RAW),
    "processing-failed, with SNS": json.dumps([firehose_failed(ses.in_sns_envelope("".join(RAW[:1]))), *map(firehose_failed, RAW[1:])]),
    "processing-failed, compressed": json.dumps(
        firehose_failed(gzip.compress(json.dumps(subscription(RAW)).encode()))
    ),
    "aws sqs receive-message": json.dumps(
        {"Messages": [{"MessageId": "1", "ReceiptHandle": "r", "Body": text} for text in RAW]},
        indent=4,
    ),
    "aws sqs receive-message, with SNS": json.dumps(
        {"Messages": [{"MessageId": "1", "Body": ses.in_sns_envelope(text)} for text in RAW]}
    ),
    "aws sqs receive-message, repeated": "\n".join(
        json.dumps({"Messages": [{"MessageId": "1", "Body": text}]}, indent=4) for text in RAW
    ),
    "aws sqs receive-message --query Messages[].Body": json.dumps(RAW, indent=4),
    "dlq list --json": "\n".join(
        json.dumps({"id": "1", "reason": "not_stored", "detail": "…", "body": text})
        for text in RAW
    ),
    "aws logs filter-log-events": json.dumps(
        {"events": log_events(RAW), "searchedLogStreams": []}, indent=4
    ),
    "aws logs filter-log-events, with EventBridge": json.dumps(
        {"events": log_events(map(ses.in_eventbridge, EVENTS))}
    ),
    "aws logs get-query-results": json.dumps(insights(RAW), indent=4),
    "Logs Insights as JSON": json.dumps([{"@timestamp": "…", "@message": text} for text in RAW]),
    "Logs Insights as JSON, parsed": json.dumps(
        [{"@timestamp": "…", "@message": event} for event in EVENTS]
    ),
    "a subscription of CloudWatch Logs": json.dumps(subscription(RAW)),
    "a subscription of CloudWatch Logs, in Lambda": json.dumps(
        {"awslogs": {"data": b64(gzip.compress(json.dumps(subscription(RAW)).encode()))}}
    ),
    "a CloudWatch export to S3": "".join(f"2026-11-23T10:00:00.000Z {text}" for text in RAW),
    "SQS in Lambda": json.dumps(ses.in_sqs_event(*RAW)),
    "SNS in Lambda": json.dumps(
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": text}} for text in RAW]}
    ),
    "Kinesis in Lambda": json.dumps(
        {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": b64(text)}} for text in RAW]}
    ),
    "Firehose in Lambda": json.dumps(
        {"records": [{"recordId": "1", "data": b64(text)} for text in RAW]}
    ),
    "a failed invocation of Lambda": json.dumps(
        {"version": "1.0", "requestContext": {}, "requestPayload": ses.in_sqs_event(*RAW)}
    ),
    "JSON in a string": "\n".join(map(json.dumps, RAW)),
}  # fmt: skip


@pytest.mark.parametrize("content", WRAPPED.values(), ids=WRAPPED)
def test_events_are_found_in_what_aws_wraps_them_in(write, content):
    assert ids(write(content)) == IDS


def as_csv(rows, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(rows)
    return text.getvalue()


ROWS = [["@timestamp", "@message"], *(["2026-11-23 10:00:00", text] for text in RAW)]
PRETTY_ROWS = [["id", "event", "n"], *(["1", json.dumps(one, indent=2), "ä"] for one in EVENTS)]


@pytest.mark.parametrize("rows", [ROWS, PRETTY_ROWS], ids=["logs", "over many lines"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_events_are_found_in_the_cells_of_csv(write, rows, delimiter, quoting, encoding):
    assert ids(write(as_csv(rows, delimiter, quoting).encode(encoding))) == IDS


@pytest.mark.parametrize(
    "rows", [ROWS[1:], [[text] for text in RAW], [["event", "at"], *([text, "1"] for text in RAW)]]
)
def test_the_header_and_the_order_of_csv_do_not_matter(write, rows):
    assert ids(write(as_csv(rows, ";"))) == IDS


def test_csv_cells_may_contain_envelopes(write):
    rows = [["time", "notification"], *(["1", ses.in_sns_envelope(text)] for text in RAW)]

    assert ids(write(as_csv(rows))) == IDS


def test_a_csv_row_without_json_is_reported_with_its_line(write):
    path = write(as_csv([*ROWS[:3], ["2026-11-23", "START RequestId: 1"], [], ROWS[3]]))

    records, errors = read(path)

    assert [record.place for record in records] == [f"{path}:{line}" for line in (2, 4, 6, 8)]
    assert (records[2].text, errors) == ("2026-11-23,START RequestId: 1", [])


def test_a_csv_cell_without_its_closing_quote_affects_only_the_next_row(write):
    path = write(as_csv(ROWS[:2]) + '1,"{""a"": 1\r\n' + as_csv([*ROWS[1:], *ROWS[1:]]))

    records, errors = read(path)

    intact = [record for record in records if record.text.endswith("}")]
    assert (len(intact), errors) == (6, []), "one of seven was swallowed"
    assert f"{path}:4" in {record.place for record in records if record not in intact}


def test_a_csv_cell_that_is_too_long_is_reported_with_its_line(write, monkeypatch):
    monkeypatch.setattr("dashboard.replay.csv_cells._MOST_CHARACTERS", 3000)
    path = write(as_csv([*ROWS[:2], ["1", "x" * 4000], *ROWS[2:]]))

    records, _ = read(path)

    assert [record.place for record in records] == [f"{path}:{line}" for line in (2, 4, 5, 7)]
    assert records[1].text == "a damaged row: field larger than field limit (3000)"


def a_zip(*contents, **options):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        archive.mkdir("folder") if hasattr(archive, "mkdir") else None
        for number, content in enumerate(contents):
            archive.writestr(f"folder/{number}.json", content)
        archive.writestr("__MACOSX/._0.json", b"\0\x05\x16\x07")
    return packed.getvalue()


PACKED = {
    "gzip": gzip.compress(LINES.encode()),
    "gzip in gzip": gzip.compress(gzip.compress(LINES.encode())),
    "gzip files in one": b"".join(gzip.compress(text.encode()) for text in RAW),
    "ZIP": a_zip(*RAW),
    "gzip in ZIP": a_zip(*(gzip.compress(text.encode()) for text in RAW)),
    "ZIP in gzip": gzip.compress(a_zip(*RAW)),
    "ZIP in ZIP": a_zip(a_zip(RAW[0]), a_zip(*RAW[1:])),
    "CSV in gzip": gzip.compress(as_csv(ROWS).encode()),
    "UTF-16 in gzip": gzip.compress(LINES.encode("utf-16")),
    "an array in ZIP": a_zip(json.dumps(EVENTS, indent=2)),
}


@pytest.mark.parametrize("content", PACKED.values(), ids=PACKED)
def test_gzip_and_zip_are_unpacked_in_any_combination(write, content):
    assert ids(write(content)) == IDS


def test_the_place_of_a_message_includes_the_path_inside_an_archive(write):
    path = write(a_zip(LINES), "export.zip")

    records, _ = read(path)

    assert [record.place for record in records] == [f"{path}/folder/0.json:{n}" for n in (1, 2, 3)]


def test_a_damaged_or_encrypted_file_in_an_archive_does_not_affect_the_others(write):
    archive = bytearray(a_zip(*RAW, "secret"))
    at = archive.index(b"folder/1.json") + len("folder/1.json")
    archive[at + 20] ^= 0xFF
    encrypted = archive.index(b"folder/3.json", archive.index(b"PK\1\2")) - 38
    archive[encrypted] |= 1
    path = write(bytes(archive), "export.zip")

    records, errors = read(path)

    assert {record.place for record in records} >= {f"{path}/folder/{n}.json:1" for n in (0, 2)}
    assert f"cannot read {path}/folder/1.json after" in errors[0]
    assert "encrypted" in errors[1]


def test_a_truncated_archive_is_reported(write):
    path = write(a_zip(*RAW)[:-30], "export.zip")

    assert read(path) == ([], [f"cannot read {path}: File is not a zip file. Repair it: zip -FF FILE --out repaired.zip"])  # fmt: skip


def test_a_file_is_not_unpacked_without_end(write):
    content = LINES.encode()
    for _ in range(10):
        content = gzip.compress(content)

    assert "more than 8 layers" in read(write(content))[1][0]


def test_invalid_base64_and_lone_surrogates_do_not_stop_the_reading(write):
    event = json.dumps(ses.a_send("m-1", subject="\ud83d"))
    path = write(json.dumps({"rawData": "?"}) + json.dumps({"Messages": [{"Body": event}]}))

    first, second = (record.text for record in read(path)[0])

    assert first == '{"rawData": "?"}'
    assert parse(second, campaign_tag="campaign").subject == "?"


def test_messages_that_are_not_events_are_kept_for_their_reason(write):
    legacy = {"notificationType": "Bounce", "message": "…"}
    body = {"Messages": [{"Body": ses.VALIDATION}, {"Body": "no\nevent"}, {"MessageId": "3"}]}
    path = write(json.dumps(body) + json.dumps(legacy) + json.dumps({"Records": [{"s3": {}}]}))

    texts = [record.text for record in read(path)[0]]

    assert texts == [
        ses.VALIDATION,
        "no\nevent",
        '{"MessageId": "3"}',
        json.dumps(legacy),
        '{"s3": {}}',
    ]


EML = (
    "Return-Path: <news@example.com>\r\nReceived: from a by b;\r\n Mon, 23 Nov 2026\r\n"
    "Subject: Spring\r\n\r\nHello"
)
FOREIGN = {
    "Parquet": (b"PAR1\x15\x04\x15", "Apache Parquet", "duckdb -c \"COPY (FROM '{}') TO"),
    "Avro": (b"Obj\x01\x04\x16avro", "Apache Avro", "avro-tools tojson {}"),
    "ORC": (b"ORC\x08\x03", "Apache ORC", "orc-contents {}"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04", "zstd", "zstd -d {}"),
    "bzip2": (b"BZh91AY&SY", "bzip2", "bunzip2 --keep {}"),
    "xz": (b"\xfd7zXZ\0\0", "xz", "unxz --keep {}"),
    "LZ4": (b"\x04\x22\x4d\x18", "LZ4", "lz4 -d {}"),
    "Snappy": (b"\xff\x06\0\0sNaPpY", "Snappy", "snzip -dk {}"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "7z archive", "7z x {}"),
    "RAR": (b"Rar!\x1a\x07\x01\0", "RAR archive", "unrar x {}"),
    "tar": (b"a.json".ljust(257, b"\0") + b"ustar\x0000", "tar archive", "tar -xf {}"),
    "PDF": (b"%PDF-1.7\n%\xe2", "PDF document", "pdftotext {}"),
    "SQLite": (b"SQLite format 3\0", "SQLite database", "sqlite3 -csv {}"),
    "Excel": (b"\xd0\xcf\x11\xe0\xa1", "Office document", "libreoffice --headless"),
    "PGP": (b"-----BEGIN PGP MESSAGE-----\n", "encrypted with PGP", "gpg --decrypt {}"),
    "HTML": (b"\n<!DOCTYPE html><html>", "HTML page", "aws s3 cp"),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied", "XML document", "aws s3 cp"),
    "an email": (EML.encode(), "an email message", "munpack {}"),
    "an mbox": (b"From a@b.c Mon\n" + EML.encode(), "an email message", "munpack {}"),
    "binary": (bytes(range(256)) * 4, "binary data", "file {}"),
    "random": (b"\x00\xd1\xe4\x9a\xc1\x7f" * 99, "binary data", "file {}"),
}


@pytest.mark.parametrize(("content", "name", "command"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_cannot_be_read_is_named_with_a_command(write, content, name, command):
    path = write(content)

    records, [error] = read(path)

    assert records == []
    assert f"{path} seems to be " in error
    assert name in error
    assert command.format(path) in error
    assert error.isprintable()


def test_an_office_document_is_not_read_as_an_archive(write):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")

    assert "an Office document" in read(write(packed.getvalue()))[1][0]


def test_a_packed_file_that_cannot_be_read_must_be_unpacked_first(write):
    path = write(gzip.compress(FOREIGN["tar"][0]), "export.tar.gz")

    assert read(path)[1] == [
        f"{path} seems to be a tar archive. Unpack it. Extract it: tar -xf FILE"
    ]


def test_names_do_not_control_the_terminal_or_the_shell(write):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("\x1b[2J.json", b"PAR1")
    path = write(packed.getvalue(), "a$(reboot).zip")

    [inside] = read(path)[1]
    [alone] = read(write(b"PAR1", "\x1b$(reboot)"))[1]

    assert f"{path}/?[2J.json seems to be" in inside
    assert "(FROM 'FILE')" in inside
    assert "(FROM 'FILE')" in alone
    assert alone.isprintable()


@pytest.mark.parametrize("content", ["", "\n", "[]", "\ufeff", "[\n]\n"])
def test_an_empty_file_has_no_messages(write, content):
    assert read(write(content)) == ([], [])


def test_text_in_any_language_is_not_binary(write):
    [record] = read(write("Доброе утро"))[0]

    assert record.text == "Доброе утро"
