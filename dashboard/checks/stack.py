"""Check the CloudFormation stack."""

from collections.abc import Iterator

from dashboard.checks.finding import Finding, Subject, fail, ok, warn

_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}


def check_stack(subject: Subject) -> Iterator[Finding]:
    """Check that the stack's last change succeeded."""
    name, status = subject.stack["StackName"], subject.stack["StackStatus"]
    if status in _GOOD:
        yield ok(f"{name} is {status}")
    elif status.endswith("_IN_PROGRESS"):
        yield warn(f"{name} is {status}", "run `doctor` again when it has finished")
    elif status == "UPDATE_ROLLBACK_COMPLETE":
        yield warn(
            f"{name} is {status}: its last update failed and was rolled back",
            "run `deploy`, which reports the reason",
        )
    else:
        yield fail(
            f"{name} is {status}", "run `deploy`, which reports the reason and creates it again"
        )
