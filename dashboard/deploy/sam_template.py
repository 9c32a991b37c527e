"""Turn the output of `chalice package` into the template of a stage's functions.

Chalice supports neither the options of event source mappings nor references to another stack.
Therefore it packages with `${Output}` wherever an output of the stage's stack belongs; this module
replaces these with references to parameters named like the outputs. Chalice's own mechanism, a
merge template, cannot remove anything, and silently adds misspelt names.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.config import REPORTS_BATCH_ITEM_FAILURES
from chalicelib.errors import CommandError
from dashboard.deploy.chalice_project import logical_name
from dashboard.deploy.chalice_resources import function_name
from dashboard.deploy.event_sources import Options, reports_failures
from dashboard.deploy.function_logs import LOGGING
from dashboard.deploy.stack import stack_name
from dashboard.functions import FUNCTIONS

Template = dict[str, Any]

# The secrets of a stage: parameter of the template → name in Parameter Store.
SECRETS = {"PseudonymKey": "pseudonym-key", "ShareKey": "share-key"}

# checkov rules that do not apply, with the reasons.
_OF_A_FUNCTION = {
    "CKV_AWS_115": "a limit would delay a stream or reject a page; an alarm reports throttles",
    "CKV_AWS_116": "the queue and the streams retry failures, and watch runs again in a minute",
    "CKV_AWS_117": "it calls only AWS and the issuer, over TLS, and accepts no connections",
    "CKV_AWS_173": "Lambda encrypts it with the AWS managed key of the account",
}
_OF_THE_STAGE = {"CKV_AWS_95": "access logs would contain the IP addresses of viewers"}

_REFERENCE = re.compile(r"\$\{(\w+)\}")


class Placeholders(dict[str, str]):
    """Placeholders for the outputs of a stack: each is `${Output}`."""

    def __missing__(self, output: str) -> str:
        """Return the reference that CloudFormation resolves."""
        return f"${{{output}}}"


def finish(template: Template, stage: str, options: Options) -> Template:
    """Return the template that a pipeline deploys; `template` is not modified.

    Args:
        template: as Chalice wrote it.
        stage: the Chalice stage.
        options: of the event source mappings, by function; SAM's names are Lambda's.

    Raises:
        CommandError: a function that has options has no event source, or several.
    """
    resources = {
        # A deployment with a fixed logical ID would be created once, and never again when routes
        # change.
        name: {**resource, "Properties": dict(resource["Properties"])}
        for name, resource in template["Resources"].items()
        if resource["Type"] != "AWS::ApiGatewayV2::Deployment"
    }
    api_stage = resources["WebsocketAPIStage"]
    api_stage["Metadata"] = _explained(_OF_THE_STAGE)
    del api_stage["Properties"]["DeploymentId"]
    api_stage["Properties"]["AutoDeploy"] = True
    for function in FUNCTIONS:
        resource = resources[logical_name(function)]
        resource["Metadata"] = _explained(_OF_A_FUNCTION)
        properties = resource["Properties"]
        properties["FunctionName"] = function_name(stage, function)
        properties["LoggingConfig"] = LOGGING
        if function in options:
            properties["Events"] = _with_options(function, properties, options[function])
            if reports_failures(options[function]):
                # CloudFormation creates the mapping together with its options, so both take effect
                # at once.
                environment = properties.get("Environment", {})
                variables = environment.get("Variables", {})
                properties["Environment"] = {
                    **environment,
                    "Variables": {**variables, REPORTS_BATCH_ITEM_FAILURES: "true"},
                }
    resources = _with_references(resources)
    return {
        "AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"],
        "Transform": template["Transform"],
        "Description": f"Mailpulse: the functions of the stack {stack_name(stage)}.",
        "Parameters": {name: _parameter(name, stage) for name in sorted(_parameters(resources))},
        "Resources": resources,
        "Outputs": template["Outputs"],
    }


def _explained(reasons: Mapping[str, str]) -> dict[str, Any]:
    return {"checkov": {"skip": [{"id": id_, "comment": why} for id_, why in reasons.items()]}}


def _with_options(
    function: str, properties: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    events = properties.get("Events", {})
    if len(events) != 1:
        raise CommandError(
            f"Chalice packaged {function} with {len(events)} event sources; app.py must define one"
        )
    [(name, event)] = events.items()
    return {name: {**event, "Properties": {**event["Properties"], **options}}}


def _with_references(value: Any) -> Any:
    """Replace each `${Name}` in a string with a CloudFormation reference."""
    if isinstance(value, dict):
        return {
            key: one if key == "Fn::Sub" else _with_references(one) for key, one in value.items()
        }
    if isinstance(value, list):
        return [_with_references(one) for one in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _REFERENCE.fullmatch(value)
    return {"Ref": whole[1]} if whole else {"Fn::Sub": value}


def _parameters(resources: Mapping[str, Any]) -> set[str]:
    return {name for name in _references(resources) if name not in resources and "::" not in name}


def _references(value: Any) -> Iterator[str]:
    """Yield the names that are referred to, except the local variables of an `Fn::Sub`."""
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "Ref":
                yield one
            elif key == "Fn::Sub" and isinstance(one, str):
                yield from _REFERENCE.findall(one)
            else:
                yield from _references(one)


def _parameter(name: str, stage: str) -> dict[str, Any]:
    if name in SECRETS:
        return {
            "Type": "String",
            "NoEcho": True,
            "MinLength": 32,
            "Description": f"The value of /mailpulse/{stage}/{SECRETS[name]}.",
        }
    return {
        "Type": "String",
        "MinLength": 1,
        "Description": f"The output {name} of the stack {stack_name(stage)}.",
    }
