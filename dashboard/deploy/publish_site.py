"""Publish the page: hashed assets first, then the HTML document that refers to them."""

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
from dashboard.deploy.glossary import texts

TEMPLATES = Path(__file__).resolve().parent / "templates"

# Content under a hashed name never changes; the page and its icon may change.
_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"


@dataclass(frozen=True)
class Authenticator:
    """The OpenID Connect endpoints with which the page signs viewers in.

    Attributes:
        sign_out: URL for signing out; empty if the issuer has none.
    """

    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    scope: str
    sign_out: str


@dataclass(frozen=True)
class Site:
    """The stage's values that are rendered into the page."""

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
        texts=texts(signing_in=site.sign_in is not None),
    )


def publish(s3: Any, bucket: str, site: Site, static: Path) -> int:
    """Upload `static`/dist and the page, and return the number of files uploaded.

    Safe at any time: an open page keeps working with its current assets, which are never deleted.

    Raises:
        CommandError: the page has not been built.
    """
    manifest_file = manifest_path(static)
    if not manifest_file.exists():
        raise CommandError(f"{manifest_file} is missing: run `make setup` to build the page")
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
    """Invalidate CloudFront's copies of the page; assets have hashed names and never change."""
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
