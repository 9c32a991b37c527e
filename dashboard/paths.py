"""Where things are: the project's folders, and what `up` keeps between its runs."""

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
STATIC = PROJECT / "static"
TEMPLATE = PROJECT / "infrastructure" / "mailpulse.yaml"


@dataclass(frozen=True)
class StateDir:
    """What `up` keeps between its runs, in one folder that may be deleted as a whole."""

    root: Path

    @property
    def emulator(self) -> Path:
        """Saved states of the emulator, all but the bucket's objects: see generations.py."""
        return self.root / "emulator"

    @property
    def objects(self) -> Path:
        """The bucket's objects, which the emulator writes through."""
        return self.root / "objects"

    @property
    def scratch(self) -> Path:
        """Temporary files of the emulator and its Lambda workers, emptied at each start."""
        return self.root / "tmp"

    @property
    def build(self) -> Path:
        """The folder that `chalice deploy` runs in; its `.chalice/deployed` says what exists."""
        return self.root / "build"

    @property
    def pseudonym_key(self) -> Path:
        """The secret that keys the pseudonyms of this installation; it must never change."""
        return self.root / "pseudonym.key"

    @property
    def replay(self) -> Path:
        """How far files have been replayed, where that was interrupted."""
        return self.root / "replay"

    @property
    def running(self) -> Path:
        """Where to find the running dashboard, for other commands; absent while none runs."""
        return self.root / "running.json"

    @property
    def unsaved(self) -> Path:
        """Since when changes are in memory only; absent after a clean stop."""
        return self.root / "unsaved.json"

    @property
    def lock(self) -> Path:
        """Held while `up` or its emulator runs."""
        return self.root / "lock"

    @property
    def emulator_log(self) -> Path:
        """What the emulator and the functions that failed had to say since the last start."""
        return self.root / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """What the last `chalice deploy` said."""
        return self.root / "deploy.log"

    @property
    def previous_emulator_log(self) -> Path:
        """The emulator's log of the start before."""
        return self.root / "emulator.previous.log"

    @property
    def files(self) -> tuple[Path, ...]:
        """All files and folders that Mailpulse keeps here, `deploy` and `package` among it."""
        return (
            *(self.emulator, self.objects, self.scratch, self.build, self.replay),
            *(self.pseudonym_key, self.running, self.unsaved, self.lock),
            *(self.emulator_log, self.previous_emulator_log, self.deploy_log),
            *(self.root / "aws", self.root / "package"),
        )
