"""Install Mailpulse in an AWS account: stack, functions, event source mappings, page.

Each step is idempotent and starts from any state, so that a failed run can be repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.config import Config
from chalicelib.errors import CommandError
from dashboard.aws_session import Clients, Service
from dashboard.deploy import (
    bundle,
    chalice_project,
    event_sources,
    frontend,
    function_logs,
    legacy_roles,
    oidc,
    publish_site,
    settings,
    stack,
)
from dashboard.deploy.chalice_project import Deployment
from dashboard.deploy.chalice_resources import function_name
from dashboard.deploy.parameter_store import Parameters
from dashboard.deploy.resume import end_pause
from dashboard.deploy.stack import Outputs
from dashboard.functions import FUNCTIONS
from dashboard.paths import PROJECT, STATIC, TEMPLATE
from dashboard.progress import Reporter


@dataclass(frozen=True)
class Place:
    """The stage, account and region of an installation.

    Attributes:
        clients: makes boto3 clients of the account and region.
        environment: environment variables that select the same account and region for other
            programs.
    """

    stage: str
    region: str
    account: str
    clients: Clients
    environment: Mapping[str, str]

    @property
    def stack_name(self) -> str:
        """Name of the stage's stack."""
        return stack.stack_name(self.stage)

    @property
    def build(self) -> Path:
        """The folder that Chalice runs in."""
        return PROJECT / ".mailpulse" / "aws" / f"{self.account}-{self.region}-{self.stage}"


@dataclass(frozen=True)
class Installed:
    """URLs of the page and the WebSocket, and the ARN of the topic to which SES publishes."""

    dashboard: str
    websocket: str
    topic_arn: str


def install(
    place: Place,
    parameters: Mapping[str, str],
    chosen: Mapping[str, str],
    architecture: str | None,
    steps: Reporter,
) -> Installed:
    """Install or update a stage to match this checkout.

    Args:
        place: the stage, account and region.
        parameters: the chosen parameters of the stack.
        chosen: the chosen settings of the functions.
        architecture: the instruction set of the functions; None to keep the current one.
        steps: reports progress.

    Raises:
        CommandError: a step failed; the message has the reason and the remedy.
    """
    refuse_what_a_pipeline_deploys(place)
    with steps.step("Update the stack") as step:
        outputs = stack.create_or_update(
            place.clients("cloudformation"),
            place.stack_name,
            TEMPLATE,
            parameters,
            poll_seconds=stack.POLL_SECONDS,
            keeps_others=True,
            progress=step.progress,
        )
        stack.protect(
            place.clients("cloudformation"),
            place.stack_name,
            [chalice_project.role_of(name) for name in FUNCTIONS],
        )
    with steps.step("Deploy the functions"):
        kept = Parameters(place.clients("ssm"), place.stage)
        variables = settings.variables(
            outputs,
            kept={**kept.settings(), **environment_of(place)},
            chosen=chosen,
            keys={
                "PSEUDONYM_KEY": kept.key(
                    "pseudonym-key", "key for the pseudonyms of recipients. Never change it."
                ),
                "SHARE_KEY": kept.key(
                    "share-key", "signing key of share links. Changing it invalidates all links."
                ),
            },
        )
        kept.keep_settings(settings.chosen_of(variables))
        deployment = _deploy(place, outputs, variables, architecture or _architecture_of(place))
    with steps.step("Configure the event sources"):
        event_sources.set_options(place.clients("lambda"), deployment, event_sources.OPTIONS)
        event_sources.announce_reporting(
            place.clients("lambda"), function_name(place.stage, "ingest")
        )
    with steps.step("Configure the logs"):
        function_logs.set_levels(place.clients("lambda"), place.stage)
        function_logs.let_expire(place.clients("logs"), place.stage)
    end_pause(Service("dynamodb", place.clients), outputs["StatsTable"], steps)
    installed = publish_page(place, outputs, variables, deployment.websocket_api_id, steps)
    # Last, because a running invocation with a legacy role is retried with its function's own role.
    legacy_roles.remove(place.clients("iam"), place.region, place.stage)
    return installed


def publish_page(
    place: Place, outputs: Outputs, variables: Mapping[str, str], api_id: str, steps: Reporter
) -> Installed:
    """Publish the page of a stage whose functions are deployed, building it first if necessary.

    Args:
        place: the stage, account and region.
        outputs: the outputs of the stack.
        variables: the environment of the functions.
        api_id: the ID of the WebSocket API.
        steps: reports progress.

    Raises:
        CommandError: the page could not be built.
    """
    # The functions' configuration, with the region and any endpoint that is set.
    config = Config.from_environ({**place.environment, **variables, "AWS_REGION": place.region})
    endpoint = config.connections_url(f"{api_id}/{place.stage}")
    websocket = endpoint.replace("http", "ws", 1)
    with steps.step("Publish the page") as step:
        if not frontend.is_current():
            step.progress("building it")
            frontend.build()
        s3 = place.clients("s3")
        sign_in = oidc.sign_in(outputs, config.client_id)
        publish_site.publish(
            s3, outputs["SiteBucket"], publish_site.Site(websocket, place.stage, sign_in), STATIC
        )
        publish_site.invalidate(place.clients("cloudfront"), outputs["DistributionId"])
    return Installed(f"https://{outputs['SiteDomain']}/", websocket, outputs["TopicArn"])


def _deploy(
    place: Place, outputs: Outputs, variables: Mapping[str, str], architecture: str
) -> Deployment:
    chalice_project.prepare(
        place.build,
        place.stage,
        variables,
        chalice_project.roles(outputs),
        architecture=architecture,
    )
    return chalice_project.deploy(
        place.build,
        place.stage,
        place.clients,
        chalice_project.sources(outputs),
        environment=place.environment,
        log=place.build / "deploy.log",
    )


def environment_of(place: Place) -> Mapping[str, str]:
    """Return the current environment of the functions; empty if they do not exist yet."""
    configuration = _function(place).get("Configuration", {})
    variables: Mapping[str, str] = configuration.get("Environment", {}).get("Variables", {})
    return variables


def _architecture_of(place: Place) -> str:
    """Return the functions' current architecture; the cheaper one if they do not exist yet."""
    configuration = _function(place).get("Configuration", {})
    [architecture] = configuration.get("Architectures", chalice_project.ARCHITECTURES[:1])
    return str(architecture)


def refuse_what_a_pipeline_deploys(place: Place) -> None:
    """Refuse to change functions that another stack manages, to avoid drift.

    Raises:
        CommandError: the functions belong to another stack.
    """
    owner = _function(place).get("Tags", {}).get("aws:cloudformation:stack-name")
    if owner is not None:
        raise CommandError(
            f"the functions of stage {place.stage} belong to the stack {owner}: update them "
            "the way they were deployed (`package`), or delete that stack and run this "
            "command again"
        )


def refuse_another_runtime(place: Place) -> None:
    """Refuse to move the functions to a different Python version unintentionally.

    Chalice deploys to the version that it runs on, and updates the code before the runtime. Until
    both are updated, a function cannot load its compiled packages.

    Raises:
        CommandError: the functions run on a different version.
    """
    deployed = _function(place).get("Configuration", {}).get("Runtime", bundle.RUNTIME)
    if deployed != bundle.RUNTIME:
        raise CommandError(
            f"the functions of stage {place.stage} run on {deployed}, but this command runs "
            f"on {bundle.RUNTIME}: run `deploy` with that version (make PYTHON={deployed} "
            "setup), or use --change-runtime while no emails are being sent; each function "
            "then fails for a few seconds, and its events are retried"
        )


def _function(place: Place) -> Mapping[str, Any]:
    """Return Lambda's description of ingest, the first function; empty if it does not exist."""
    name = function_name(place.stage, "ingest")
    try:
        found: Mapping[str, Any] = place.clients("lambda").get_function(FunctionName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
    return found
