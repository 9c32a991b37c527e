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
from dashboard import functions, issuer, mappings, page, policies, settings, site, stack
from dashboard.functions import Deployment
from dashboard.parameters import Parameters
from dashboard.paths import PROJECT, STATIC, TEMPLATE
from dashboard.resuming import end_pause
from dashboard.sdk import Clients, Service
from dashboard.stack import Outputs
from dashboard.steps import Steps

_POLL_SECONDS = 3.0
# Beside the page, and not among what CloudFront may read.
_RECORD_KEY = "deployment/chalice.json"


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
    steps: Steps,
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
            poll_seconds=_POLL_SECONDS,
            keeps_others=True,
            progress=step.progress,
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
        mappings.remove_strays(place.clients("lambda"), deployment)
        mappings.set_options(place.clients("lambda"), deployment, mappings.OPTIONS)
    end_pause(Service("dynamodb", place.clients), outputs["StatsTable"], steps)
    return publish_page(place, outputs, variables, deployment.websocket_api_id, steps)


def publish_page(
    place: Place, outputs: Outputs, variables: Mapping[str, str], api_id: str, steps: Steps
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
        if not page.is_current():
            step.progress("building it")
            page.build()
        s3 = place.clients("s3")
        sign_in = issuer.sign_in(outputs, config.client_id)
        site.publish(s3, outputs["SiteBucket"], site.Site(websocket, place.stage, sign_in), STATIC)
        site.invalidate(place.clients("cloudfront"), outputs["DistributionId"])
    return Installed(f"https://{outputs['SiteDomain']}/", websocket, outputs["TopicArn"])


def _deploy(
    place: Place, outputs: Outputs, variables: Mapping[str, str], architecture: str
) -> Deployment:
    allowed = policies.policies(
        outputs, region=place.region, account=place.account, stage=place.stage
    )
    functions.prepare(place.build, place.stage, variables, allowed, architecture=architecture)
    s3, bucket = place.clients("s3"), outputs["SiteBucket"]
    functions.restore_record(place.build, place.stage, _stored_record(s3, bucket))
    functions.forget_if_gone(
        place.build, place.stage, place.clients("lambda"), place.clients("apigatewayv2")
    )
    log = place.build / "deploy.log"
    try:
        return functions.deploy(place.build, place.stage, place.environment, log)
    finally:
        # What was made before something failed is on record, too.
        record = functions.record(place.build, place.stage)
        if record is not None:
            s3.put_object(
                Bucket=bucket,
                Key=_RECORD_KEY,
                Body=record.encode(),
                ContentType="application/json",
            )


def _stored_record(s3: Any, bucket: str) -> str | None:
    """Read what Chalice has recorded, on whichever machine that was."""
    try:
        text: bytes = s3.get_object(Bucket=bucket, Key=_RECORD_KEY)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "AccessDenied", "404"}:
            return None
        raise
    return text.decode()


def environment_of(place: Place) -> Mapping[str, str]:
    """Read the environment that the functions have; empty where there are none yet."""
    configuration = _function(place).get("Configuration", {})
    variables: Mapping[str, str] = configuration.get("Environment", {}).get("Variables", {})
    return variables


def _architecture_of(place: Place) -> str:
    """Read which machines the functions run on; Lambda's cheaper ones where there are none yet."""
    configuration = _function(place).get("Configuration", {})
    [architecture] = configuration.get("Architectures", functions.ARCHITECTURES[:1])
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


def _function(place: Place) -> Mapping[str, Any]:
    """Read what Lambda knows of the function that all begins with; empty where it is not."""
    name = functions.function_name(place.stage, "ingest")
    try:
        found: Mapping[str, Any] = place.clients("lambda").get_function(FunctionName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
    return found
