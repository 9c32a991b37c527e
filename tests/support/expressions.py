"""Parse and evaluate the subset of DynamoDB expressions that Mailpulse uses, with AWS's errors.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
Parsed expressions are cached: a soak test evaluates the same dozen a million times.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ministack.services._dynamodb_keywords import AWS_KEYWORDS

Item = Mapping[str, Mapping[str, Any]]
MAX_EXPRESSION_BYTES = 4096

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),.]|[#:]?[A-Za-z0-9_]+)")
_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


class Refused(Exception):
    """A ValidationException of DynamoDB."""


@dataclass(frozen=True)
class Names:
    """The names and values of an expression's placeholders."""

    names: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]

    def path(self, tokens: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.names[one] if one.startswith("#") else one for one in tokens)


class _Reader:
    """Reads the tokens of one expression from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != "".join(text.split()):
            raise Refused(f"Invalid expression: syntax error: {text}")
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self, *expected: str) -> str:
        token = self.peek()
        if token is None or (expected and token not in expected):
            raise Refused(f"Invalid expression: {token!r} where one of {expected} should be")
        self._at += 1
        return token

    def accept(self, token: str) -> bool:
        if self.peek() == token:
            self._at += 1
            return True
        return False

    def path(self) -> tuple[str, ...]:
        parts = [self.take()]
        while self.accept("."):
            parts.append(self.take())
        for part in parts:
            if part.upper() in AWS_KEYWORDS:
                raise Refused(f"Attribute name is a reserved keyword; reserved keyword: {part}")
        return tuple(parts)


Predicate = Callable[[Item, Names], bool]


@cache
def condition(text: str) -> Predicate:
    """Parse a condition: `OR`, `AND`, comparisons and functions."""
    reader = _Reader(text)
    predicate = _either(reader)
    if reader.peek() is not None:
        raise Refused(f"Invalid ConditionExpression: {text}")
    return predicate


def _either(reader: _Reader) -> Predicate:
    parts = [_both(reader)]
    while reader.accept("OR"):
        parts.append(_both(reader))
    return lambda item, names: any(part(item, names) for part in parts)


def _both(reader: _Reader) -> Predicate:
    parts = [_one(reader)]
    while reader.accept("AND"):
        parts.append(_one(reader))
    return lambda item, names: all(part(item, names) for part in parts)


def _one(reader: _Reader) -> Predicate:
    if reader.accept("("):
        inner = _either(reader)
        reader.take(")")
        return inner
    if reader.peek() in _FUNCTIONS:
        name = reader.take()
        reader.take("(")
        return _function(reader, name)
    left = reader.path()
    return _comparison(reader, lambda item, names: _value(item, left, names))


def _function(reader: _Reader, name: str) -> Predicate:
    path = reader.path()
    argument = reader.path() if reader.accept(",") else None
    reader.take(")")
    match name:
        case "attribute_exists":
            return lambda item, names: _value(item, path, names) is not None
        case "attribute_not_exists":
            return lambda item, names: _value(item, path, names) is None
        case "size":
            return _comparison(reader, lambda item, names: _size(_value(item, path, names)))
    assert argument is not None
    test = {"begins_with": _begins, "contains": _contains}[name]
    return lambda item, names: test(_value(item, path, names), _value(item, argument, names))


_FUNCTIONS = {"attribute_exists", "attribute_not_exists", "size", "begins_with", "contains"}


def _comparison(reader: _Reader, left: Callable[[Item, Names], Any]) -> Predicate:
    if reader.accept("BETWEEN"):
        lowest = _compared(left, ">=", reader.path())
        reader.take("AND")
        highest = _compared(left, "<=", reader.path())
        return lambda item, names: lowest(item, names) and highest(item, names)
    operator = reader.take("=", "<>", "<", "<=", ">", ">=")
    return _compared(left, operator, reader.path())


def _compared(
    left: Callable[[Item, Names], Any], operator: str, right: tuple[str, ...]
) -> Predicate:
    compare = {
        "=": lambda a, b: a == b,
        "<>": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }[operator]

    def holds(item: Item, names: Names) -> bool:
        one, other = left(item, names), _value(item, right, names)
        if one is None or other is None:
            return operator == "<>"
        (kind, a), (other_kind, b) = _comparable(one), _comparable(other)
        return compare(a, b) if kind == other_kind else operator == "<>"

    return holds


def _value(item: Item, path: tuple[str, ...], names: Names) -> Any:
    if path[0].startswith(":"):
        return names.values[path[0]]
    found: Any = {"M": item}
    for part in names.path(path):
        if found is None or "M" not in found:
            return None
        found = found["M"].get(part)
    return found


def _comparable(value: Mapping[str, Any]) -> tuple[str, Any]:
    [(kind, content)] = value.items()
    if kind == "N":
        return kind, int(content)
    return kind, content.encode() if kind == "S" else content


def _size(value: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    if value is None:
        return None
    [(kind, content)] = value.items()
    return {"N": str(len(content.encode() if kind == "S" else content))}


def _begins(value: Mapping[str, Any] | None, prefix: Mapping[str, Any]) -> bool:
    return value is not None and value.get("S", "").startswith(prefix["S"])


def _contains(value: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    return value is not None and wanted["S"] in value.get("SS", value.get("S", ()))


@cache
def projection(text: str) -> tuple[str, ...]:
    """Parse a projection of top-level attributes."""
    reader = _Reader(text)
    names = []
    while True:
        [name] = reader.path()
        names.append(name)
        if not reader.accept(","):
            break
    if reader.peek() is not None:
        raise Refused(f"Invalid ProjectionExpression: {text}")
    return tuple(names)


@dataclass(frozen=True)
class Action:
    """One action of an update: `SET a = :v`, `REMOVE a`, `ADD a :v`, `DELETE a :v`."""

    clause: str
    path: tuple[str, ...]
    value: str | None


@cache
def update(text: str) -> tuple[Action, ...]:
    """Parse the clauses of an update expression."""
    reader = _Reader(text)
    actions: list[Action] = []
    seen: set[str] = set()
    while reader.peek() is not None:
        clause = reader.take(*_CLAUSES)
        if clause in seen:
            raise Refused(f'The "{clause}" section can only be used once in an update expression')
        seen.add(clause)
        while True:
            path = reader.path()
            value = None
            if clause != "REMOVE":
                if clause == "SET":
                    reader.take("=")
                value = reader.take()
            actions.append(Action(clause, path, value))
            if not reader.accept(","):
                break
    return tuple(actions)


def updated(item: Item, text: str, names: Names) -> dict[str, Mapping[str, Any]]:
    """Return the item after an update expression."""
    actions = update(text)
    paths = [names.path(action.path) for action in actions]
    for number, path in enumerate(paths):
        for other in paths[number + 1 :]:
            shorter = min(len(path), len(other))
            if path[:shorter] == other[:shorter]:
                raise Refused(f"Two document paths overlap with each other: {path}, {other}")
    result = dict(item)
    for action, path in zip(actions, paths, strict=True):
        target = result
        for part in path[:-1]:
            if "M" not in target.get(part, {}):
                raise Refused("The document path provided in the update expression is invalid")
            inner = dict(target[part]["M"])
            target[part] = {"M": inner}
            target = inner
        name = path[-1]
        if action.clause == "REMOVE":
            target.pop(name, None)
        elif action.clause == "SET":
            target[name] = names.values[str(action.value)]
        elif action.clause == "DELETE":
            _delete(target, name, names.values[str(action.value)])
        else:
            target[name] = _added(target.get(name), names.values[str(action.value)])
    return result


def _added(old: Mapping[str, Any] | None, value: Mapping[str, Any]) -> Mapping[str, Any]:
    match value:
        case {"N": str(amount)} if old is None or "N" in old:
            return {"N": str(int(old["N"] if old else 0) + int(amount))}
        case {"SS": list(members)} if old is None or "SS" in old:
            return {"SS": list(dict.fromkeys([*(old["SS"] if old else ()), *members]))}
    raise Refused(f"An operand in the update expression has an incorrect data type: {old}, {value}")


def _delete(target: dict[str, Mapping[str, Any]], name: str, value: Mapping[str, Any]) -> None:
    """Remove members from a set; a set without members is no attribute."""
    old = target.get(name, {"SS": []})
    if "SS" not in old or "SS" not in value:
        raise Refused(f"An operand in the update expression has an incorrect data type: {old}")
    left = [one for one in old["SS"] if one not in value["SS"]]
    target.pop(name, None)
    if left:
        target[name] = {"SS": left}


def check(parameters: Mapping[str, Any]) -> Names:
    """Raise Refused if an expression is too long or placeholders are missing or unused."""
    expressions = {name: text for name, text in parameters.items() if name.endswith("Expression")}
    for name, text in expressions.items():
        if len(text.encode()) > MAX_EXPRESSION_BYTES:
            raise Refused(f"Invalid {name}: Expression size has exceeded the maximum")
    used = {token for text in expressions.values() for token in _placeholders(text)}
    names = parameters.get("ExpressionAttributeNames", {})
    values = parameters.get("ExpressionAttributeValues", {})
    defined = {*names, *values}
    if used != defined:
        raise Refused(
            f"placeholders without a meaning: {sorted(used - defined)}, unused in expressions: "
            f"{sorted(defined - used)}"
        )
    return Names(names, values)


@cache
def _placeholders(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[#:][A-Za-z0-9_]+", text))
