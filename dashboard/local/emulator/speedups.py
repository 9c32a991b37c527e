"""Patches that reduce the CPU time of the emulator, which does everything on one event loop.

Those of templates, workers and content types shorten a start of `up`. The others matter for a busy
campaign; docs/performance-live.md has the figures.
"""

import copy
import gc
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import ministack.app
import yaml
from ministack.core import lambda_runtime
from ministack.services import dynamodb
from ministack.services.cloudformation import engine

from dashboard.local.emulator.edge import App, Message, Receive, Scope, Send

# Python's defaults are 700, 10 and 10. Almost all objects here, of tables and streams, are
# long-lived.
_GARBAGE_THRESHOLDS = 50_000, 20, 10

# More than the functions use, although updates differ in their counters.
_EXPRESSIONS = 1000

# The call in the script of a worker that imports botocore.
_COUNT_DEPTH = "\n    _ms_install_invoke_depth()\n"

_tokenize = dynamodb._tokenize
_syntax_error = lru_cache(_EXPRESSIONS)(dynamodb._condition_syntax_error)

_DYNAMODB = b"DynamoDB_20120810."
_ATOMS = (str, int, float, bool, bytes, type(None))


def install() -> None:
    """Install the patches. Call it before the emulator loads its state."""
    dynamodb.copy = SimpleNamespace(deepcopy=copy_json)
    dynamodb._tokenize = tokens_of
    dynamodb._condition_syntax_error = _syntax_error
    engine.CfnLoader = template_loader()
    lambda_runtime._PYTHON_WORKER_SCRIPT = worker_script()
    ministack.app.fix_error_content_type = _keep_content_type
    ministack.app.fix_success_content_type = _keep_content_type
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def tokens_of(expression: str) -> list[tuple[str, str]]:
    """Return the tokens of an expression from a cache.

    The emulator parses an expression again for each item that a query examines.
    """
    return list(_tokens(expression))


@lru_cache(_EXPRESSIONS)
def _tokens(expression: str) -> tuple[tuple[str, str], ...]:
    return tuple(_tokenize(expression))


def template_loader() -> Any:
    """Return the emulator's loader of templates, with the parser of libyaml if it is available.

    PyYAML's own takes a quarter of a second for the template of the stack, at each start of `up`.
    """
    if not yaml.__with_libyaml__:
        return engine.CfnLoader

    class Loader(yaml.CSafeLoader):
        yaml_constructors = engine.CfnLoader.yaml_constructors

    return Loader


def worker_script() -> str:
    """Return the script of Lambda workers without the import of botocore, most of a cold start.

    With botocore, the emulator counts how deep functions invoke each other. Ours use their own
    client (chalicelib/aws), which is not counted.
    """
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    return script.replace(_COUNT_DEPTH, "\n")


def _keep_content_type(_service: str, _status: int, _headers: dict[str, str]) -> None:
    """Keep the content type of a response, which no client reads.

    The emulator reads AWS's model of each service, to distinguish kinds of JSON and of XML.
    """


def copy_json(value: Any) -> Any:
    """Copy JSON values several times as fast as `copy.deepcopy`, the fallback for others."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict:
        return {name: copy_json(one) for name, one in value.items()}
    if kind is list:
        return [copy_json(one) for one in value]
    return copy.deepcopy(value)


def dynamodb_first(app: App) -> App:
    """Route DynamoDB requests directly, bypassing the emulator's detection of the service.

    Account, region and authorization have their defaults here, so the result is the same.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        target = _dynamodb_target(scope)
        if target is None:
            await app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {"x-amz-target": target.decode("latin-1")}
        status, named, content = await dynamodb.handle_request("POST", "/", headers, body, {})
        await send(_start(status, named))
        await send({"type": "http.response.body", "body": content})

    return serve


def _dynamodb_target(scope: Scope) -> bytes | None:
    if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/":
        for name, value in scope["headers"]:
            if name == b"x-amz-target":
                target: bytes = value
                return target if target.startswith(_DYNAMODB) else None
    return None


def _start(status: int, headers: dict[str, str]) -> Message:
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": encoded}
