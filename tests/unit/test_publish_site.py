"""Publish the page to a fake bucket that records the order of its objects."""

import json

import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import CommandError
from dashboard.deploy.publish_site import Site, publish, render

SITE = Site("ws://127.0.0.1:8270/_aws/execute-api/abc/local", "local")
MANIFEST = {
    "main.js": "assets/main-AB12.js",
    "preloads": {"main.js": ["assets/chunk-EF56.js"], "sign-in.js": ["assets/chunk-EF56.js"]},
    "style.css": "assets/style-CD34.css",
    "favicon.svg": "assets/favicon-0123.svg",
}

ASSETS = [
    MANIFEST["main.js"],
    MANIFEST["style.css"],
    MANIFEST["favicon.svg"],
    *MANIFEST["preloads"]["main.js"],
]


class Bucket:
    """Fake S3 client."""

    def __init__(self):
        self.objects = {}
        self.put = []

    def put_object(self, **given):
        self.objects[given["Key"]] = given
        self.put.append(given["Key"])

    def head_object(self, **asked):
        if asked["Key"] not in self.objects:
            raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 404}}, "HeadObject")


@pytest.fixture
def static(tmp_path):
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    for asset in ASSETS:
        (dist / asset).write_text(asset)
    (dist / "manifest.json").write_text(json.dumps(MANIFEST))
    return tmp_path


@pytest.fixture
def bucket():
    return Bucket()


def test_the_page_refers_to_the_hashed_assets_and_the_websocket():
    page = render(SITE, MANIFEST)

    assert f'<meta name="mailpulse-websocket" content="{SITE.websocket_url}">' in page
    assert 'src="assets/main-AB12.js"' in page
    assert 'href="assets/style-CD34.css"' in page


def test_values_inserted_into_the_page_are_escaped():
    page = render(Site('"><script>', "local"), MANIFEST)

    assert '"><script>' not in page


def test_the_page_is_uploaded_after_its_assets(bucket, static):
    changed = publish(bucket, "site", SITE, static)

    assert changed == 5
    assert bucket.put[-1] == "index.html"
    assert set(bucket.put[:-1]) == set(ASSETS)


def test_assets_are_cached_forever_and_the_page_is_revalidated(bucket, static):
    publish(bucket, "site", SITE, static)

    script = bucket.objects["assets/main-AB12.js"]
    page = bucket.objects["index.html"]
    assert "immutable" in script["CacheControl"]
    assert script["ContentType"] == "text/javascript; charset=utf-8"
    assert page["CacheControl"] == "no-cache"
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert bucket.objects["assets/favicon-0123.svg"]["ContentType"] == "image/svg+xml"


def test_existing_assets_are_not_uploaded_again(bucket, static):
    publish(bucket, "site", SITE, static)

    assert publish(bucket, "site", SITE, static) == 1


def test_a_page_that_was_not_built_is_an_error(bucket, tmp_path):
    with pytest.raises(CommandError, match=r"manifest\.json is missing: run `make setup`"):
        publish(bucket, "site", SITE, tmp_path)
