"""The input and output of a check."""

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
    """The result of one check.

    Attributes:
        status: `FAIL` also for a check that could not run: nothing is ok unless it was checked.
        says: what was found, with the value.
        remedy: how to fix it; empty if there is nothing to fix.
    """

    status: Status
    says: str
    remedy: str = ""


def ok(says: str) -> Finding:
    """Return a finding of something that works."""
    return Finding("ok", says)


def warn(says: str, remedy: str) -> Finding:
    """Return a finding of something that works with a flaw."""
    return Finding("warn", says, remedy)


def fail(says: str, remedy: str) -> Finding:
    """Return a finding of something that does not work."""
    return Finding("FAIL", says, remedy)


@dataclass(frozen=True)
class Subject:
    """The stage under check.

    Attributes:
        clients: makes boto3 clients of the account, for its region unless another is given.
        stack: as CloudFormation describes it.
        outputs: outputs of the stack, by name.
        parameters: parameters of the stack, by name.
        web: fetches public URLs over HTTPS.
        clock: returns the current time, in UTC.
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
        """Return a client of the region in which SES sends."""
        return self.clients(service, region_name=self.ses_region)

    def output(self, name: str) -> str:
        """Return an output of the stack.

        Raises:
            CommandError: the stack has no output of that name.
        """
        if name not in self.outputs:
            raise CommandError(
                f"the stack has no output {name}, because an earlier version or `up` created "
                "it; run `deploy`"
            )
        return self.outputs[name]


Check = Callable[[Subject], Iterator[Finding]]
