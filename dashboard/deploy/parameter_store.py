"""Parameter Store entries of a stage: its secrets, and the settings chosen for it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_SETTINGS = "settings"


@dataclass(frozen=True)
class Parameters:
    """The parameters `/mailpulse/STAGE/…`.

    Attributes:
        ssm: the boto3 client.
    """

    ssm: Any
    stage: str

    def key(self, name: str, purpose: str) -> str:
        """Return a secret, creating it on first use."""
        key = self._read(name)
        if key is None:
            key = secrets.token_hex(32)
            self.ssm.put_parameter(
                Name=self._path(name),
                Value=key,
                Type="SecureString",
                Description=f"Mailpulse: {purpose}",
                Overwrite=False,
            )
        return key

    def settings(self) -> Mapping[str, str]:
        """Read the chosen settings, which outlive the functions."""
        found: Mapping[str, str] = json.loads(self._read(_SETTINGS) or "{}")
        return found

    def keep_settings(self, settings: Mapping[str, str]) -> None:
        """Store the chosen settings."""
        if settings != self.settings():
            self.ssm.put_parameter(
                Name=self._path(_SETTINGS),
                Value=json.dumps(settings, sort_keys=True),
                Type="String",
                Description="Mailpulse: settings of the functions from `deploy --set`",
                Overwrite=True,
            )

    def _read(self, name: str) -> str | None:
        try:
            found = self.ssm.get_parameter(Name=self._path(name), WithDecryption=True)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise
        value: str = found["Parameter"]["Value"]
        return value

    def _path(self, name: str) -> str:
        return f"/mailpulse/{self.stage}/{name}"
