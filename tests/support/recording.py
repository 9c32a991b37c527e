"""Record the requests of the project's code to DynamoDB, and find the code that sends them."""

import ast
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore import xform_name  # has the name of an operation as a boto3 method
from botocore.session import get_session
from support.memory import MemoryDynamo

from chalicelib.stats.stored.items import StatsItems
from dashboard.aws_session import Service
from dashboard.paths import PROJECT

CODE = (PROJECT / "chalicelib", PROJECT / "dashboard")
_ITEMS = "self._items"  # the StatsItems of a class
_MODEL = get_session().get_service_model("dynamodb")
OPERATIONS = frozenset(map(xform_name, _MODEL.operation_names))
_REQUESTS = (
    *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
    *("TransactWriteItems", "UpdateItem"),
)
_PARAMETERS = {
    name for one in _REQUESTS for name in _MODEL.operation_model(one).input_shape.members
} - {"ClientRequestToken"}  # the client adds it to each transaction, below the recorded level
_EXPRESSION = re.compile(
    r"(^|[ (])[:#][a-z]\w*(?![\w:/-])"  # a placeholder
    r"|^ ?(SET|ADD|REMOVE|DELETE) "
    r"|\b(attribute_(not_)?exists|begins_with|contains|size)\("
)


@dataclass(frozen=True)
class Request:
    """A recorded request.

    Attributes:
        lines: the lines of the project's code on the call stack: (file, line).
    """

    operation: str
    parameters: Mapping[str, Any]
    lines: frozenset[tuple[str, int]]

    def contains(self, text: str) -> bool:
        """Return whether the request has a parameter of this name, or an expression with this text."""
        return any(
            name == text or (name.endswith("Expression") and text in value)
            for name, value in _members(self.parameters)
        )


@dataclass(frozen=True)
class Place:
    """A place in the code that determines a part of a request.

    Attributes:
        what: the operation, the parameter or the part of an expression.
    """

    file: str
    first: int
    last: int
    what: str

    def is_among(self, lines: Iterable[tuple[str, int]]) -> bool:
        """Return whether one of these lines is at this place."""
        return any(file == self.file and self.first <= line <= self.last for file, line in lines)


@contextmanager
def recorded() -> Iterator[list[Request]]:
    """Record the requests that are sent in the block, to moto or to DynamoDB in memory.

    On moto, the first page of a query or scan without a limit has one item, so that the code
    reads the next page. DynamoDB may end a page anywhere:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
    """
    requests: list[Request] = []
    of_service, of_memory = Service.call, MemoryDynamo.call

    def record(operation: str, parameters: Mapping[str, Any]) -> None:
        requests.append(Request(operation, deepcopy(parameters), frozenset(_lines())))

    def call_service(service: Service, operation: str, **parameters: Any) -> dict[str, Any]:
        if (
            operation in OPERATIONS
        ):  # no other service that the code calls has an operation of this name
            record(operation, parameters)
            if operation in {"query", "scan"} and "ExclusiveStartKey" not in parameters:
                parameters = {"Limit": 1, **parameters}
        return of_service(service, operation, **parameters)

    def call_memory(memory: MemoryDynamo, operation: str, **parameters: Any) -> dict[str, Any]:
        record(operation, parameters)
        return of_memory(memory, operation, **parameters)

    with (
        patch.object(Service, "call", call_service),
        patch.object(MemoryDynamo, "call", call_memory),
    ):
        yield requests


def unsent(requests: Sequence[Request]) -> list[str]:
    """Return the calls, parameters and parts of expressions in the code that no request contains.

    A function that returns before any request is sent only prepares requests: its names may be in
    any of them.
    """
    by_lines: dict[frozenset[tuple[str, int]], list[Request]] = defaultdict(list)
    for one in requests:
        by_lines[one.lines].append(one)

    def sent_by(place: Place) -> list[Request]:
        return [one for lines, some in by_lines.items() if place.is_among(lines) for one in some]

    missing = [
        place
        for place in _calls_of_dynamodb()
        if all(one.operation != place.what for one in sent_by(place))
    ] + [
        place
        for place in _names()
        if not any(one.contains(place.what) for one in sent_by(place) or requests)
    ]
    return [f"{Path(one.file).relative_to(PROJECT)}:{one.first}: {one.what!r}" for one in missing]


def _calls_of_dynamodb() -> Iterator[Place]:
    """Return the DynamoDB calls."""
    for file, tree in _modules():
        passing = {"call"} | {
            function.name
            for function in _functions(tree)
            for one in _calls(function)
            if _callee(one) == "call" and isinstance(one.args[0], ast.Name)
        }
        for one in _calls(tree):
            operation = getattr(one.args[0], "value", None)
            if _callee(one) in passing and operation in OPERATIONS:
                yield _place(file, one, operation)
            elif isinstance(one.func, ast.Attribute) and ast.unparse(one.func.value) == _ITEMS:
                yield from (_place(file, one, name) for name in _operations_of_items(one.func.attr))


def _operations_of_items(method: str) -> Iterator[str]:
    """Return the operations that a method of StatsItems calls.

    Its queries are generators, which send their requests when their caller has returned.
    """
    [tree] = [tree for file, tree in _modules() if file == inspect.getfile(StatsItems)]
    for function in _functions(tree):
        if function.name == method:
            called = (one for one in _calls(function) if _callee(one) == "call")
            yield from (ast.literal_eval(one.args[0]) for one in called)


def _names() -> Iterator[Place]:
    """Return the functions with the parameters and parts of expressions in them."""
    for file, tree in _modules():
        for function in _functions(tree):
            for text in sorted(_texts(function)):
                if text in _PARAMETERS or _EXPRESSION.search(text):
                    yield _place(file, function, text)


def _place(file: str, node: ast.stmt | ast.expr, what: str) -> Place:
    return Place(file, node.lineno, node.end_lineno or node.lineno, what)


@cache
def _modules() -> Sequence[tuple[str, ast.Module]]:
    paths = [path for folder in CODE for path in sorted(folder.rglob("*.py"))]
    return [(str(path), ast.parse(path.read_text())) for path in paths]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Return the calls that have a first argument."""
    return (one for one in ast.walk(tree) if isinstance(one, ast.Call) and one.args)


def _callee(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _texts(function: ast.FunctionDef) -> set[str]:
    """Return a function's keywords and literals, except its docstring and the keys that it reads."""
    read = {id(one.args[0]) for one in _calls(function) if _callee(one) == "get"}
    docstring = ast.get_docstring(function, clean=False)
    texts = set()
    for one in ast.walk(function):
        if isinstance(one, ast.keyword) and one.arg:
            texts.add(one.arg)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in read:
            texts.add(one.value)
    return texts - {docstring}


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield name, member
            yield from _members(member)
    elif isinstance(value, list):
        for one in value:
            yield from _members(one)


def _lines() -> Iterator[tuple[str, int]]:
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith(tuple(map(str, CODE))):
            yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
