"""What each function may do, and nothing else: one IAM policy a function.

`chalice deploy` gives each function a role of its own with the policy that it is given; its own
guess would be one role for all, on every resource. tests/integration/test_policies.py drives the
functions' real calls and compares.
"""

from typing import Any

from dashboard.functions import function_name
from dashboard.stack import Outputs

Policy = dict[str, Any]

_STREAM_READ = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
)


def policies(outputs: Outputs, *, region: str, account: str, stage: str) -> dict[str, Policy]:
    """Write the policies.

    Args:
        outputs: of the stack.
        region: where it is.
        account: whose.
        stage: the Chalice stage; it is API Gateway's stage, too.

    Returns:
        A policy for each function of app.py, by the name that Chalice gives it.
    """
    here = f"{region}:{account}"

    def table(output: str, index: str = "") -> str:
        return f"arn:aws:dynamodb:{here}:table/{outputs[output]}{index}"

    queue, dead_letters = outputs["QueueArn"], outputs["DeadLetterQueueArn"]
    events, stats = table("EventsTable"), table("StatsTable")
    subscriptions = table("SubscriptionsTable")
    campaigns, activity = f"{stats}/index/campaigns", f"{events}/index/activity"
    # The API's id is known only after the first deployment, and stays out of the policy.
    connections = f"arn:aws:execute-api:{here}:*/{stage}/POST/@connections/*"
    post = _allow([connections], "execute-api:ManageConnections")
    itself = f"arn:aws:lambda:{here}:function:{function_name(stage, 'publish')}"
    close = _allow([connections.replace("/POST/", "/DELETE/")], "execute-api:ManageConnections")
    forget = _allow([subscriptions], "dynamodb:GetItem", "dynamodb:Query", "dynamodb:DeleteItem")
    catch_up = _allow([subscriptions], "dynamodb:Query", "dynamodb:UpdateItem")

    statements: dict[str, list[Policy]] = {
        "ingest": [
            _allow(
                [queue],
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ChangeMessageVisibility",
            ),
            _allow([dead_letters], "sqs:SendMessage"),
            _allow(
                [events],
                "dynamodb:BatchWriteItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:Query",
            ),
            _allow([stats], "dynamodb:UpdateItem"),
        ],
        "aggregate": [
            _allow([outputs["EventsStreamArn"]], *_STREAM_READ),
            _allow(["*"], "dynamodb:ListStreams"),
            _allow([stats], "dynamodb:UpdateItem"),
        ],
        "publish": [
            _allow([outputs["StatsStreamArn"]], *_STREAM_READ),
            _allow(["*"], "dynamodb:ListStreams"),
            forget,
            _allow([subscriptions], "dynamodb:UpdateItem"),
            post,
            _allow([itself], "lambda:InvokeFunction"),
        ],
        "watch": [
            _allow([queue, dead_letters], "sqs:GetQueueAttributes"),
            # CloudWatch knows no resources.
            _allow(["*"], "cloudwatch:GetMetricStatistics"),
            _allow([outputs["EventsStreamArn"]], *_STREAM_READ),
            _allow([stats], "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"),
            _allow([campaigns], "dynamodb:Query"),
        ],
        "websocket_connect": [forget, _allow([subscriptions], "dynamodb:PutItem")],
        "websocket_message": [
            _allow([stats], "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"),
            _allow([campaigns, activity], "dynamodb:Query"),
            forget,
            catch_up,
            _allow([subscriptions], "dynamodb:PutItem"),
            post,
            close,
        ],
        "websocket_disconnect": [forget],
    }
    return {
        name: {"Version": "2012-10-17", "Statement": [*own, _logs(here, f"{stage}-{name}")]}
        for name, own in statements.items()
    }


def _allow(resources: list[str], *actions: str) -> Policy:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources}


def _logs(here: str, function: str) -> Policy:
    group = f"arn:aws:logs:{here}:log-group:/aws/lambda/mailpulse-{function}"
    return _allow(
        [group, f"{group}:*"],
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    )
