"""Install Mailpulse in an AWS account: stack, functions, their mappings, page.

Each step brings its part to what this checkout says, from wherever it was: a run that failed can be
run again.
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
    """Where a stage is, or is to be.

    Attributes:
        clients: make boto3 clients of the account and region.
        environment: what makes other programs mean the same account and region.
    """

    stage: str
    region: str
    account: str
    clients: Clients
    environment: Mapping[str, str]

    @property
    def stack_name(self) -> str:
        """The stack's."""
        return stack.stack_name(self.stage)

    @property
    def build(self) -> Path:
        """The folder that Chalice runs in."""
        return PROJECT / ".mailpulse" / "aws" / f"{self.account}-{self.region}-{self.stage}"


@dataclass(frozen=True)
class Installed:
    """What was installed: the page's address, the WebSocket's, and where SES publishes."""

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
    """Bring a stage to what this checkout says.

    Args:
        place: where.
        parameters: of the stack, as far as they are chosen.
        chosen: settings of the functions, as far as they are chosen.
        architecture: of the functions' machines; None where it is not chosen.
        steps: is told what is done.

    Raises:
        CommandError: a step failed; says why, and what to do.
    """
    refuse_what_a_pipeline_deploys(place)
    with steps.step("The stack is as the template says") as step:
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
    with steps.step("The functions are deployed"):
        kept = Parameters(place.clients("ssm"), place.stage)
        variables = settings.variables(
            outputs,
            kept={**kept.settings(), **environment_of(place)},
            chosen=chosen,
            keys={
                "PSEUDONYM_KEY": kept.key(
                    "pseudonym-key", "keys the pseudonyms of recipients. Never change it."
                ),
                "SHARE_KEY": kept.key(
                    "share-key", "signs share links. Changed, it ends all that there are."
                ),
            },
        )
        kept.keep_settings(settings.chosen_of(variables))
        deployment = _deploy(place, outputs, variables, architecture or _architecture_of(place))
    with steps.step("Their event sources have their options"):
        event_sources.set_options(place.clients("lambda"), deployment, event_sources.OPTIONS)
        event_sources.announce_reporting(
            place.clients("lambda"), function_name(place.stage, "ingest")
        )
    with steps.step("Their logs expire"):
        function_logs.let_expire(place.clients("logs"), place.stage)
    end_pause(Service("dynamodb", place.clients), outputs["StatsTable"], steps)
    installed = publish_page(place, outputs, variables, deployment.websocket_api_id, steps)
    # At the end: an invocation that still runs on one of them is retried on its function's own.
    legacy_roles.remove(place.clients("iam"), place.region, place.stage)
    return installed


def publish_page(
    place: Place, outputs: Outputs, variables: Mapping[str, str], api_id: str, steps: Reporter
) -> Installed:
    """Publish the page of a stage whose functions are there; build it first where it must be.

    Args:
        place: where.
        outputs: of the stack.
        variables: the environment of the functions.
        api_id: of the WebSocket API.
        steps: is told what is done.

    Raises:
        CommandError: the page could not be built.
    """
    # As the functions see it: with the region, and an endpoint where one is set.
    config = Config.from_environ({**place.environment, **variables, "AWS_REGION": place.region})
    endpoint = config.connections_url(f"{api_id}/{place.stage}")
    websocket = endpoint.replace("http", "ws", 1)
    with steps.step("The page is published") as step:
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
    """Read the environment that the functions have; empty where there are none yet."""
    configuration = _function(place).get("Configuration", {})
    variables: Mapping[str, str] = configuration.get("Environment", {}).get("Variables", {})
    return variables


def _architecture_of(place: Place) -> str:
    """Read which machines the functions run on; Lambda's cheaper ones where there are none yet."""
    configuration = _function(place).get("Configuration", {})
    [architecture] = configuration.get("Architectures", chalice_project.ARCHITECTURES[:1])
    return str(architecture)


def refuse_what_a_pipeline_deploys(place: Place) -> None:
    """Leave functions to the stack that they belong to, which would not know of a change.

    Raises:
        CommandError: they belong to one.
    """
    owner = _function(place).get("Tags", {}).get("aws:cloudformation:stack-name")
    if owner is not None:
        raise CommandError(
            f"the functions of stage {place.stage} belong to the stack {owner}: change them as "
            "that stack was made (`package`), or delete it first and run this again"
        )


def refuse_another_runtime(place: Place) -> None:
    """Refuse to move the functions to another version of Python unintentionally.

    Chalice takes the version that runs it, and updates the code before the runtime. Until both are
    updated a function cannot load its compiled packages.

    Raises:
        CommandError: they run on another version.
    """
    deployed = _function(place).get("Configuration", {}).get("Runtime", bundle.RUNTIME)
    if deployed != bundle.RUNTIME:
        raise CommandError(
            f"the functions of stage {place.stage} run on {deployed}, and this is "
            f"{bundle.RUNTIME}: run `deploy` with that version (make PYTHON={deployed} setup), "
            "or move them with --change-runtime while nothing is being sent; for some seconds each "
            "function fails then, and its events are retried"
        )


def _function(place: Place) -> Mapping[str, Any]:
    """Read what Lambda knows of the function that all begins with; empty where it is not."""
    name = function_name(place.stage, "ingest")
    try:
        found: Mapping[str, Any] = place.clients("lambda").get_function(FunctionName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
    return found
