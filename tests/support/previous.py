"""Run the functions of the previous release, from the archive of its code, beside the current ones."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from chalicelib import errors

if TYPE_CHECKING:
    from support.world import World

_ARCHIVE = Path(__file__).parents[1] / "releases" / "chalicelib-0.1.0.zip"


class PreviousRelease:
    """Release 0.1.0, which stored facts of generation 1 and applied version 1 of the rules."""

    version = 1

    def __init__(self) -> None:
        with _imported_from(_ARCHIVE):
            self._modules = {
                name: import_module(f"chalicelib.{name}")
                for name in (
                    *("config", "errors", "aws.client", "ses.parse"),
                    *("facts.fact", "facts.settle", "facts.table", "stats.table"),
                    *("functions.ingest", "functions.aggregate", "functions.publish"),
                )
            }

    def __getitem__(self, name: str) -> ModuleType:
        return self._modules[name]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Run the block; errors of this release become errors of the current one."""
        try:
            yield
        except self["errors"].NotStored as error:
            raise errors.NotStored(str(error)) from error
        except self["errors"].AwsError as error:
            raise errors.AwsError(error.code, str(error)) from error

    def new_process(self, world: "World") -> "_Process":
        """Return a process of this release."""
        return _Process(self, world)


class _Process:
    """A process of the previous release; it has the functions that upgrades run concurrently."""

    def __init__(self, release: PreviousRelease, world: "World") -> None:
        config = release["config"].Config(
            **{
                name: value
                for name, value in asdict(world.config).items()
                if name in release["config"].Config.__struct_fields__
            }
        )
        dynamo = _Dynamo(world.dynamo, release["errors"])

        def clock() -> float:
            return world.now

        stats_table = release["stats.table"].StatsTable(dynamo, config.stats_table, clock=clock)
        self.ingest = release["functions.ingest"].Ingest(
            config,
            release["facts.table"].EventsTable(
                dynamo, config.events_table, retention_days=config.retention_days, clock=clock
            ),
            stats_table,
            world,
            release["aws.client"].TimeLimit(),
            run=world.run_interleaved,
            clock=clock,
        )
        self.count = release["functions.aggregate"].Aggregator(stats_table, clock)
        self.publish = _NoPublisher()


class _NoPublisher:
    """Publishes nothing, because these upgrades have no viewers."""

    def batch(self, records: list[dict[str, Any]], level: str) -> None:
        """Push nothing."""

    def invoked(self, event: dict[str, Any]) -> None:
        """Push nothing."""


class _Dynamo:
    """The DynamoDB client, which raises the errors of another release."""

    def __init__(self, dynamo: Any, theirs: ModuleType) -> None:
        self._dynamo = dynamo
        self._theirs = theirs

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a call."""
        try:
            answer: dict[str, Any] = self._dynamo.call(operation, **parameters)
        except errors.ConditionFailed as error:
            raise self._theirs.ConditionFailed(error.item) from error
        except errors.AwsError as error:
            raise self._theirs.AwsError(error.code, str(error)) from error
        return answer


@contextmanager
def _imported_from(archive: Path) -> Iterator[None]:
    """Import chalicelib from an archive within the block, without replacing the current one."""

    def ours() -> dict[str, ModuleType]:
        return {
            name: one for name, one in sys.modules.items() if name.split(".")[0] == "chalicelib"
        }

    current = ours()
    remove: Callable[[str], object] = sys.modules.pop
    for name in current:
        remove(name)
    sys.path.insert(0, str(archive))
    try:
        yield
    finally:
        sys.path.remove(str(archive))
        for name in ours():
            remove(name)
        sys.modules.update(current)
