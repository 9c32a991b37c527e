"""An interrupted replay resumes where it stopped."""

import gzip
import json
import re
import subprocess
import zipfile
from collections import Counter

import pytest
from click.testing import CliRunner
from support import ses

from chalicelib.errors import CommandError
from dashboard.commands.replay import Note, Outcome, command, replay
from dashboard.sqs import queue

COUNT = 100


class Interrupted(Exception):
    pass


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "export"
    path.write_text("".join(ses.raw(ses.a_send(f"m-{number}")) for number in range(COUNT)))
    return path


def note(tmp_path, export, target="queue"):
    return Note(tmp_path / "notes", target, export)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"records": 3}'])
def test_a_damaged_progress_file_is_refused_with_a_working_remedy(tmp_path, export, content):
    note(tmp_path, export).write(3, Counter())
    [path] = (tmp_path / "notes").iterdir()
    path.write_text(content)

    with pytest.raises(CommandError, match=r"\.note is damaged: ") as refused:
        note(tmp_path, export).read()

    assert path.read_text() == content
    subprocess.run(re.search("run `(.*)`", str(refused.value))[1], shell=True, check=True)
    assert note(tmp_path, export).read() == (0, Counter())


def interrupted_at(outcome, sent):
    def progress(_):
        if outcome.sent == sent:
            raise Interrupted

    return progress


@pytest.fixture(autouse=True)
def _notes_at_once(monkeypatch):
    monkeypatch.setattr("dashboard.commands.replay._NOTE_EVERY_SECONDS", 0)


def test_an_interrupted_replay_resumes_where_it_stopped(installation, export, tmp_path):
    first, second = Outcome(), Outcome()

    with pytest.raises(Interrupted):
        replay(installation, export, note(tmp_path, export), first, interrupted_at(first, 60))
    assert note(tmp_path, export).read()[0] == 50
    replay(installation, export, note(tmp_path, export), second)

    assert (second.earlier, second.sent) == (50, 50)
    assert note(tmp_path, export).read()[0] == 0, "a second run replays it again"
    waiting = installation.queues.waiting()
    assert waiting == 110, "ten were sent twice, but are counted once"


def test_progress_is_recorded_per_file_and_queue(export, tmp_path):
    note(tmp_path, export).write(7, Counter())
    assert note(tmp_path, export).read()[0] == 7
    assert note(tmp_path, export, "other").read()[0] == 0

    export.write_text("changed")
    assert note(tmp_path, export).read()[0] == 0


def test_a_replaced_file_is_replayed_from_its_beginning(installation, export, tmp_path):
    first, second = Outcome(), Outcome()

    def progress(_):
        if first.sent == 10:
            other = tmp_path / "other"
            other.write_text(export.read_text().replace("m-", "n-"))
            other.replace(export)
        if first.sent == 40:
            raise Interrupted

    with pytest.raises(Interrupted):
        replay(installation, export, note(tmp_path, export), first, progress)
    replay(installation, export, note(tmp_path, export), second)

    assert (second.earlier, second.sent) == (0, COUNT)


@pytest.fixture
def run(installation, tmp_path, monkeypatch):
    """Return a function that runs the command and returns its exit status and output."""
    monkeypatch.setattr("dashboard.commands.replay.find", lambda *_: installation)

    def run(*paths):
        arguments = [*map(str, paths), "--state-dir", str(tmp_path / "state")]
        result = CliRunner().invoke(command, arguments)
        return result.exit_code, result.output

    return run


def test_rejected_events_are_reported_even_after_an_interruption(
    run, export, tmp_path, monkeypatch
):
    export.write_text("no event\n" * 10 + export.read_text())
    real, calls = queue.Sender.send, []

    def send(sender, bodies):
        calls.append(bodies)
        if len(calls) == 5:
            raise KeyboardInterrupt
        real(sender, bodies)

    monkeypatch.setattr(queue.Sender, "send", send)

    status, said = run(export)
    assert status == 1
    assert "10 bad_json" in said
    status, said = run(export)
    assert status == 1
    assert "10 bad_json" in said


def test_an_unreadable_file_does_not_block_other_files(run, export, tmp_path):
    broken = tmp_path / "a-broken.gz"
    broken.write_bytes(gzip.compress(export.read_bytes())[:-40])

    status, said = run(broken, export)

    assert status == 1
    assert re.search(r"cannot read .*a-broken\.gz", said)
    sent = re.search(
        r"(\d+) events sent to the queue; not sent: 1 bad_json; 1 file not read completely\.", said
    )
    assert sent, said
    assert 180 < int(sent[1]) < 200, "what precedes the damage is replayed"


def test_a_file_of_another_format_is_one_line_with_a_command(run, export, tmp_path):
    foreign = tmp_path / "events.parquet"
    foreign.write_bytes(b"PAR1\x15\x04\x1b[2J")

    status, said = run(foreign, export)

    assert status == 1
    assert f"{foreign} seems to be Apache Parquet. Convert it: duckdb -c" in said
    assert "100 events sent to the queue; 1 file not read completely." in said
    assert "\x1b" not in said


def test_an_interrupted_replay_of_an_archive_resumes_where_it_stopped(
    installation, export, tmp_path
):
    archive = tmp_path / "export.zip"
    lines = export.read_text().splitlines(keepends=True)
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.json", "".join(lines[:30]))
        packed.writestr("b.json", json.dumps([json.loads(line) for line in lines[30:]]))
    first, second = Outcome(), Outcome()

    with pytest.raises(Interrupted):
        replay(installation, archive, note(tmp_path, archive), first, interrupted_at(first, 60))
    replay(installation, archive, note(tmp_path, archive), second)

    assert (second.earlier, second.sent) == (50, 50)


def test_messages_that_the_queue_keeps_rejecting_are_retried_then_reported():
    class Client:
        calls = 0

        def send_message_batch(self, *, QueueUrl, Entries):
            self.calls += 1
            failed = Entries[:1] if self.calls < 3 else []
            return {"Failed": [{"Id": one["Id"], "Code": "Busy"} for one in failed]}

    client, pauses = Client(), []
    queue.Sender(client, "url", sleep=pauses.append).send(["a", "b"])
    assert (client.calls, len(pauses)) == (3, 2)

    client.calls = -100
    with pytest.raises(CommandError, match="rejected 1 of 2 messages"):
        queue.Sender(client, "url", sleep=pauses.append).send(["a", "b"])


def test_messages_are_split_into_batches_within_the_sqs_limits():
    sizes = []

    class Client:
        def send_message_batch(self, *, QueueUrl, Entries):
            sizes.append([len(one["MessageBody"]) for one in Entries])
            return {}

    queue.Sender(Client(), "url").send(["a"] * 12 + ["b" * 200_000] * 2)

    assert sizes == [[1] * 10, [1, 1, 200_000], [200_000]]
