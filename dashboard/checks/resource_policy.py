"""Check whether the policy of a topic or queue allows an AWS service, and nothing more.

Implements only the part of IAM's evaluation logic that is needed here; anything else is `unclear`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Verdict = Literal["allowed", "refused", "open", "unclear"]
"""`open`: allowed without a condition on the account or resource behind the service."""

# Elements that match by exclusion.
_BY_EXCEPTION = {"NotPrincipal", "NotAction", "NotResource"}
_OPERATORS = {"stringequals", "arnequals", "arnlike", "stringlike"}


@dataclass(frozen=True)
class Caller:
    """A service that acts on behalf of a resource.

    Attributes:
        service: such as `ses.amazonaws.com`.
        action: such as `sns:Publish`.
        context: condition keys in lower case, such as `aws:sourcearn`, with their values.
    """

    service: str
    action: str
    context: Mapping[str, str]


def judge(policy: str, caller: Caller) -> Verdict:
    """Return whether a resource's policy allows an action.

    Args:
        policy: the policy as JSON; empty if there is none.
        caller: the service and its action.
    """
    statements = _list(json.loads(policy)["Statement"]) if policy else []
    named = [one for one in statements if _names(one, caller)]
    denials = [_holds(one, caller) for one in named if one["Effect"] == "Deny"]
    if True in denials:
        return "refused"
    grants = [one for one in named if one["Effect"] == "Allow"]
    held = [one for one in grants if _holds(one, caller)]
    if None in denials:
        return "unclear"
    if held:
        return "allowed" if all(map(_asks_for_source, held)) else "open"
    return "unclear" if any(_holds(one, caller) is None for one in grants) else "refused"


def _names(statement: Mapping[str, Any], caller: Caller) -> bool:
    """Return whether a statement applies to this service and action."""
    if _BY_EXCEPTION & statement.keys():
        return True
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else _list(principal.get("Service", []))
    if isinstance(principal, Mapping) and "*" in _list(principal.get("AWS", [])):
        services = [*services, "*"]
    actions = (str(one).lower() for one in _list(statement.get("Action", [])))
    return bool({caller.service, "*"} & set(services)) and any(
        fnmatchcase(caller.action.lower(), one) for one in actions
    )


def _holds(statement: Mapping[str, Any], caller: Caller) -> bool | None:
    """Return whether a statement's conditions hold; None if that cannot be determined."""
    unclear = bool(_BY_EXCEPTION & statement.keys())
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            outcome = _matches(operator.lower(), key.lower(), _list(wanted), caller.context)
            if outcome is False:
                return False
            unclear = unclear or outcome is None
    return None if unclear else True


def _matches(
    operator: str, key: str, wanted: Iterable[Any], context: Mapping[str, str]
) -> bool | None:
    if operator == "bool" and key == "aws:securetransport":
        return "true" in {str(one).lower() for one in wanted}  # AWS services use TLS
    if operator not in _OPERATORS or key not in context:
        return None
    value = context[key]
    if operator == "stringequals":
        return value in wanted
    return any(fnmatchcase(value, str(one)) for one in wanted)


def _asks_for_source(statement: Mapping[str, Any]) -> bool:
    """Return whether a statement has a condition on the source account or ARN."""
    asked = {key.lower() for keys in statement.get("Condition", {}).values() for key in keys}
    return bool(asked & {"aws:sourcearn", "aws:sourceaccount"})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
