"""Settings are valid, or an error names the variable, its value and the remedy."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import app
from chalicelib.config import Config, Triggers
from chalicelib.errors import ConfigError
from chalicelib.functions import NAMES

ROOT = Path(__file__).parents[2]
REQUIRED = {
    "EVENTS_TABLE": "events",
    "STATS_TABLE": "stats",
    "SUBSCRIPTIONS_TABLE": "subscriptions",
    "QUEUE_URL": "https://sqs/events",
    "EVENTS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/events/stream/1",
    "DEAD_LETTER_QUEUE_URL": "https://sqs/dead",
    "PSEUDONYM_KEY": "key",
}


def test_optional_settings_have_defaults():
    config = Config.from_environ(REQUIRED)

    assert config.retention_days == 90
    assert config.messages_per_second == 5000
    assert not config.store_addresses


@pytest.mark.parametrize("name", REQUIRED)
def test_an_error_names_a_missing_setting(name):
    with pytest.raises(ConfigError, match=name):
        Config.from_environ({**REQUIRED, name: ""})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RETENTION_DAYS", "89", "90 or higher"),
        ("RETENTION_DAYS", "long", "integer"),
        ("STORE_ADDRESSES", "yes", "true or false"),
        ("CONNECTIONS_ENDPOINT", "https://{api}/", "{api_id}"),
        ("IDLE_SECONDS", "soon", "a number"),
        ("MESSAGES_PER_SECOND", "many", "integer"),
        ("MESSAGES_PER_SECOND", "99", "100 or higher"),
        ("MESSAGES_PER_SECOND", "-5000", "10,000 per second unless AWS has increased it"),
        ("GROUP_PREFIXES", "acme", "prefix lists by group"),
        ("GROUP_PREFIXES", '{"acme": "acme-"}', "prefix lists by group"),
        ("GROUP_PREFIXES", "[]", "prefix lists by group"),
    ],
)
def test_an_error_names_an_invalid_setting_and_its_value(name, value, says):
    with pytest.raises(ConfigError, match=says) as caught:
        Config.from_environ({**REQUIRED, name: value})

    assert name in str(caught.value)
    assert value in str(caught.value)


def test_a_group_sees_the_campaigns_with_its_prefixes():
    config = Config.from_environ(
        REQUIRED | {"GROUP_PREFIXES": '{"acme": ["a-", "b-"], "all": [""]}'}
    )

    assert config.group_prefixes == {"acme": ("a-", "b-"), "all": ("",)}
    assert Config.from_environ(REQUIRED).group_prefixes is None


@pytest.mark.parametrize(
    ("issuer", "is_secure"),
    [
        ("https://issuer.example.com", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://issuer.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
    ],
)
def test_an_issuer_must_use_https_except_on_loopback(issuer, is_secure):
    environ = REQUIRED | {"ISSUER": issuer, "CLIENT_ID": "c", "ALLOWED_ORIGINS": "https://o"}
    if is_secure:
        assert Config.from_environ(environ).issuer == issuer
        return
    with pytest.raises(ConfigError, match="ISSUER is"):
        Config.from_environ(environ)


def test_importing_the_app_needs_no_environment():
    environment = {"PATH": os.environ["PATH"]}

    subprocess.run([sys.executable, "-c", "import app"], cwd=ROOT, env=environment, check=True)


def test_unset_triggers_have_valid_placeholders():
    assert Triggers.from_environ({}).events_stream_arn.startswith("arn:aws:dynamodb:")


def test_the_app_only_binds_triggers_to_handlers():
    """Each function calls only its own module, which import-linter cannot check in app.py."""
    tree = ast.parse((ROOT / "app.py").read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "chalicelib"
        for alias in node.names
    }
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]

    assert imported == {"config", "functions"}
    assert {function.name for function in functions} == set(NAMES)
    for function in functions:
        importing, calling = function.body
        name = function.name
        assert ast.unparse(importing) == f"from chalicelib.functions import {name}"
        assert ast.unparse(calling.value).startswith(f"{name}.handler(")


def test_the_concurrency_of_ingest_is_limited_by_default_and_configurable():
    assert Triggers.from_environ({}).ingest_concurrency == 10
    assert Triggers.from_environ({"INGEST_CONCURRENCY": "50"}).ingest_concurrency == 50


@pytest.mark.parametrize("value", ["1", "0", "-2", "1001", "many"])
def test_a_concurrency_that_lambda_does_not_accept_is_refused(value):
    with pytest.raises(ConfigError, match=f"INGEST_CONCURRENCY is '?{value}"):
        Triggers.from_environ({"INGEST_CONCURRENCY": value})


def test_the_app_binds_ingest_with_its_maximum_concurrency():
    [ingest] = [one for one in app.app.event_sources if one.name == "ingest"]

    assert ingest.maximum_concurrency == 10
