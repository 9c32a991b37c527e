"""Install Mailpulse on the local emulator, as `deploy` does in AWS: stack, functions, page."""

import hmac
import json
from pathlib import Path
from typing import Any

from dashboard.aws_session import Service
from dashboard.deploy import chalice_project, event_sources, publish_site, settings, stack
from dashboard.deploy.chalice_resources import function_name
from dashboard.deploy.resume import end_pause
from dashboard.local.running import Running, read_pseudonym_key
from dashboard.local.session import LocalSession, environment
from dashboard.paths import STATIC, TEMPLATE, StateDir
from dashboard.progress import Reporter

STAGE = "local"
COUNTING_FUNCTION = function_name(STAGE, "aggregate")

# Tables whose time-to-live setting in the template the emulator ignores.
_TABLES = ("EventsTable", "StatsTable", "SubscriptionsTable")
_TTL_ATTRIBUTE = "expires"

# The delay before a failed message is retried; on a local machine, minutes would be too long.
_QUEUE_VISIBILITY_SECONDS = "20"

# Each concurrent ingest batch is a process on this machine.
_MAPPING_OPTIONS = {
    **event_sources.OPTIONS,
    "ingest": {**event_sources.OPTIONS["ingest"], "ScalingConfig": {"MaximumConcurrency": 2}},
}


def install(state: StateDir, session: LocalSession, steps: Reporter) -> Running:
    """Install or update Mailpulse on the emulator to match this checkout, and return its URLs.

    Args:
        state: the state folder.
        session: makes clients for the emulator.
        steps: reports progress.
    """
    with steps.step("Create the tables, queue, and topic"):
        outputs = stack.create_or_update(
            session.client("cloudformation"),
            stack.stack_name(STAGE),
            TEMPLATE,
            {
                "Stage": STAGE,
                "Serving": "local",
                "QueueVisibilitySeconds": _QUEUE_VISIBILITY_SECONDS,
            },
            poll_seconds=0.05,
        )
        _set_time_to_live(session.client("dynamodb"), outputs)

    with steps.step("Deploy the functions"):
        deployment = _deploy(state, session, outputs)

    end_pause(Service("dynamodb", session.client), outputs["StatsTable"], steps)
    check_health(session.client("lambda"))
    host = session.endpoint_url.removeprefix("http://")
    websocket_url = f"ws://{host}/_aws/execute-api/{deployment.websocket_api_id}/{STAGE}"
    with steps.step("Publish the page"):
        publish_site.publish(
            session.client("s3"),
            outputs["SiteBucket"],
            publish_site.Site(websocket_url, STAGE),
            STATIC,
        )

    queue_name = outputs["QueueArn"].rsplit(":", 1)[1]
    return Running(
        dashboard=f"{session.endpoint_url}/",
        websocket=websocket_url,
        topic_arn=outputs["TopicArn"],
        # Looked up by name: the URL in the outputs has a placeholder port.
        queue_url=session.client("sqs").get_queue_url(QueueName=queue_name)["QueueUrl"],
        endpoint_url=session.endpoint_url,
    )


def site_bucket(session: LocalSession) -> str:
    """Return the name of the bucket that holds the page."""
    outputs = stack.outputs(session.client("cloudformation"), stack.stack_name(STAGE))
    return outputs["SiteBucket"]


def _deploy(
    state: StateDir, session: LocalSession, outputs: stack.Outputs
) -> chalice_project.Deployment:
    """Deploy the functions and set the options of their event source mappings."""
    chalice_project.prepare(
        state.build,
        STAGE,
        _variables(state, outputs),
        chalice_project.roles(outputs),
        with_packages=False,
    )
    deployment = chalice_project.deploy(
        state.build,
        STAGE,
        session.client,
        chalice_project.sources(outputs),
        environment=_chalice_environment(session),
        log=state.deploy_log,
    )
    event_sources.set_options(session.client("lambda"), deployment, _MAPPING_OPTIONS)
    event_sources.announce_reporting(session.client("lambda"), function_name(STAGE, "ingest"))
    return deployment


def _variables(state: StateDir, outputs: stack.Outputs) -> dict[str, str]:
    """Return the environment of the functions, where it differs from the defaults in AWS."""
    pseudonym_key = read_pseudonym_key(state)
    return {
        **settings.of_stack(outputs),
        # The functions fill in the endpoint from AWS_ENDPOINT_URL, because the port may change.
        "CONNECTIONS_ENDPOINT": "{endpoint}/_aws/execute-api/{api_id}/{stage}",
        "STORE_ADDRESSES": "true",
        "PSEUDONYM_KEY": pseudonym_key,
        # Derived, so that the state folder has one key to keep.
        "SHARE_KEY": hmac.new(pseudonym_key.encode(), b"share links", "sha256").hexdigest(),
        # A push costs only the CPU time of its messages here, and five a second look smooth: as the
        # shortest batching window of the emulator (emulator/patches.py).
        "IDLE_SECONDS": "0.2",
    }


def check_health(lambda_client: Any) -> None:
    """Run the health check now; its schedule would run it a minute later."""
    names = ("version", "id", "detail-type", "source", "account", "time", "region")
    event = {**dict.fromkeys(names, ""), "resources": [], "detail": {}}
    lambda_client.invoke(
        FunctionName=function_name(STAGE, "watch"),
        InvocationType="Event",
        Payload=json.dumps(event),
    )


def _chalice_environment(session: LocalSession) -> dict[str, str]:
    models = Path(__file__).parent / "emulator" / "local_models"
    return environment(session.endpoint_url) | {"AWS_DATA_PATH": str(models)}


def _set_time_to_live(dynamodb: Any, outputs: stack.Outputs) -> None:
    """Enable time to live: the template specifies it, but the emulator ignores it."""
    for output in _TABLES:
        table = outputs[output]
        description = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if description["TimeToLiveStatus"] == "DISABLED":
            dynamodb.update_time_to_live(
                TableName=table,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": _TTL_ATTRIBUTE},
            )
