"""Requests are signed as botocore signs them."""

from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.sigv4 import Credentials, Signer, payload_hash

KEYS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567+/=", min_size=1, max_size=60)
REGIONS = st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-2"])
SERVICES = st.sampled_from(["dynamodb", "sqs", "monitoring", "execute-api", "lambda"])
# Up to the year 2100.
TIMES = st.floats(min_value=0, max_value=4_102_444_800)
SEGMENTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda one: one not in {".", ".."}
)
PATHS = st.lists(SEGMENTS, max_size=4).map(
    lambda segments: "/" + "/".join(quote(one, safe="@") for one in segments)
)
NAMES = st.sampled_from(["content-type", "x-amz-target", "x-amz-invocation-type", "x-other"])
VALUES = st.text("abcdefgXYZ0189.-_/;=%", min_size=1, max_size=40)


@given(
    access=KEYS,
    secret=KEYS,
    token=st.none() | KEYS,
    region=REGIONS,
    service=SERVICES,
    now=TIMES,
    method=st.sampled_from(["POST", "DELETE", "GET"]),
    path=PATHS,
    headers=st.dictionaries(NAMES, VALUES),
    body=st.binary(max_size=200),
)
def test_a_signature_equals_that_of_botocore(
    access, secret, token, region, service, now, method, path, headers, body
):
    headers = {"host": "service.example.com", **headers}
    theirs = AWSRequest(method, f"https://service.example.com{path}", headers=headers, data=body)
    signs = botocore.auth.SigV4Auth(BotocoreCredentials(access, secret, token), service, region)
    at = datetime.fromtimestamp(now, UTC)
    with patch("botocore.auth.get_current_datetime", return_value=at):
        signs.add_auth(theirs)

    signer = Signer(Credentials(access, secret, token), region, service, now)
    signing = signer.prepared(headers)
    authorization = signing.authorization(method, path, payload_hash(body))

    ours = {**signing.headers, "authorization": authorization}
    assert ours == {name.lower(): value for name, value in theirs.headers.items()}


def test_a_secret_is_not_printed():
    credentials = Credentials("AKIA", "secret-key", "session-token")

    assert "secret-key" not in repr(credentials)
    assert "session-token" not in repr(credentials)
