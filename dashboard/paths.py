"""Paths of the project and of the state folder of `up`."""

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
STATIC = PROJECT / "static"
TEMPLATE = PROJECT / "infrastructure" / "mailpulse.yaml"


@dataclass(frozen=True)
class StateDir:
    """The state folder, which `up` keeps between its runs. It may be deleted as a whole."""

    root: Path

    @property
    def emulator(self) -> Path:
        """Saved states of the emulator, except the bucket's objects: see generations.py."""
        return self.root / "emulator"

    @property
    def objects(self) -> Path:
        """The bucket's objects, which the emulator writes immediately."""
        return self.root / "objects"

    @property
    def scratch(self) -> Path:
        """Temporary files of the emulator and its Lambda workers, emptied at each start."""
        return self.root / "tmp"

    @property
    def build(self) -> Path:
        """The folder in which `chalice deploy` runs, with its record in `.chalice/deployed`."""
        return self.root / "build"

    @property
    def pseudonym_key(self) -> Path:
        """The key of this installation's pseudonyms; it must never change."""
        return self.root / "pseudonym.key"

    @property
    def replay(self) -> Path:
        """The progress of interrupted replays."""
        return self.root / "replay"

    @property
    def running(self) -> Path:
        """The endpoints of the running dashboard, for other commands; absent while none runs."""
        return self.root / "running.json"

    @property
    def unsaved(self) -> Path:
        """The time since which changes are in memory only; absent after a clean stop."""
        return self.root / "unsaved.json"

    @property
    def lock(self) -> Path:
        """Lock file, held while `up` or its emulator runs."""
        return self.root / "lock"

    @property
    def emulator_log(self) -> Path:
        """Output of the emulator and of failed functions since the last start."""
        return self.root / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """Output of the last `chalice deploy`."""
        return self.root / "deploy.log"

    @property
    def previous_emulator_log(self) -> Path:
        """The emulator's log of the previous run."""
        return self.root / "emulator.previous.log"

    @property
    def files(self) -> tuple[Path, ...]:
        """All files and folders of Mailpulse, including those of `deploy` and `package`."""
        return (
            *(self.emulator, self.objects, self.scratch, self.build, self.replay),
            *(self.pseudonym_key, self.running, self.unsaved, self.lock),
            *(self.emulator_log, self.previous_emulator_log, self.deploy_log),
            *(self.root / "aws", self.root / "package"),
        )
