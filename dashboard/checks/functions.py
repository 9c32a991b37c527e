"""Check the functions and their event sources."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from importlib import resources
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.config import REPORTS_BATCH_ITEM_FAILURES, Config
from chalicelib.errors import ConfigError
from dashboard.checks.finding import Finding, Subject, fail, ok, warn
from dashboard.deploy.chalice_resources import function_name
from dashboard.deploy.event_sources import OPTIONS, reports_failures
from dashboard.functions import FUNCTIONS

_SOON = timedelta(days=180)
# The concurrency of the other functions: four shards of each stream, batches of large topics,
# watch, and connections. For connections, twelve concurrent invocations of 50 ms serve 240 requests
# a second.
OTHERS_CONCURRENCY = 24


def check_functions(subject: Subject) -> Iterator[Finding]:
    """Check that each function exists, is active and has valid settings."""
    runtimes = set()
    good = 0
    for function in FUNCTIONS:
        name = function_name(subject.stage, function)
        try:
            found = subject.clients("lambda").get_function_configuration(FunctionName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            yield fail(f"{name} does not exist", "run `deploy`")
            continue
        runtimes.add(found.get("Runtime", "none"))
        problems = list(_problems(subject, name, found))
        yield from problems
        good += not problems
    if good == len(FUNCTIONS):
        yield ok(f"all {good} are active, with valid settings")
    for runtime in sorted(runtimes):
        yield _runtime(runtime, subject.clock().date())


def check_event_sources(subject: Subject) -> Iterator[Finding]:
    """Check that each event source mapping is enabled and has its options."""
    for function, wanted in OPTIONS.items():
        name = function_name(subject.stage, function)
        mappings = subject.clients("lambda").list_event_source_mappings(FunctionName=name)[
            "EventSourceMappings"
        ]
        if len(mappings) != 1:
            yield fail(f"{name} has {len(mappings)} event sources instead of one", "run `deploy`")
            continue
        yield _event_source(function, mappings[0], wanted)
        if reports_failures(wanted):
            yield from _reporting(subject, name, mappings[0])


def _reporting(subject: Subject, name: str, mapping: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that a function returns failures only where its event source reports them."""
    found = subject.clients("lambda").get_function_configuration(FunctionName=name)
    value = found.get("Environment", {}).get("Variables", {}).get(REPORTS_BATCH_ITEM_FAILURES)
    returns, reports = value == "true", reports_failures(mapping)
    if returns and not reports:
        yield fail(
            f"{name} has {REPORTS_BATCH_ITEM_FAILURES}=true, but its event source does not report "
            "batch item failures: events that could not be stored are deleted",
            "run `deploy`, which sets both",
        )
    elif reports and not returns:
        yield warn(
            f"{name} has {REPORTS_BATCH_ITEM_FAILURES}={value!r}: one event that cannot be "
            "stored causes a retry of its whole batch",
            "run `deploy`, which sets it to 'true'",
        )


def check_concurrency(subject: Subject) -> Iterator[Finding]:
    """Check that ingest at its maximum leaves enough concurrency for the other functions."""
    limit = subject.clients("lambda").get_account_settings()["AccountLimit"]
    quota, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    account = f"the account allows {quota} concurrent executions, {unreserved} of them unreserved"
    name = function_name(subject.stage, "ingest")
    mappings = subject.clients("lambda").list_event_source_mappings(FunctionName=name)
    for mapping in mappings["EventSourceMappings"]:
        most = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
        if most is None:
            yield fail(
                f"the event source of ingest has no maximum concurrency, and {account}: a "
                "burst of events would leave none for connections",
                "run `deploy`, which sets it",
            )
        elif most + OTHERS_CONCURRENCY > unreserved:
            yield warn(
                f"{account}, but ingest may use {most}, and connections and the other functions "
                f"need {OTHERS_CONCURRENCY}",
                "request a quota increase (Service Quotas, Lambda, Concurrent executions, "
                "L-B99A9384): "
                "aws service-quotas request-service-quota-increase --service-code lambda "
                "--quota-code L-B99A9384 --desired-value 1000; until then, run `deploy` with "
                "--set INGEST_CONCURRENCY=2",
            )
        else:
            yield ok(f"{account}; ingest may use {most}")


def _problems(subject: Subject, name: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    state = found.get("State", "unknown")
    if state == "Inactive":
        yield warn(
            f"{name} is inactive because it has not been invoked for weeks",
            "its next invocation activates it",
        )
    elif state != "Active":
        reason = found.get("StateReason", "no reason given")
        yield fail(f"{name} is {state} ({reason})", "run `deploy`")
    if found.get("LastUpdateStatus", "Successful") == "Failed":
        reason = found.get("LastUpdateStatusReason", "no reason given")
        yield fail(f"the last update of {name} failed ({reason})", "run `deploy`")
    variables = found.get("Environment", {}).get("Variables", {})
    try:
        Config.from_environ({**variables, "AWS_REGION": subject.region})
    except ConfigError as error:
        yield fail(f"{name} cannot load its settings: {error}", "run `deploy` with --set")


def _event_source(function: str, mapping: Mapping[str, Any], wanted: Mapping[str, Any]) -> Finding:
    if mapping["State"] != "Enabled":
        return fail(
            f"the event source of {function} is {mapping['State']}",
            "run `deploy`, which enables it; if a recount is running, wait until it has finished",
        )
    for option, value in wanted.items():
        if mapping.get(option) != value:
            return fail(
                f"the event source of {function} has {option}={mapping.get(option)!r} instead of "
                f"{value!r}",
                "run `deploy`, which sets it",
            )
    result = mapping.get("LastProcessingResult", "")
    if result.startswith("PROBLEM"):
        return fail(
            f"the last result of the event source of {function} is {result!r}",
            f"see the log of {function}",
        )
    return ok(f"the event source of {function} is enabled, with {', '.join(wanted)}")


def _runtime(runtime: str, today: date) -> Finding:
    """Check a runtime against AWS's deprecation dates, which cfn-lint contains."""
    text = resources.files("cfnlint.data.AdditionalSpecs").joinpath("LmbdRuntimeLifecycle.json")
    known = json.loads(text.read_text())
    if runtime not in known:
        return fail(
            f"unknown runtime {runtime}",
            "run `deploy` with Python 3.11 to 3.14, which determines the runtime",
        )
    until = date.fromisoformat(known[runtime]["deprecated"])
    remedy = (
        "recreate .venv with a later Python version (`make PYTHON=python3.13`), and run `deploy`"
    )
    if until <= today:
        return fail(f"Lambda support for {runtime} ended on {until}", remedy)
    if until - today <= _SOON:
        return warn(f"Lambda support for {runtime} ends soon, on {until}", remedy)
    return ok(f"Lambda supports {runtime} until {until}")
