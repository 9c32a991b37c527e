"""Publish the page: hashed assets first, the page that names them last."""

import json
import mimetypes
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions
import jinja2

from chalicelib.errors import CommandError
from dashboard.deploy.frontend import manifest_path
from dashboard.deploy.glossary import words

TEMPLATES = Path(__file__).resolve().parent / "templates"

# A hashed name never changes its content; the page and its icon may.
_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"


@dataclass(frozen=True)
class Authenticator:
    """Where the page signs people in, in the terms of OpenID Connect.

    Attributes:
        sign_out: where to go to sign out; empty where the issuer has no such place.
    """

    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    scope: str
    sign_out: str


@dataclass(frozen=True)
class Site:
    """What the page needs to know about the stage that it belongs to."""

    websocket_url: str
    stage: str
    sign_in: Authenticator | None = None


def render(site: Site, manifest: dict[str, Any]) -> str:
    """Render the page's one HTML document."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("index.html").render(
        manifest=manifest,
        websocket_url=site.websocket_url,
        stage=site.stage,
        sign_in=asdict(site.sign_in) if site.sign_in else None,
        entry="sign-in.js" if site.sign_in else "main.js",
        words=words(signing_in=site.sign_in is not None),
    )


def publish(s3: Any, bucket: str, site: Site, static: Path) -> int:
    """Upload what was built into `static`/dist, and the page; return how many files changed.

    Safe at any time: a page that is open goes on with the assets that it has, which stay.

    Raises:
        CommandError: the page was not built.
    """
    manifest_file = manifest_path(static)
    if not manifest_file.exists():
        raise CommandError(f"{manifest_file} is missing: build the page first with `make setup`")
    manifest = json.loads(manifest_file.read_text())
    dist = manifest_file.parent

    changed = 0
    for path in sorted(dist.rglob("*")):
        key = path.relative_to(dist).as_posix()
        if not path.is_file() or path == manifest_file:
            continue
        immutable = key.startswith("assets/")
        if immutable and _exists(s3, bucket, key):
            continue
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=path.read_bytes(),
            ContentType=_content_type(key),
            CacheControl=_FOREVER if immutable else _ASK_FIRST,
        )
        changed += 1
    s3.put_object(
        Bucket=bucket,
        Key="index.html",
        Body=render(site, manifest).encode(),
        ContentType=_content_type("index.html"),
        CacheControl=_ASK_FIRST,
    )
    return changed + 1


def invalidate(cloudfront: Any, distribution: str) -> None:
    """Have CloudFront ask for the page anew; assets never change under their names."""
    cloudfront.create_invalidation(
        DistributionId=distribution,
        InvalidationBatch={
            "Paths": {"Quantity": 2, "Items": ["/", "/index.html"]},
            "CallerReference": str(time.time_ns()),
        },
    )


def _content_type(key: str) -> str:
    kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
    textual = kind.startswith("text/") or kind == "application/javascript"
    return f"{kind}; charset=utf-8" if textual else kind


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except botocore.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {403, 404}:
            return False
        raise
    return True
