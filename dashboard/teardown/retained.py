"""Find the data of a stage, which `destroy` retains."""

import re
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from dashboard.deploy.remote import Place
from dashboard.teardown.stack_removal import DATA


@dataclass(frozen=True)
class Table:
    """A table that holds data.

    Attributes:
        items: number of items, which DynamoDB updates every six hours.
        size_bytes: size, updated as often.
        stream_arn: with made_at, distinguishes the table from a later one of the same name.
    """

    name: str
    items: int
    size_bytes: int
    stream_arn: str
    made_at: datetime

    def is_still(self, now: "Table | None") -> bool:
        """Return whether `now` is this table, and not a new one of the same name."""
        return now is not None and (
            (now.name, now.stream_arn, now.made_at) == (self.name, self.stream_arn, self.made_at)
        )


def tables(place: Place, of_stack: list[str]) -> list[Table]:
    """Return the stack's tables, and those retained from earlier stacks of the stage."""
    # CloudFormation's names are STACK-RESOURCE-SUFFIX.
    ours = re.compile(f"{re.escape(place.stack_name)}-({'|'.join(DATA)})-[A-Za-z0-9]+")
    left = [
        name
        for page in place.clients("dynamodb").get_paginator("list_tables").paginate()
        for name in page["TableNames"]
        if ours.fullmatch(name) and name not in of_stack
    ]
    found = (table(place, name) for name in (*of_stack, *sorted(left)))
    return [one for one in found if one is not None]


def table(place: Place, name: str) -> Table | None:
    """Return the description of a table; None if there is no such table."""
    try:
        found = place.clients("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return Table(
        name=name,
        items=found["ItemCount"],
        size_bytes=found["TableSizeBytes"],
        stream_arn=found.get("LatestStreamArn", ""),
        made_at=found["CreationDateTime"],
    )


def parameters(place: Place) -> list[str]:
    """Return the names of the stage's SSM parameters."""
    pages = (
        place.clients("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path=f"/mailpulse/{place.stage}", Recursive=True)
    )
    return sorted(one["Name"] for page in pages for one in page["Parameters"])


def log_groups(place: Place) -> list[str]:
    """Return the names of the log groups of the stage's current and former functions."""
    prefix = f"/aws/lambda/mailpulse-{place.stage}-"
    ours = re.compile(f"{re.escape(prefix)}[A-Za-z0-9_]+")
    pages = (
        place.clients("logs")
        .get_paginator("describe_log_groups")
        .paginate(logGroupNamePrefix=prefix)
    )
    names = (one["logGroupName"] for page in pages for one in page["logGroups"])
    return [name for name in names if ours.fullmatch(name)]
