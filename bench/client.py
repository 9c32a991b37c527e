"""A thousand items written to DynamoDB: the functions' client beside boto3's batch_writer.

    python bench/client.py [--rounds 7]

Over TLS to a stub that answers at once; processor time of this process alone. The must and the
stretch are those of docs/performance.md.
"""

import statistics

import click
from baselines.boto3_calls import batch_writer
from rounds import interleaved, ratio, stub, taken

from chalicelib.aws import JsonService

ITEMS = 1000
BATCH = 25  # the most that BatchWriteItem takes


def item(number: int) -> dict[str, str | int]:
    """Make an item of about 270 bytes."""
    return {
        "message_id": f"0100018b6d6c4f2a-{number:08d}-4f3e-a8b0-2f7d5f6a8f10-000000",
        "fact": "Delivery#2026-11-25T14:00:00.000Z#recipient",
        "campaign": "spring-sale",
        "at": "2026-11-25T14:00:00.000Z",
        "recipient": f"somebody-{number:08d}@example.com",
        "expires": 1_800_000_000 + number,
        "class": "human",
    }


def typed(plain: dict[str, str | int]) -> dict[str, dict[str, str]]:
    """Write an item as DynamoDB's JSON, as the functions do."""
    return {
        name: {"S": value} if isinstance(value, str) else {"N": str(value)}
        for name, value in plain.items()
    }


@click.command()
@click.option("--rounds", default=7, show_default=True)
def main(rounds: int) -> None:
    """Measure and print."""
    plain = [item(number) for number in range(ITEMS)]
    items = [typed(one) for one in plain]
    with stub(0) as server:
        theirs = batch_writer(server.url, server.authority.path)
        dynamo = JsonService("dynamodb", server.config, context=server.authority.context)

        def ours() -> None:
            for start in range(0, ITEMS, BATCH):
                puts = [{"PutRequest": {"Item": one}} for one in items[start : start + BATCH]]
                dynamo.call("batch_write_item", RequestItems={"facts": puts})

        results = interleaved(
            {"batch_writer": lambda: taken(lambda: theirs(plain)), "ours": lambda: taken(ours)},
            rounds,
        )
    cpu = {name: [one.cpu for one in took] for name, took in results.items()}
    for name, seconds in cpu.items():
        print(f"{name:<14} {statistics.median(seconds) * 1000:7.1f} ms of CPU for {ITEMS} items")
    print(f"batch_writer ÷ ours: {ratio(cpu['batch_writer'], cpu['ours'])}; must 7, stretch 12")


if __name__ == "__main__":
    main()
