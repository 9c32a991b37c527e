"""Run dynalite, an independent implementation of DynamoDB's validation.

Its authors compared each validation error with DynamoDB's: https://github.com/architect/dynalite.
tests/dynalite pins its version, and `make test` installs it.
"""

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace
from support.template import RESOURCES
from support.world import CONFIG

from chalicelib.aws.client import JsonService
from chalicelib.errors import AwsError, ConditionFailed
from dashboard.paths import PROJECT

FOLDER = PROJECT / "tests" / "dynalite"
INSTALL = "make tests/dynalite/node_modules/.package-lock.json"
TABLES = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::DynamoDB::Table"
}
# The properties of a table that dynalite implements and requests depend on.
_PROPERTIES = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")

Write = tuple[str, Mapping[str, Any]]


class Dynalite:
    """A running server; requests are sent by the functions' own client.

    Args:
        url: the URL of the server.
    """

    def __init__(self, url: str) -> None:
        self._service = JsonService("dynamodb", replace(CONFIG, endpoint_url=url))

    @contextmanager
    def tables(self, names: Mapping[str, str]) -> Iterator[None]:
        """Create empty tables, and delete them at the end of the block.

        Args:
            names: the logical name in the template by the table's name.
        """
        for name, logical in names.items():
            wanted = {one: TABLES[logical][one] for one in _PROPERTIES if one in TABLES[logical]}
            self._service.call("create_table", TableName=name, **wanted)
            while self._status(name) != "ACTIVE":
                pass
        try:
            yield
        finally:
            for name in names:
                self._service.call("delete_table", TableName=name)
                while self._status(name) is not None:
                    pass

    def refusal(self, operation: str, parameters: Mapping[str, Any]) -> AwsError | None:
        """Send a request; return the validation error, or None.

        A failed condition is not a validation error: the request was valid.
        """
        for name, one in _supported(operation, parameters):
            try:
                self._service.call(name, **one)
            except ConditionFailed:
                continue
            except AwsError as error:
                return error
        return None

    def _status(self, table: str) -> str | None:
        try:
            found = self._service.call("describe_table", TableName=table)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return None
        status: str = found["Table"]["TableStatus"]
        return status


def _supported(operation: str, parameters: Mapping[str, Any]) -> Iterable[Write]:
    """Replace the two features that dynalite does not implement, and no others.

    It has no transactions: their writes are sent one by one. It does not implement
    ReturnValuesOnConditionCheckFailure: the parameter is removed.
    """
    if operation == "transact_write_items":
        for entry in parameters["TransactItems"]:
            for kind, write in entry.items():
                yield from _supported(f"{kind.lower()}_item", write)
        return
    unknown = {"ReturnValuesOnConditionCheckFailure"}
    yield operation, {name: one for name, one in parameters.items() if name not in unknown}


@contextmanager
def running() -> Iterator[Dynalite]:
    """Run a server on loopback until the end of the block.

    Raises:
        AssertionError: Node.js or the package is missing.
    """
    node = shutil.which("node")
    assert node, "Node.js is not installed: install Node.js 20 or later, then run this again"
    assert (FOLDER / "node_modules" / "dynalite").is_dir(), (
        f"dynalite is not installed in {FOLDER}: run `{INSTALL}`"
    )
    server = subprocess.Popen(
        [node, FOLDER / "serve.cjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with server:  # leaving the block closes its standard input, which stops the server
        assert server.stdout
        port = server.stdout.readline().strip()
        assert port, f"dynalite did not start: run `node {FOLDER / 'serve.cjs'}` to see why"
        try:
            yield Dynalite(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
