"""`forget` erases a recipient, keeps all totals, and survives a replay."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from support import moto_account, ses
from support.readable import text_of
from support.world import START

from chalicelib.errors import AwsError, CommandError
from chalicelib.facts.fact import pseudonym
from chalicelib.facts.forgotten import PREFIX, Forgotten, spellings
from chalicelib.facts.suppressions import CACHE_SECONDS
from chalicelib.live.permissions import Connection
from dashboard.cli import cli
from dashboard.commands import forget
from dashboard.commands.recount import recount
from dashboard.forget import erasure
from dashboard.forget.erasure import WAIT_SECONDS, Erasure
from dashboard.functions import FUNCTIONS
from dashboard.progress import Reporter
from dashboard.recount import pausing

ADA, BOB = "ada@example.com", "bob@example.com"
SPRING = "stats/email-campaign/spring"
VIEWER = Connection("viewer-1", "api-1/api", connected_at=0)
OF_ADA = {"subject": "Ada, your offer"}
EVENTS = [
    ses.a_send("m-1", to=["Ada@Example.com"], **OF_ADA),
    ses.a_delivery("m-1", to=["Ada@Example.com"], **OF_ADA),
    ses.an_open("m-1", to=[ADA], **OF_ADA),
    ses.a_click("m-1", to=[ADA], **OF_ADA),
    ses.a_bounce("m-2", to=[ADA], feedback="f-1", **OF_ADA),
    ses.a_bounce("m-2", to=["ADA@example.com"], feedback="f-2", **OF_ADA),
    ses.a_send("m-3", to=[BOB], subject="Bob, your offer"),
    ses.an_open("m-3", to=[BOB], subject="Bob, your offer"),
]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(pausing, "_LOOK_EVERY_SECONDS", 0.01)


@pytest.fixture
def erase(pipeline, installation, mappings, monkeypatch):
    """Run the whole command, whose waiting takes no time."""

    def sleep(seconds):
        pipeline.now += seconds

    monkeypatch.setattr(erasure, "time", SimpleNamespace(sleep=sleep))

    def erase(address=ADA, **options):
        return Erasure(installation, spellings(address), Reporter(), **options).run()

    return erase


@pytest.fixture
def run(erase, installation, monkeypatch):
    """Run the command line."""
    monkeypatch.setattr(forget, "find", lambda *_: installation)

    def run(*arguments, **options):
        return CliRunner().invoke(cli, ["forget", *arguments], **options)

    return run


def counters(pipeline):
    return [(one.part, one.counts) for one in pipeline.parts.stats_table.aggregates("spring")]


def everything(pipeline):
    dynamodb = moto_account.client("dynamodb")
    for table in (pipeline.config.events_table, pipeline.config.stats_table):
        for item in dynamodb.scan(TableName=table)["Items"]:
            yield text_of(item)


@pytest.fixture(params=[True, False], ids=["addresses", "pseudonyms"])
def stored(request, pipeline):
    """Make ingest store addresses or pseudonyms."""
    pipeline.config = pipeline.parts.config = replace(
        pipeline.config, store_addresses=request.param
    )
    return pipeline


def test_a_forgotten_recipient_is_a_token_in_every_list(pipeline, installation, erase, stored):
    pipeline.run(*EVENTS)
    before = counters(pipeline)
    token = Forgotten(pipeline.config.pseudonym_key).token(ADA)

    outcome = erase()
    pipeline.aggregate()

    assert outcome.campaigns == ["spring"]
    assert counters(pipeline) == before
    [listed] = pipeline.ask(VIEWER, action="listRecipients", id=SPRING)
    assert token in {one["recipient"] for one in listed["results"]}
    [activity] = pipeline.ask(VIEWER, action="listActivity", id=SPRING)
    names = {one.get("recipient") for one in activity["results"]}
    assert token in names
    assert ADA not in names
    [history] = pipeline.ask(VIEWER, action="recipientHistory", id=SPRING, recipient=token)
    assert {one["type"] for one in history["results"]} >= {"Send", "Open", "Click"}
    assert not any(ADA in text or "ada, your offer" in text for text in everything(pipeline))


def test_a_replay_after_it_counts_nothing_and_restores_no_name(
    pipeline, installation, erase, stored
):
    pipeline.run(*EVENTS)
    before = counters(pipeline)
    erase()
    pipeline.aggregate()

    pipeline.run(*EVENTS)

    assert counters(pipeline) == before
    assert not any(ADA in text or "ada, your offer" in text for text in everything(pipeline))
    assert recount(installation, None, Reporter()).differences == []
    assert recount(installation, None, Reporter(), applies=True).restated == 0
    assert not any(ADA in text or "ada, your offer" in text for text in everything(pipeline))


def test_the_personal_subject_of_a_forgotten_recipient_is_no_longer_shown(pipeline, erase):
    pipeline.run(*EVENTS)
    assert pipeline.parts.stats_table.summary("spring").subject == "Ada, your offer"

    erase()

    assert pipeline.parts.stats_table.summary("spring").subject == "Bob, your offer"


def test_events_are_suppressed_at_once_by_new_processes(pipeline, installation, erase):
    erase()
    pipeline.run(*EVENTS)

    [listed] = pipeline.ask(VIEWER, action="listRecipients", id=SPRING)
    assert {one["recipient"].startswith(PREFIX) for one in listed["results"]} == {True, False}


def test_the_command_waits_longer_than_any_invocation_may_use_old_suppressions():
    longest = max(FUNCTIONS[name][0] for name in ("ingest", "aggregate"))

    assert CACHE_SECONDS + longest < WAIT_SECONDS


def test_a_repeated_command_waits_only_for_the_rest_of_the_time(pipeline, erase):
    erase()
    assert pipeline.now >= START + WAIT_SECONDS
    ended = pipeline.now

    assert erase().facts == 0
    assert pipeline.now == ended


def test_a_dry_run_counts_and_changes_nothing(pipeline, run):
    pipeline.run(*EVENTS)
    before = list(everything(pipeline))

    shown = run(ADA, "--dry-run", "--json")

    assert shown.exit_code == 0
    outcome = json.loads(shown.stdout)
    assert outcome["facts"] == 6
    assert outcome["campaigns"] == ["spring"]
    assert outcome["dry_run"]
    assert list(everything(pipeline)) == before


def test_dead_letters_that_name_the_recipient_are_deleted_and_others_kept(pipeline, erase):
    pipeline.ingest('{"to": "ADA@example.com"}', '{"to": "canada@example.com"}')

    assert erase().dead_letters == 1

    [left] = pipeline.queue_messages(pipeline.config.dead_letter_queue_url)
    assert "canada" in left["Body"]


def test_what_remains_in_backups_and_until_when_is_printed(pipeline, run):
    pipeline.run(*EVENTS)

    shown = run(ADA, "--yes")

    assert shown.exit_code == 0
    assert "point-in-time recovery until 2026-12-28" in shown.stdout
    assert ADA not in shown.output


def test_without_a_terminal_and_without_yes_nothing_is_changed(pipeline, run):
    pipeline.run(*EVENTS)

    shown = run(ADA)

    assert shown.exit_code == 1
    assert "nothing was changed" in shown.stderr
    assert any("ada, your offer" in text for text in everything(pipeline))


def test_an_address_may_be_read_from_standard_input(pipeline, run):
    pipeline.run(*EVENTS)

    shown = run("-", "--dry-run", "--json", input=f"{ADA}\n")

    assert json.loads(shown.stdout)["facts"] == 6


@pytest.mark.parametrize("address", ["ada", "ada@", "", "ada lovelace@x y"])
def test_what_is_no_address_is_refused_without_repeating_it(run, address):
    shown = run(address, "--yes")

    assert shown.exit_code == 2
    assert "no email address" in shown.stderr


def as_release_0_1_0_stored_it(pipeline):
    """Store a reject by the address as SES spelled it, unmasked, with a sender of its own."""
    table = moto_account.client("dynamodb")
    [fact] = [
        item
        for item in table.scan(TableName=pipeline.config.events_table)["Items"]
        if item.get("e") == {"S": "Reject"}
    ]
    sender = {"S": "bounces+ada=example.com@shop.example"}
    texts = {"r": {"S": "Ada@Example.com"}, "d": {"S": f"Bad content for {ADA}"}, "f": sender}
    table.put_item(
        TableName=pipeline.config.events_table,
        Item={**{name: value for name, value in fact.items() if name != "x"}, **texts},
    )
    link = {"S": f"https://shop.example/{ADA}/"}
    for part, name, text in (("summary", "sender", sender), ("link#0123456789abcdef", "url", link)):
        table.update_item(
            TableName=pipeline.config.stats_table,
            Key={"campaign": {"S": "spring"}, "part": {"S": part}},
            UpdateExpression="SET #name = :text",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":text": text},
        )


def test_what_release_0_1_0_stored_unmasked_is_masked(pipeline, erase):
    pipeline.run(ses.a_reject("m-1", to=[ADA]))
    as_release_0_1_0_stored_it(pipeline)
    pipeline.aggregate()
    before = counters(pipeline)

    outcome = erase()
    pipeline.aggregate()

    assert (outcome.facts, outcome.lists > 0) == (1, True)
    assert [counts for _, counts in counters(pipeline)] == [counts for _, counts in before]
    for text in everything(pipeline):
        assert ADA not in text
        assert "ada=example.com" not in text


def test_a_pseudonym_that_0_1_0_derived_from_another_spelling_is_forgotten(pipeline, erase):
    """Its facts have the pseudonym of the spelling; the keys of current ones have it, too."""
    key = pipeline.config.pseudonym_key
    pipeline.run(ses.a_delivery("m-1", to=["Ada@Example.com"]), ses.an_open("m-2", to=[BOB]))
    table = moto_account.client("dynamodb")
    [fact] = [
        item
        for item in table.scan(TableName=pipeline.config.events_table)["Items"]
        if item.get("e") == {"S": "Open"}
    ]
    earlier = {"S": pseudonym("Ada@Example.com", key)}
    table.put_item(TableName=pipeline.config.events_table, Item={**fact, "r": earlier})
    pipeline.aggregate()

    outcome = erase()

    names = [
        item.get("r", {}).get("S", PREFIX)
        for item in table.scan(TableName=pipeline.config.events_table)["Items"]
    ]
    assert all(name.startswith(PREFIX) for name in names)
    assert Forgotten(key).token(earlier["S"]) in outcome.tokens


def test_a_recount_in_progress_stops_the_command(pipeline, erase):
    pipeline.parts.stats_table.pipeline.pause("2026-11-23T11:00:00.000Z")

    with pytest.raises(CommandError, match="a recount has been running since 2026-11-23T11:00"):
        erase()


def test_ingest_stores_nothing_while_suppressions_cannot_be_read(pipeline, monkeypatch):
    def refuse():
        raise AwsError("Throttled", "query failed")

    monkeypatch.setattr(pipeline.parts.suppressions, "current", refuse)

    assert len(pipeline.ingest(EVENTS[0])) == 1
    dynamodb = moto_account.client("dynamodb")
    assert dynamodb.scan(TableName=pipeline.config.events_table)["Items"] == []
