"""Dead letters are redriven once, and none is lost."""

import threading
import time

import pytest
from support import handlers, moto_account

from chalicelib.errors import CommandError
from dashboard.commands import dlq

POISON = 30


@pytest.fixture
def ingesting(pipeline):
    """Ingest the messages of the queue, as Lambda does."""
    sqs, url = moto_account.client("sqs"), pipeline.config.queue_url
    ended = threading.Event()

    def run():
        while not ended.is_set():
            for message in pipeline.queue_messages(url):
                record = {"messageId": message["MessageId"], "body": message["Body"]}
                handlers.ingest({"Records": [record]})
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            time.sleep(0.02)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_a_permanently_invalid_message_is_redriven_only_once(pipeline, installation, ingesting):
    for number in range(POISON):
        pipeline.ingest(f"no event {number}")
    time.sleep(1.1)  # SQS responses have times in whole seconds

    sent, _ = dlq.redrive(installation, None)

    assert sent == POISON


def test_a_message_that_was_sent_but_not_deleted_stays_in_the_queue(
    pipeline, installation, monkeypatch
):
    for number in range(3):
        pipeline.ingest(f"no event {number}")
    time.sleep(1.1)
    sqs = installation.clients("sqs")
    real = sqs.delete_message_batch

    def all_but_the_first(*, QueueUrl, Entries):
        real(QueueUrl=QueueUrl, Entries=Entries[1:])
        return {"Failed": [{"Id": Entries[0]["Id"], "Code": "InternalError"}]}

    monkeypatch.setattr(sqs, "delete_message_batch", all_but_the_first)

    with pytest.raises(CommandError, match="1 messages were not deleted"):
        dlq.redrive(installation, None)

    assert pipeline.parts.queues.waiting() == 3
    assert pipeline.parts.queues.dead_letters() == 1
