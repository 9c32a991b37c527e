"""Options that an operator may choose for a stage: stack parameters and function settings.

An option that is not given keeps its value; at the first deployment it has its default.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.config import Config, Triggers
from chalicelib.errors import CommandError, ConfigError
from dashboard.deploy.stack import Outputs

# Settings of the functions that `--set` accepts; chalicelib/config.py documents them.
FUNCTION_SETTINGS = (
    "CAMPAIGN_TAG",
    "RETENTION_DAYS",
    "STORE_ADDRESSES",
    "TRACKING_PARAMETERS",
    "LINK_LABEL_TAG",
    "BREAKDOWN_TAGS",
    "MESSAGES_PER_SECOND",
    "INGEST_CONCURRENCY",
    "CONNECTIONS_ENDPOINT",
    "CLIENT_ID",
    "CUSTOM_ORIGINS",
    "GROUPS_CLAIM",
    "GROUP_PREFIXES",
    "SHARE_GROUP",
    "ALARM_GROUP",
)

# Dummy values of a stage that does not exist yet, to validate settings before any change.
_SOME_STAGE = dict.fromkeys(
    (
        *("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE", "PSEUDONYM_KEY"),
        *("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "EVENTS_STREAM_ARN"),
    ),
    "to be made",
)


def chosen(assignments: Iterable[str]) -> dict[str, str]:
    """Parse `NAME=VALUE` assignments of settings.

    Raises:
        CommandError: an assignment is malformed, names an unknown setting, or has an invalid value.
    """
    found = {}
    for assignment in assignments:
        name, sign, value = assignment.partition("=")
        if not sign or name not in FUNCTION_SETTINGS:
            raise CommandError(
                f"--set {assignment} is not an assignment: use NAME=VALUE, with one of the names "
                + ", ".join(FUNCTION_SETTINGS)
            )
        found[name] = value
    _check({**_SOME_STAGE, **{name: value for name, value in found.items() if value}})
    return found


def chosen_of(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that were chosen, from the environment of the functions."""
    return {name: variables[name] for name in FUNCTION_SETTINGS if name in variables}


def of_stack(outputs: Outputs) -> dict[str, str]:
    """Return the functions' environment variables that refer to their stack."""
    return {
        "EVENTS_TABLE": outputs["EventsTable"],
        "STATS_TABLE": outputs["StatsTable"],
        "SUBSCRIPTIONS_TABLE": outputs["SubscriptionsTable"],
        "EVENTS_STREAM_ARN": outputs["EventsStreamArn"],
        "STATS_STREAM_ARN": outputs["StatsStreamArn"],
        "QUEUE_ARN": outputs["QueueArn"],
        "QUEUE_URL": outputs["QueueUrl"],
        "DEAD_LETTER_QUEUE_URL": outputs["DeadLetterQueueUrl"],
        "ALARM_TOPIC_ARN": outputs["AlarmTopicArn"],
    }


def variables(
    outputs: Outputs,
    *,
    kept: Mapping[str, str],
    chosen: Mapping[str, str],
    keys: Mapping[str, str],
) -> dict[str, str]:
    """Return the validated environment of the functions; takes the same arguments as `compose`.

    Raises:
        CommandError: a setting is invalid.
    """
    composed = compose(outputs, kept=kept, chosen=chosen, keys=keys)
    _check(composed)
    return composed


def compose(
    outputs: Outputs,
    *,
    kept: Mapping[str, str],
    chosen: Mapping[str, str],
    keys: Mapping[str, str],
) -> dict[str, str]:
    """Return the environment of the functions.

    Args:
        outputs: the outputs of the stack.
        kept: the current environment of the functions; empty at the first deployment.
        chosen: newly chosen settings; an empty value restores the default.
        keys: the secrets of this stage, PSEUDONYM_KEY and SHARE_KEY.
    """
    client = {"CLIENT_ID": outputs["ClientId"]} if "ClientId" in outputs else {}
    return {
        **of_stack(outputs),
        **keys,
        "ISSUER": outputs["Issuer"],
        "ALLOWED_ORIGINS": f"https://{outputs['SiteDomain']}",
        "PAGE_URL": f"https://{outputs['SiteDomain']}/",
        **{one: kept[one] for one in FUNCTION_SETTINGS if kept.get(one) and one not in chosen},
        **client,
        **{name: value for name, value in chosen.items() if value},
    }


# Lambda's limit, less room for variables that deployment adds.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MOST_BYTES = 4096 - 100


def _check(variables: Mapping[str, str]) -> None:
    sizes = {name: len(f"{name}{value}".encode()) for name, value in variables.items()}
    if (total := sum(sizes.values())) > _MOST_BYTES:
        longest = max(sizes, key=lambda name: sizes[name])
        raise CommandError(
            f"the settings of the functions have {total} bytes in total, but Lambda's "
            f"limit is {_MOST_BYTES}: shorten {longest}, which has {sizes[longest]}"
        )
    try:
        Config.from_environ(variables)
        Triggers.from_environ(variables)
    except ConfigError as error:
        raise CommandError(f"{error}; use --set") from error


def parameters(stage: str, **given: Any) -> dict[str, str]:
    """Return the parameters of the stack for the given options, leaving out those that are None."""
    names = {
        "configuration_set": "ConfigurationSetName",
        "new_configuration_set": "NewConfigurationSet",
        "topic_arn": "ExistingTopicArn",
        "issuer": "Issuer",
        "alarm_email": "AlarmEmail",
        "cloudwatch_dashboard": "CloudWatchDashboard",
    }
    texts = {
        names[option]: str(value).lower() if isinstance(value, bool) else str(value)
        for option, value in given.items()
        if value is not None
    }
    return {"Stage": stage, "Serving": "aws", **texts}
