"""Kill each command in the life of a stage at one of its calls, and run it again.

The stage is deployed, upgraded and destroyed with its data kept, and its data is deleted.

A command that is killed at any of its calls and run again must leave the same state as an
uninterrupted one, and no event that was published meanwhile may be lost.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from support import ses
from support.account import REGION, Account, At, Done, Watch

from dashboard.deploy.chalice_resources import function_name
from dashboard.functions import FUNCTIONS

STAGE = "law"
CAMPAIGN = "spring"
COMMANDS = ("deploy", "upgrade", "destroy", "delete")

_ARGUMENTS = {
    "deploy": ("--configuration-set", "news", "--new-configuration-set"),
    "upgrade": ("--set", "RETENTION_DAYS=120"),
}
# An update of a function ends the emulator's worker, if need be within a batch; the messages are
# received again after the queue's visibility timeout of 180 s (infrastructure/mailpulse.yaml).
_COUNTED_SECONDS = 200


@dataclass(frozen=True)
class Moment:
    """Moment at which a command is killed: right before or right after a call."""

    command: str
    call: int
    done: bool

    def __str__(self) -> str:
        return f"{self.command} killed {'after' if self.done else 'before'} change {self.call}"


@dataclass
class Undisturbed:
    """The calls of each uninterrupted command, and the state after it.

    Attributes:
        calls: the number of calls of each command.
        changes: the calls that change something, as `service:operation`.
        moments: the moments of each command that leave different states. Between the end of a change
            and the start of the next, only the operator's files may change: unless one does, the
            two are one moment.
        states: the account after each command.
    """

    calls: dict[str, int] = field(default_factory=dict)
    changes: dict[str, list[str]] = field(default_factory=dict)
    moments: dict[str, list[Moment]] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)


def undisturbed(account: Account) -> Undisturbed:
    """Run all commands of a stage's life without interruptions."""
    found = Undisturbed()
    for command in COMMANDS:
        if command == "upgrade":
            earlier_release(account)
        start = len(account.proxy.calls)
        differing: dict[tuple[int, int], Moment] = {}

        def note(call: int, done: bool, command: str = command, differing: Any = differing) -> None:
            state = (call + done, account.files())
            differing.setdefault(state, Moment(command, call, done))

        _succeed(_run(account, command, at_each=note))
        calls = account.proxy.calls[start:]
        found.calls[command] = len(calls)
        found.changes[command] = [str(call) for call in calls if call.changes_something]
        found.moments[command] = list(differing.values())
        found.states[command] = account.state(STAGE)
    account.reset()
    return found


def live(account: Account, expected: Undisturbed, *moments: Moment | None) -> None:
    """Run all commands of a stage's life, each killed at its moment and run again.

    Args:
        account: empty before and afterwards.
        expected: the results of an uninterrupted run.
        moments: one for each of COMMANDS, in order; a command without one is skipped, except
            `deploy`, which then runs uninterrupted.

    Raises:
        AssertionError: a command failed or left a different state, or an event was lost.
    """
    published = 0
    try:
        for command, moment in zip(COMMANDS, moments, strict=False):
            if moment is not None:
                if command == "upgrade":
                    earlier_release(account)
                _run(account, command, kill_at=(moment.call, moment.done))
                published += _publish(account, published)
            elif command != "deploy":
                continue
            _succeed(_run(account, command), moment)
            published += _publish(account, published)
            if command in _ARGUMENTS:
                _wait_until_counted(account, published, moment)
            left = account.state(STAGE)
            assert left == expected.states[command], (
                f"{moment}: {_difference(left, expected.states[command])}"
            )
        assert account.proxy.rules.lost == [], f"{moments}: {account.proxy.rules.lost}"
    finally:
        account.reset()
        _code(account, upgraded=False)


def earlier_release(account: Account, stage: str = STAGE) -> None:
    """Turn a stage into one of the previous release: roles by Chalice, logs that never expire."""
    iam, functions, logs = (account.aws(name) for name in ("iam", "lambda", "logs"))
    for function in FUNCTIONS:
        name = function_name(stage, function)
        group = f"/aws/lambda/{name}"
        logs.delete_retention_policy(logGroupName=group)
        resource = f"arn:aws:logs:{REGION}:000000000000:log-group:{group}"
        statement = {"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": [resource]}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        functions.update_function_configuration(FunctionName=name, Role=arn)


def _run(
    account: Account, command: str, kill_at: At | None = None, at_each: Watch | None = None
) -> Done:
    if command not in _ARGUMENTS:
        data = ("--delete-data",) if command == "delete" else ()
        arguments = ("destroy", "--stage", STAGE, "--region", REGION, "--yes", *data)
        return account.run(*arguments, kill_at=kill_at, at_each=at_each)
    _code(account, upgraded=command == "upgrade")
    return account.deploy(STAGE, *_ARGUMENTS[command], kill_at=kill_at, at_each=at_each)


def _code(account: Account, *, upgraded: bool) -> None:
    """Write the version of the functions' code for a command to deploy."""
    file = account.project / "chalicelib" / "errors.py"
    mark = "\n# the next version\n"
    text = file.read_text().removesuffix(mark)
    file.write_text(text + mark if upgraded else text)


def _succeed(done: Done, moment: Moment | None = None) -> None:
    if moment is not None and moment.command == "delete" and "nothing to remove" in done.stderr:
        return  # the killed run had completed
    assert done.status == 0, f"{moment}: {done.stderr}"


def _publish(account: Account, published: int) -> int:
    """Publish an event if the topic exists; return the number of published events."""
    event = ses.a_send(f"m-{published}")
    event["mail"]["tags"] = {"campaign": [CAMPAIGN]}
    return int(account.publish(STAGE, event))


def _wait_until_counted(account: Account, published: int, moment: Moment | None) -> None:
    until = time.monotonic() + _COUNTED_SECONDS
    while (counted := account.count(STAGE, CAMPAIGN, "s")) != published:
        assert time.monotonic() < until, f"{moment}: {counted} of {published} events are counted"
        time.sleep(0.1)


def _difference(left: Any, expected: Any, path: str = "") -> list[str]:
    """Return the differences of two states, as `path: left, expected`."""
    if isinstance(left, dict) and isinstance(expected, dict):
        return [
            line
            for name in sorted(left.keys() | expected.keys())
            for line in _difference(left.get(name), expected.get(name), f"{path}/{name}")
        ]
    return [] if left == expected else [f"{path}: {left!r}, expected {expected!r}"]
