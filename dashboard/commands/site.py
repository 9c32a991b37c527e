"""`site`: publish the page and set the log retention of a stage that a pipeline has deployed."""

import json
from dataclasses import asdict

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import CommandError
from dashboard.commands.deploy import find_place
from dashboard.deploy import chalice_resources, function_logs, stack
from dashboard.deploy.remote import environment_of, publish_page
from dashboard.progress import Reporter


@click.command("site")
@click.option("--stage", required=True, help="Stage of the installation, such as prod.")
@click.option("--region", help="AWS region (default: the configured one).")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def command(*, stage: str, region: str | None, as_json: bool) -> None:
    """Publish the page of a stage, and set log retention: the last step of a CI/CD pipeline.

    `deploy` includes both.
    """
    place = find_place(stage, region)
    try:
        variables = environment_of(place)
        outputs = stack.outputs(place.clients("cloudformation"), place.stack_name)
        api_id = chalice_resources.only_api(
            chalice_resources.find_apis(place.clients("apigatewayv2"), place.stage), place.stage
        )
        function_logs.let_expire(place.clients("logs"), place.stage)
        published = publish_page(place, outputs, variables, api_id, Reporter())
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS rejected a request: {error}. Fix the cause and run the same command again"
        ) from error
    print(json.dumps(asdict(published)) if as_json else published.dashboard)
