"""Package the functions, or deploy them, with Chalice, from a folder made for it.

The folder holds copies of app.py, chalicelib/ and requirements.txt and a generated
.chalice/config.json, so the checkout stays clean and each stage can have its own. What Chalice
deployed is recorded in .chalice/deployed/STAGE.json there.
"""

import http
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from chalicelib.errors import CommandError
from dashboard import archive, chalice_command
from dashboard.paths import PROJECT

APP_NAME = "mailpulse"

# Each function with its time-out in seconds and its memory in MB. Nothing on a WebSocket may
# take longer than 29 s; a push holds its shard for the rest of its interval,
# and a batch of old events touches thousands of aggregates. None needs more than 90 MB
# (bench/memory.py): memory also buys processor time, and where somebody waits there is more of it.
# docs/cost.md has the measurements, and what the sizes cost.
FUNCTIONS = {
    "ingest": (30, 512),
    "aggregate": (300, 512),
    "publish": (60, 512),
    "watch": (60, 256),
    "websocket_connect": (29, 512),
    "websocket_message": (29, 512),
    "websocket_disconnect": (29, 256),
}

# The first is cheaper for the same work.
ARCHITECTURES = ("arm64", "x86_64")

_SOURCES = ("app.py", "requirements.txt", "chalicelib")


def function_name(stage: str, function: str) -> str:
    """Name a function as Chalice does."""
    return f"{APP_NAME}-{stage}-{function}"


def api_name(stage: str) -> str:
    """Name the WebSocket API as Chalice does."""
    return f"{APP_NAME}-{stage}-websocket-api"


def find_api_id(apigateway: Any, stage: str) -> str:
    """Find the WebSocket API of a stage, whoever made it.

    Raises:
        CommandError: there is none, or more than one.
    """
    name = api_name(stage)
    pages = apigateway.get_paginator("get_apis").paginate()
    found: list[str] = [
        api["ApiId"] for page in pages for api in page["Items"] if api["Name"] == name
    ]
    if not found:
        raise CommandError(
            f"there is no WebSocket API {name}: deploy the functions first, or check --stage and "
            "--region"
        )
    if len(found) > 1:
        raise CommandError(
            f"there are {len(found)} WebSocket APIs {name} ({', '.join(found)}): delete those "
            "that no functions belong to, and run this again"
        )
    return found[0]


@dataclass(frozen=True)
class Deployment:
    """What Chalice says that it deployed."""

    websocket_api_id: str
    functions: dict[str, str]  # name in app.py → ARN
    mappings: dict[str, str]  # name in app.py → UUID of its event source mapping


def prepare(  # noqa: PLR0913 - what a deployment is made of
    build: Path,
    stage: str,
    variables: Mapping[str, str],
    policies: Mapping[str, Mapping[str, Any]],
    source: Path = PROJECT,
    *,
    with_packages: bool = True,
    architecture: str = ARCHITECTURES[0],
) -> None:
    """Fill the folder that Chalice runs in.

    Args:
        build: the folder; what it says about earlier deployments is kept.
        stage: the Chalice stage.
        variables: the environment of every function, and of app.py while it is deployed.
        policies: what each function may do: an IAM policy by the function's name.
        source: the project.
        with_packages: whether the packages of requirements.txt go with it. They are built for
            Lambda's machines; on the emulator, functions find those of its own environment.
        architecture: of these machines, one of ARCHITECTURES.
    """
    _copy_sources(source, build)
    if not with_packages:
        (build / "requirements.txt").write_text("")
    chalice = build / ".chalice"
    chalice.mkdir(exist_ok=True)
    for name, policy in policies.items():
        (chalice / _policy_file(name)).write_text(json.dumps(policy, indent=2))
    configuration = {
        "version": "2.0",
        "app_name": APP_NAME,
        "stages": {
            stage: {
                "api_gateway_stage": stage,
                "lambda_architecture": architecture,
                "autogen_policy": False,
                "environment_variables": dict(variables),
                "lambda_functions": {
                    name: {
                        "lambda_timeout": seconds,
                        "lambda_memory_size": megabytes,
                        "iam_policy_file": _policy_file(name),
                    }
                    for name, (seconds, megabytes) in FUNCTIONS.items()
                },
            }
        },
    }
    (chalice / "config.json").write_text(json.dumps(configuration, indent=2))


def record(build: Path, stage: str) -> str | None:
    """Read the record of what Chalice has deployed, to keep it elsewhere; None without one."""
    path = _record(build, stage)
    return path.read_text() if path.exists() else None


def restore_record(build: Path, stage: str, text: str | None) -> None:
    """Bring back a record that was kept elsewhere: it counts, and not what is left here."""
    path = _record(build, stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text)


def deployed(build: Path, stage: str) -> Deployment | None:
    """Read what Chalice deployed last; None when there is no complete record of it."""
    record = _record(build, stage)
    if not record.exists():
        return None
    resources = json.loads(record.read_text())["resources"]
    apis = [r["websocket_api_id"] for r in resources if r["resource_type"] == "websocket_api"]
    functions = {
        r["name"]: r["lambda_arn"] for r in resources if r["resource_type"] == "lambda_function"
    }
    if not apis or functions.keys() != FUNCTIONS.keys():
        return None
    names = {arn: name for name, arn in functions.items()}
    mappings = {names[r["lambda_arn"]]: r["event_uuid"] for r in resources if "event_uuid" in r}
    return Deployment(apis[0], functions, mappings)


def forget_if_gone(build: Path, stage: str, lambda_client: Any, apigateway: Any) -> None:
    """Drop the record if something in it is gone: Chalice would fail to delete what is not there.

    Without a record, Chalice takes over functions of the same name and makes the rest anew.
    """
    deployment = deployed(build, stage)
    if deployment is None:
        return
    try:
        apigateway.get_api(ApiId=deployment.websocket_api_id)
        for uuid in deployment.mappings.values():
            lambda_client.get_event_source_mapping(UUID=uuid)
    except botocore.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != http.HTTPStatus.NOT_FOUND:
            raise
        _record(build, stage).unlink()


def deploy(build: Path, stage: str, environment: Mapping[str, str], log: Path) -> Deployment:
    """Run `chalice deploy` and return what it made.

    Args:
        build: the folder that `prepare` filled.
        stage: the Chalice stage.
        environment: the environment to run it in; it decides which account is meant.
        log: where to put what Chalice says.

    Raises:
        CommandError: the code could not be packed, or Chalice failed; says why.
    """
    _run(build, stage, ["deploy", "--stage", stage], environment, log)
    deployment = deployed(build, stage)
    if deployment is None:
        raise CommandError(f"`chalice deploy` left no complete record of what it did (see {log})")
    return deployment


def package(
    build: Path, stage: str, environment: Mapping[str, str], log: Path
) -> tuple[Path, Path]:
    """Run `chalice package`; return the SAM template that it made, and the code beside it.

    Args:
        build: the folder that `prepare` filled.
        stage: the Chalice stage.
        environment: the environment to run it in; it must name a region.
        log: where to put what Chalice says.

    Raises:
        CommandError: the code could not be packed, or Chalice failed; says why.
    """
    out = build / "packaged"
    _run(build, stage, ["package", "--stage", stage, str(out)], environment, log)
    return out / "sam.json", out / "deployment.zip"


def _run(
    build: Path, stage: str, arguments: list[str], environment: Mapping[str, str], log: Path
) -> None:
    """Run Chalice with the archive made before, and see that it made none of its own."""
    configuration = json.loads((build / ".chalice" / "config.json").read_text())
    code = archive.make(build, configuration["stages"][stage]["lambda_architecture"])
    chalice_command.run(build, arguments, environment, log)
    found = list(code.parent.iterdir())
    if found != [code]:
        raise CommandError(
            f"Chalice packed an archive of its own beside {code}, without bytecode: install the "
            "version of Chalice that requirements-dev.txt names"
        )


def _policy_file(function: str) -> str:
    return f"policy-{function}.json"


def _record(build: Path, stage: str) -> Path:
    return build / ".chalice" / "deployed" / f"{stage}.json"


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
