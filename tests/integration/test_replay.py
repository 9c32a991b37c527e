"""A replay that was interrupted goes on where it was."""

import boto3
import pytest
from support import ses

from chalicelib.errors import CommandError
from dashboard import queue
from dashboard.installation import Installation
from dashboard.replay import Notes, Outcome, replay

COUNT = 100


class Interrupted(Exception):
    pass


@pytest.fixture
def installation(pipeline):
    def clients(service):
        return boto3.client(service, "us-east-1")

    return Installation("test", clients, pipeline.parts)


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "export"
    path.write_text("".join(ses.raw(ses.a_send(f"m-{number}")) for number in range(COUNT)))
    return path


def test_an_interrupted_replay_goes_on_where_it_was(installation, export, tmp_path, monkeypatch):
    monkeypatch.setattr("dashboard.replay._NOTE_EVERY_SECONDS", 0)
    notes = Notes(tmp_path / "notes", "queue")
    first, second = Outcome(), Outcome()

    def interrupt(_):
        if first.sent == 60:
            raise Interrupted

    with pytest.raises(Interrupted):
        replay(installation, export, notes, first, interrupt)
    assert notes.done(export) == 50
    replay(installation, export, notes, second)

    assert (second.earlier, second.sent) == (50, 50)
    assert notes.done(export) == 0, "asked again, it is replayed again"
    waiting = installation.parts.queues.waiting()
    assert waiting == 110, "ten were sent twice, which counts nothing twice"


def test_a_note_is_of_one_file_and_one_queue(export, tmp_path):
    Notes(tmp_path / "notes", "queue").write(export, 7)
    assert Notes(tmp_path / "notes", "queue").done(export) == 7
    assert Notes(tmp_path / "notes", "other").done(export) == 0

    export.write_text("changed")
    assert Notes(tmp_path / "notes", "queue").done(export) == 0


def test_what_the_queue_does_not_take_is_sent_again_and_then_an_error():
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
    with pytest.raises(CommandError, match="did not take 1 of 2 messages"):
        queue.Sender(client, "url", sleep=pauses.append).send(["a", "b"])


def test_messages_are_divided_into_what_one_call_takes():
    sizes = []

    class Client:
        def send_message_batch(self, *, QueueUrl, Entries):
            sizes.append([len(one["MessageBody"]) for one in Entries])
            return {}

    queue.Sender(Client(), "url").send(["a"] * 12 + ["b" * 200_000] * 2)

    assert sizes == [[1] * 10, [1, 1, 200_000], [200_000]]
