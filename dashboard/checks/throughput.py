"""Check that the tables serve the rate of events for which they were deployed."""

from collections.abc import Iterator

from dashboard.checks.finding import Finding, Subject, ok, warn
from dashboard.deploy.throughput import PARAMETERS, events_served, write_units


def check_throughput(subject: Subject) -> Iterator[Finding]:
    """Check that each table has at least the warm throughput that `--for-rate` has set."""
    dynamodb = subject.clients("dynamodb")
    served: dict[str, int] = {}
    for output, parameter in PARAMETERS.items():
        found = dynamodb.describe_table(TableName=subject.output(output))["Table"]
        served[output] = write_units(found)
        wanted = int(subject.parameters.get(parameter, 0))  # earlier stacks lack the parameter
        if served[output] < wanted:
            yield warn(
                f"{output} serves {served[output]:,} write units a second, not yet the {wanted:,} "
                "for which it was deployed",
                "run `doctor` again in some minutes; if nothing changes, run `deploy --for-rate`",
            )
    units = ", ".join(f"{output} {one:,}" for output, one in served.items())
    yield ok(
        f"the tables serve {events_served(served):,} events a second at once "
        f"(write units a second: {units})"
    )
