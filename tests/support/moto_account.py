"""moto's AWS account, filled once and restored for each test, and cached clients.

moto takes half a second to create a stack and boto3 a tenth of that for a client; restoring takes
milliseconds. A client without event handlers of its own keeps no state.
"""

import copyreg
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from types import FunctionType
from typing import Any
from weakref import WeakValueDictionary

import boto3
from moto import mock_aws
from moto.awslambda.models import LambdaFunction
from moto.core.base_backend import BackendDict
from moto.core.serialize import ResponseSerializer

REGION = "us-east-1"
TEMPLATE = Path(__file__).parents[2] / "infrastructure" / "mailpulse.yaml"

_LOCKS = {type(make()): make for make in (threading.Lock, threading.RLock)}


def _runs_nothing(function: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
    """Fail as where there is no Docker, for which moto would look at each event of a function."""
    function.logs_backend.ensure_log_group(function.logs_group_name)
    why = "moto runs no functions here"
    function.save_logs(why)
    return why, True, ""


def _member(
    self: ResponseSerializer,
    value: Any,
    key: str,
    shape: Any,
    find: Any = ResponseSerializer.get_value,
) -> Any:
    """Return a member of a response; those of DynamoDB's values have no other name.

    moto looks for each of ten types of each value by a dozen names.
    """
    if type(value) is dict and getattr(shape, "parent", shape).name == "AttributeValue":
        return value.get(key)
    return find(self, value, key, shape)


LambdaFunction._invoke_lambda = _runs_nothing
ResponseSerializer.get_value = _member

_session = boto3.session.Session("testing", "testing")


def new_client(service: str, region: str = REGION, **options: Any) -> Any:
    """Return a new client, to which event handlers may be added."""
    return _session.client(service, region, **options)


@cache
def client(service: str, region: str = REGION) -> Any:
    """Return the shared client of a service."""
    return new_client(service, region)


class _Pickler(pickle.Pickler):
    """Copies an account, and omits the objects that all accounts share.

    Args:
        shared: is filled with the omitted objects.
    """

    def __init__(self, file: BytesIO, shared: list[Any]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_id(self, obj: Any) -> int | None:
        """Omit moto's services, and functions, some of which cannot be imported by name."""
        if not isinstance(obj, (BackendDict, FunctionType)):
            return None
        self._shared.append(obj)
        return len(self._shared) - 1

    def reducer_override(self, obj: Any) -> Any:
        """Copy the objects that pickle cannot: locks, which are not held, and weak references."""
        if type(obj) in _LOCKS:
            return _LOCKS[type(obj)], ()
        if isinstance(obj, WeakValueDictionary):
            return WeakValueDictionary, (), None, None, iter(obj.items())
        if isinstance(obj, LambdaFunction):  # would omit a member that it needs
            return copyreg.__newobj__, (LambdaFunction,), vars(obj)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, kept: bytes, shared: list[Any]) -> None:
        super().__init__(BytesIO(kept))
        self._shared = shared

    def persistent_load(self, pid: int) -> Any:
        return self._shared[pid]


class Filled:
    """An account that is restored each time to the state after `fill`.

    Args:
        fill: creates the contents once; its result is returned with the account.
    """

    def __init__(self, fill: Callable[[], Any]) -> None:
        self._fill = fill
        self._kept = b""
        self._shared: list[Any] = []
        self._given: Any = None

    @contextmanager
    def account(self) -> Iterator[Any]:
        """Activate the account until the end of the block."""
        with mock_aws():
            if self._kept:
                self._put_back()
            else:
                self._given = self._fill()
                self._keep()
            yield self._given

    def _keep(self) -> None:
        # All at once, because they refer to each other: a stack refers to DynamoDB's tables.
        file = BytesIO()
        services = [(one, dict(one)) for one in BackendDict._instances]
        _Pickler(file, self._shared).dump(services)
        self._kept = file.getvalue()

    def _put_back(self) -> None:
        for service, accounts in _Unpickler(self._kept, self._shared).load():
            service.update(accounts)
            BackendDict._instances.append(service)


def make_stack(**parameters: str) -> dict[str, str]:
    """Create the stack of a stage and return its outputs."""
    chosen = {"Stage": "test", "Serving": "local", **parameters}
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="mailpulse-test",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in chosen.items()
        ],
    )
    [stack] = cloudformation.describe_stacks(StackName="mailpulse-test")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
