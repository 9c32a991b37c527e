"""Find the data of a stage: what `destroy` keeps."""

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
        items: how many, as DynamoDB counts them every six hours.
        size_bytes: as often.
        stream_arn: tells it, with the time when it was made, from another of its name.
    """

    name: str
    items: int
    size_bytes: int
    stream_arn: str
    made_at: datetime

    def is_still(self, now: "Table | None") -> bool:
        """Tell whether what is there now is this table, and not one made anew."""
        return now is not None and (
            (now.name, now.stream_arn, now.made_at) == (self.name, self.stream_arn, self.made_at)
        )


def tables(place: Place, of_stack: list[str]) -> list[Table]:
    """Find the tables of the stack, and those that an earlier stack of the stage has left."""
    # CloudFormation names them STACK-RESOURCE-SUFFIX.
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
    """Describe a table; None when there is none."""
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
    """Find the stage's SSM parameters."""
    pages = (
        place.clients("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path=f"/mailpulse/{place.stage}", Recursive=True)
    )
    return sorted(one["Name"] for page in pages for one in page["Parameters"])


def log_groups(place: Place) -> list[str]:
    """Find the logs of the stage's functions, of those that are gone as well."""
    prefix = f"/aws/lambda/mailpulse-{place.stage}-"
    ours = re.compile(f"{re.escape(prefix)}[A-Za-z0-9_]+")
    pages = (
        place.clients("logs")
        .get_paginator("describe_log_groups")
        .paginate(logGroupNamePrefix=prefix)
    )
    names = (one["logGroupName"] for page in pages for one in page["logGroups"])
    return [name for name in names if ours.fullmatch(name)]
