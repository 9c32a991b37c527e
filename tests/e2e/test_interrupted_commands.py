"""A command that was killed at any of its calls can be run again with the same result.

`make soak` tests every moment (bench/interruptions.py); these tests, a sample of them.
"""

import pytest
from support import interruptions
from support.account import account
from support.interruptions import COMMANDS, Moment

LIVES = 3
"""Each life runs four commands, so these are twelve moments."""


@pytest.fixture(scope="module")
def own_account():
    with account() as own:
        yield own


@pytest.fixture(scope="module")
def expected(own_account):
    return interruptions.undisturbed(own_account)


def sample(expected, command, life):
    """Return the middle moment of the life-th slice of a command's moments."""
    moments = expected.moments[command]
    return moments[(2 * life + 1) * len(moments) // (2 * LIVES)]


@pytest.mark.parametrize("life", range(LIVES))
def test_a_killed_command_that_is_rerun_ends_like_an_uninterrupted_one(own_account, expected, life):
    moments = [sample(expected, command, life) for command in COMMANDS]

    interruptions.live(own_account, expected, *moments)


def test_a_command_killed_while_creating_a_mapping_does_not_create_it_twice(own_account, expected):
    creation = expected.changes["deploy"].index("lambda:CreateEventSourceMapping")

    interruptions.live(own_account, expected, Moment("deploy", creation, done=True))


def test_an_api_that_was_created_without_a_stage_is_replaced(own_account, expected):
    creation = expected.changes["deploy"].index("apigatewayv2:CreateStage")

    interruptions.live(own_account, expected, Moment("deploy", creation, done=False))


def test_each_command_is_killed_before_and_after_its_changes(expected):
    for command in COMMANDS:
        changes = range(len(expected.changes[command]))
        states = {moment.call + moment.done for moment in expected.moments[command]}
        assert states == {*changes, len(changes)}, command
