"""What a check is given, and what it yields."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from chalicelib.errors import CommandError
from dashboard.aws_session import Clients
from dashboard.checks.web import Web
from dashboard.deploy.stack import Outputs

Status = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        status: `FAIL` also for what could not be looked at: nothing is ok unseen.
        says: what was seen, with the value.
        remedy: how to mend it; empty where there is nothing to mend.
    """

    status: Status
    says: str
    remedy: str = ""


def ok(says: str) -> Finding:
    """Find it well."""
    return Finding("ok", says)


def warn(says: str, remedy: str) -> Finding:
    """Find what works, and not as it should."""
    return Finding("warn", says, remedy)


def fail(says: str, remedy: str) -> Finding:
    """Find what does not work."""
    return Finding("FAIL", says, remedy)


@dataclass(frozen=True)
class Subject:
    """The stage that is looked at.

    Attributes:
        clients: make boto3 clients of its account, and of its region unless told another.
        stack: as CloudFormation describes it.
        outputs: of the stack, by name.
        parameters: of the stack, by name.
        web: gets what is public, over https.
        clock: gives the time, in UTC.
    """

    stage: str
    region: str
    account: str
    clients: Clients
    stack: Mapping[str, Any]
    outputs: Outputs
    parameters: Mapping[str, str]
    web: Web = field(default_factory=Web)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def ses_region(self) -> str:
        """The region in which SES sends: SES publishes only to topics of its own region.

        https://docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html
        """
        return self.output("TopicArn").split(":")[3]

    def clients_of_ses(self, service: str) -> Any:
        """Make a client of the region in which SES sends."""
        return self.clients(service, region_name=self.ses_region)

    def output(self, name: str) -> str:
        """Give an output of the stack.

        Raises:
            CommandError: it has none of that name.
        """
        if name not in self.outputs:
            raise CommandError(
                f"the stack has no output {name}: it is an earlier version's, or not for AWS; "
                "run `deploy`"
            )
        return self.outputs[name]


Check = Callable[[Subject], Iterator[Finding]]
