"""Whether a resource policy allows a service access from exactly one source."""

import json

import pytest

from dashboard.checks.resource_policy import Caller, judge

OURS = "arn:aws:ses:us-east-1:123456789012:configuration-set/news"
CALLER = Caller(
    "ses.amazonaws.com",
    "sns:Publish",
    {"aws:sourceaccount": "123456789012", "aws:sourcearn": OURS},
)
BY_ACCOUNT = {"StringEquals": {"AWS:SourceAccount": "123456789012"}}


def statement(effect="Allow", **changes):
    service = {"Principal": {"Service": "ses.amazonaws.com"}, "Action": "sns:Publish"}
    return {"Effect": effect, "Condition": BY_ACCOUNT, **service, **changes}


def verdict(*statements):
    return judge(json.dumps({"Statement": list(statements)}), CALLER)


@pytest.mark.parametrize(
    "condition",
    [
        BY_ACCOUNT,
        {"StringEquals": {"aws:sourceaccount": ["999999999999", "123456789012"]}},
        {"ArnLike": {"AWS:SourceArn": "arn:aws:ses:*:123456789012:configuration-set/*"}},
        {"ArnEquals": {"AWS:SourceArn": OURS}, "Bool": {"aws:SecureTransport": "true"}},
    ],
)
def test_a_statement_for_the_service_and_source_allows(condition):
    assert verdict(statement(Condition=condition)) == "allowed"


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"AWS:SourceAccount": "999999999999"}},
        {"ArnLike": {"AWS:SourceArn": OURS + "letters"}},
        {**BY_ACCOUNT, "Bool": {"aws:SecureTransport": "false"}},
    ],
)
def test_a_statement_for_another_source_does_not_allow(condition):
    assert verdict(statement(Condition=condition)) == "refused"


@pytest.mark.parametrize(
    "others",
    [
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Action": "sns:Subscribe"},
    ],
)
def test_a_statement_for_other_principals_does_not_allow(others):
    assert verdict(statement(**others)) == "refused"


def test_a_missing_policy_allows_nothing():
    assert judge("", CALLER) == "refused"


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"Service": ["ses.amazonaws.com"]}])
def test_a_statement_without_a_source_condition_is_open(principal):
    assert verdict(statement(Principal=principal, Action=["SNS:*"], Condition={})) == "open"
    assert verdict(statement(), statement(Principal=principal, Condition={})) == "open"


def test_an_explicit_deny_overrides_an_allow():
    assert verdict(statement(), statement("Deny")) == "refused"
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    assert verdict(statement(), statement("Deny", Principal="*", Condition=insecure)) == "allowed"


@pytest.mark.parametrize(
    "odd",
    [
        statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        statement(Condition={"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}),
        {"Effect": "Deny", "NotPrincipal": {"Service": "ses.amazonaws.com"}, "Action": "*"},
        {"Effect": "Deny", "Principal": "*", "NotAction": "sns:Publish"},
    ],
)
def test_a_statement_that_is_not_evaluated_is_unclear(odd):
    allowed = [statement()] if odd["Effect"] == "Deny" else []

    assert verdict(*allowed, odd) == "unclear"
