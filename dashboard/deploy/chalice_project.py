"""Package or deploy the functions with Chalice, from a generated project folder.

The folder holds copies of app.py, chalicelib/ and requirements.txt and a generated
.chalice/config.json, so the checkout stays clean and each stage can have its own. Chalice records
its deployments there, in .chalice/deployed/STAGE.json.
"""

import json
import math
import re
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard import durable
from dashboard.aws_session import Clients
from dashboard.deploy import bundle, chalice_cli, chalice_record, chalice_resources
from dashboard.deploy.chalice_resources import APP_NAME
from dashboard.functions import FUNCTIONS
from dashboard.paths import PROJECT

# arm64, the default, costs less for the same work.
ARCHITECTURES = ("arm64", "x86_64")

# Functions with the role of another one, which makes the same calls.
_SAME_ROLE = {"publish_visible": "publish"}

_SOURCES = ("app.py", "requirements.txt", "chalicelib")


# AWS is eventually consistent: a new role may not have taken effect yet, and a list may lack an
# event source mapping that was just created. Chalice retries only some of its calls.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
_INCONSISTENT = re.compile(
    "ensure the role can|cannot be assumed|does not have permissions|mapping .* already exists"
)
_CONSISTENT_SECONDS = 180
_RETRY_SECONDS = 10.0


def roles(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the ARN of each function's role, from the outputs of the stack."""
    return {name: outputs[f"{role_of(name)}Arn"] for name in FUNCTIONS}


def role_of(function: str) -> str:
    """Return the logical ID of a function's role in the template of the stack."""
    return f"{logical_name(_SAME_ROLE.get(function, function))}Role"


def sources(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the ARN of each function's event source, from the outputs of the stack."""
    return {
        "ingest": outputs["QueueArn"],
        "aggregate": outputs["EventsStreamArn"],
        "publish": outputs["StatsStreamArn"],
        "publish_visible": outputs["StatsStreamArn"],
    }


def logical_name(function: str) -> str:
    """Return the logical ID of a function in a CloudFormation template, as Chalice derives it."""
    return "".join(word.capitalize() for word in function.split("_"))


@dataclass(frozen=True)
class Deployment:
    """The deployed functions of a stage."""

    websocket_api_id: str
    functions: dict[str, str]  # name in app.py → ARN
    mappings: dict[str, str]  # name in app.py → UUID of its event source mapping


@durable.private()
def prepare(  # noqa: PLR0913 - the inputs of a deployment
    build: Path,
    stage: str,
    variables: Mapping[str, str],
    roles: Mapping[str, str],
    source: Path = PROJECT,
    *,
    with_packages: bool = True,
    architecture: str = ARCHITECTURES[0],
) -> None:
    """Fill the folder that Chalice runs in.

    Args:
        build: the folder; its records of earlier deployments are kept.
        stage: the Chalice stage.
        variables: the environment of every function, and of app.py during deployment.
        roles: the ARN of each function's role.
        source: the project.
        with_packages: whether to include the packages of requirements.txt, built for Lambda. On the
            emulator, functions use the packages of its own environment.
        architecture: the instruction set of the functions, one of ARCHITECTURES.
    """
    _copy_sources(source, build)
    if not with_packages:
        (build / "requirements.txt").write_text("")
    chalice = build / ".chalice"
    chalice.mkdir(exist_ok=True)
    configuration = {
        "version": "2.0",
        "app_name": APP_NAME,
        "stages": {
            stage: {
                "api_gateway_stage": stage,
                "lambda_architecture": architecture,
                "environment_variables": dict(variables),
                "lambda_functions": {
                    name: {
                        "lambda_timeout": seconds,
                        "lambda_memory_size": megabytes,
                        "manage_iam_role": False,
                        "iam_role_arn": roles[name],
                    }
                    for name, (seconds, megabytes) in FUNCTIONS.items()
                },
            }
        },
    }
    (chalice / "config.json").write_text(json.dumps(configuration, indent=2))
    durable.restrict(build)  # copies inherit the permissions of their sources


def deploy(  # noqa: PLR0913 - the inputs of a deployment
    build: Path,
    stage: str,
    clients: Clients,
    sources: Mapping[str, str],
    *,
    environment: Mapping[str, str],
    log: Path,
) -> Deployment:
    """Run `chalice deploy` and return the deployment.

    Args:
        build: the folder that `prepare` filled.
        stage: the Chalice stage.
        clients: makes boto3 clients of the account and region.
        sources: the ARN of each function's event source.
        environment: the environment of Chalice; it must select the same account and region.
        log: the file that receives Chalice's output.

    Raises:
        CommandError: the code could not be packaged, or Chalice failed; the message has the reason.
    """
    until = math.inf
    while True:
        chalice_record.write(build, stage, clients, FUNCTIONS, sources)
        try:
            _run(build, stage, ["deploy", "--stage", stage], environment, log)
            break
        except CommandError as error:
            # Measured from the first refusal, because a run of Chalice may itself take minutes.
            until = min(until, time.monotonic() + _CONSISTENT_SECONDS)
            if time.monotonic() >= until or not _INCONSISTENT.search(str(error)):
                raise CommandError(f"{error}{_failed_updates(clients, stage)}") from error
            time.sleep(_RETRY_SECONDS)
    return _deployed(clients, stage, sources.keys(), log)


def _failed_updates(clients: Clients, stage: str) -> str:
    """Return why Lambda could not update functions, which Chalice does not report."""
    try:
        found = chalice_resources.find(clients, stage).limited_to(FUNCTIONS).functions.values()
        configurations = [
            clients("lambda").get_function_configuration(FunctionName=arn) for arn in found
        ]
    except (BotoCoreError, ClientError) as error:  # it must not hide what Chalice reported
        return f"; cannot read the state of the functions ({error})"
    return "".join(
        f"; Lambda could not update {one['FunctionName']}: {one.get('LastUpdateStatusReason')}"
        for one in configurations
        if one.get("LastUpdateStatus") == "Failed"
    )


def _deployed(clients: Clients, stage: str, with_sources: Collection[str], log: Path) -> Deployment:
    """Return the deployment, retrying while lists lack resources that were just created."""
    until = time.monotonic() + _CONSISTENT_SECONDS
    while True:
        found = chalice_resources.find(clients, stage)
        mappings = {one.function: one.uuid for one in found.mappings if one.state != "Deleting"}
        missing = [
            *(f"function {name}" for name in FUNCTIONS if name not in found.functions),
            *(f"event source mapping of {name}" for name in with_sources if name not in mappings),
            *(["WebSocket API"] if not found.apis else []),
        ]
        if not missing:
            api = chalice_resources.only_api(found.apis, stage)
            return Deployment(api, found.functions, mappings)
        if time.monotonic() >= until:
            raise CommandError(
                f"`chalice deploy` succeeded, but did not create {', '.join(missing)} (see {log})"
            )
        time.sleep(_RETRY_SECONDS)


def package(
    build: Path, stage: str, environment: Mapping[str, str], log: Path
) -> tuple[Path, Path]:
    """Run `chalice package`, and return the paths of its SAM template and deployment package.

    Args:
        build: the folder that `prepare` filled.
        stage: the Chalice stage.
        environment: the environment of Chalice; it must set a region.
        log: the file that receives Chalice's output.

    Raises:
        CommandError: the code could not be packaged, or Chalice failed; the message has the reason.
    """
    out = build / "packaged"
    _run(build, stage, ["package", "--stage", stage, str(out)], environment, log)
    return out / "sam.json", out / "deployment.zip"


@durable.private()
def _run(
    build: Path, stage: str, arguments: list[str], environment: Mapping[str, str], log: Path
) -> None:
    """Run Chalice with the prebuilt deployment package, and verify that it used this package."""
    configuration = json.loads((build / ".chalice" / "config.json").read_text())
    code = bundle.make(build, configuration["stages"][stage]["lambda_architecture"])
    chalice_cli.run(build, arguments, environment, log)
    found = list(code.parent.iterdir())
    if found != [code]:
        raise CommandError(
            f"Chalice created its own archive instead of using {code}, without bytecode: "
            "install the version of Chalice from requirements-dev.txt"
        )


def _copy_sources(source: Path, build: Path) -> None:
    build.mkdir(parents=True, exist_ok=True)
    for name in _SOURCES:
        old, new = build / name, source / name
        if old.is_dir():
            shutil.rmtree(old)
        if new.is_dir():
            shutil.copytree(new, old, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(new, old)
