"""Prove that the tests catch faults: seed one fault at a time, and run the tests that must fail.

    python bench/seeded_faults.py                  # all faults, some minutes
    python bench/seeded_faults.py 3 7-9 checkpoint # by number, or by a text of the description
    python bench/seeded_faults.py --write          # update the table in docs/reliability.md

Each fault replaces one fragment of the product's code, in a copy of the tracked files in a
temporary folder. The exit status is 1 if a fault survived: its tests passed, or failed for another
reason than a failed test, such as an import error. Unless all of these tests pass without a fault,
nothing is seeded.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- the table: written by bench/seeded_faults.py -->", "<!-- end of the table -->"

# Installed packages, which are not tracked.
_PACKAGES = ("static/node_modules", "tests/dynalite/node_modules")
_TEST_SECONDS = 120
_SECONDS = 600
_PROFILE = """\
from hypothesis import Phase, settings
settings.register_profile(
    "seeded", deadline=None, max_examples=30, derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # without the search for a simpler example
)
"""

_FAILED = re.compile(r"^FAILED (tests/[\w/]+\.py(?:::\w+)+)", re.MULTILINE)
# A test file that cannot be loaded is reported with its path as the name.
_FAILED_IN_NODE = re.compile(r"^ *not ok \d+ - (?!.*\.test\.js$)(.+?)$", re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        description: what the product does wrong with it.
        file: the file that has it.
        original: a fragment that the file contains exactly once.
        replacement: what replaces the fragment.
        tests: files or node IDs; one of their tests must fail.
    """

    description: str
    file: str
    original: str
    replacement: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """The first test that failed; None, and the reason, if the fault survived."""

    caught_by: str | None
    reason: str
    seconds: float


_DELIVERABILITY = "tests/unit/test_deliverability.py"

FAULTS = (
    Fault(
        "counters are added without comparing the checkpoint",
        "chalicelib/stats/update.py",
        'update.require_absent_or(attribute, "<", {',
        'update.require_absent_or(attribute, "<>", {',
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "a checkpoint is the first record of a batch, not the last",
        "chalicelib/stats/update.py",
        "max([change.records[-1] for change",
        "min([change.records[0] for change",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "the record of the checkpoint is counted again",
        "chalicelib/stats/update.py",
        "if _sequence(record) > sequence]",
        "if _sequence(record) >= sequence]",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "records are compared with the checkpoint only if they precede it",
        "chalicelib/stats/update.py",
        "if _first_sequence(self.changes) > counted_up_to:",
        "if _first_sequence(self.changes) >= counted_up_to:",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "a closed shard's checkpoint is removed while its records can be redelivered",
        "chalicelib/stats/update.py",
        "if age > CHECKPOINT_SECONDS or (",
        "if age > 0 or (",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "an outdated checkpoint is removed although it has changed",
        "chalicelib/stats/update.py",
        'self.require(name, "=", value)',
        'self.require(name, "<>", {"B": b""})',
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "a minute is deleted while its records can be redelivered",
        "chalicelib/stats/update.py",
        "str(int(until) + CHECKPOINT_SECONDS)",
        "str(int(until))",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "the condition of a first or last value has the wrong direction",
        "chalicelib/stats/update.py",
        '">" if value.keep_lowest else "<"',
        '"<" if value.keep_lowest else ">"',
        ("tests/integration/test_pipeline.py",),
    ),
    Fault(
        "a batch keeps the wrong one of two first or last values",
        "chalicelib/stats/update.py",
        "return self.rank < other if self.keep_lowest else self.rank > other",
        "return self.rank > other if self.keep_lowest else self.rank < other",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "which of two simultaneous emails gives the sender depends on their order",
        "chalicelib/stats/first_and_last.py",
        "(fact.mail_at, fact.message_id, fact.sender) < self.sender:",
        "(fact.mail_at, fact.message_id) < self.sender[:2]:",
        ("tests/unit/test_contributions.py",),
    ),
    Fault(
        "a reclassification adds what it should subtract",
        "chalicelib/stats/contributions.py",
        "sums[key][counter] -= amount",
        "sums[key][counter] += amount",
        (
            "tests/integration/test_pipeline.py::test_the_third_click_of_a_burst_reclassifies_all_its_clicks_as_bot",
        ),
    ),
    Fault(
        "the old image of a record is ignored",
        "chalicelib/stats/grouping.py",
        "old = None if image is None else forgotten.stored(from_item(image))",
        "old = None",
        (
            "tests/integration/test_pipeline.py::test_the_third_click_of_a_burst_reclassifies_all_its_clicks_as_bot",
        ),
    ),
    Fault(
        "the deletion of an expired fact is not skipped",
        "chalicelib/stats/grouping.py",
        '== "REMOVE"',
        '== "DELETE"',
        (
            "tests/integration/test_pipeline.py::test_deleting_expired_facts_changes_no_totals",
            "tests/laws/test_retention.py::test_expired_facts_change_no_totals",
        ),
    ),
    Fault(
        "late events alone rebuild an expired minute",
        "chalicelib/stats/grouping.py",
        "change if latest < until else change.before(until)",
        "change",
        ("tests/laws/test_minutes.py",),
    ),
    Fault(
        "an expired minute counts records of its last second twice",
        "chalicelib/stats/update.py",
        'if one["ApproximateCreationDateTime"] < end]',
        'if one["ApproximateCreationDateTime"] <= end]',
        (
            "tests/laws/test_grouping.py::test_a_group_written_while_its_minute_expires_counts_in_part",
        ),
    ),
    Fault(
        "a summary is written before its parts",
        "chalicelib/stats/grouping.py",
        "(entry[0][1] == SUMMARY, entry[0])",
        "(entry[0][1] != SUMMARY, entry[0])",
        ("tests/unit/test_contributions.py",),
    ),
    Fault(
        "of more links than are ranked, the first by ID lead",
        "chalicelib/stats/table.py",
        "leaders = nsmallest(MAX_LINKS, links, key=rank)",
        "leaders = links[:MAX_LINKS]",
        (
            "tests/laws/test_poison.py::test_the_most_clicked_of_many_links_lead_however_late_they_come",
        ),
    ),
    Fault(
        "the read position of a shard may move back",
        "chalicelib/stats/positions.py",
        "attribute_not_exists(#read) OR (#read < :read",
        "attribute_not_exists(#read) OR (#read <> :read",
        ("tests/unit/test_conditional_writes.py",),
    ),
    Fault(
        "a recreated counter counts redelivered records again",
        "chalicelib/stats/update.py",
        'update.set(attribute, {"B": checkpoint_bytes(int(sequence), now)})',
        "pass",
        (
            "tests/integration/test_recount.py::test_a_recreated_counter_item_does_not_count_redelivered_records",
        ),
    ),
    Fault(
        "the read position is the first record of a batch",
        "chalicelib/functions/aggregate.py",
        'last = records[-1]["dynamodb"]',
        'last = records[0]["dynamodb"]',
        ("tests/integration/test_watch.py::test_uncounted_facts_are_a_lag_until_they_are_counted",),
    ),
    Fault(
        "a batch without a shard ID is counted",
        "chalicelib/functions/aggregate.py",
        "if not shard:",
        'if shard == "":',
        ("tests/integration/test_pipeline.py::test_a_batch_without_a_shard_id_is_refused",),
    ),
    Fault(
        "a duplicate overwrites a settled class",
        "chalicelib/facts/table.py",
        '"attribute_not_exists(message_id)",  #',
        '"attribute_not_exists(nothing)",  #',
        ("tests/unit/test_conditional_writes.py",),
    ),
    Fault(
        "a class overwrites one that was not read",
        "chalicelib/facts/table.py",
        '"z = :over" if over else',
        '"z >= :over" if over else',
        ("tests/unit/test_conditional_writes.py",),
    ),
    Fault(
        "a reclassification recreates an expired fact",
        "chalicelib/facts/table.py",
        '"z = :over" if over else "attribute_exists(message_id) AND attribute_not_exists(z)"',
        '"z = :over" if over else "attribute_not_exists(z)"',
        ("tests/unit/test_conditional_writes.py",),
    ),
    Fault(
        "a state overwrites one that was not read",
        "chalicelib/facts/table.py",
        '"attribute_not_exists(message_id)" if over is None else "z = :over"',
        '"attribute_not_exists(message_id)" if over is None else "z >= :over"',
        ("tests/unit/test_conditional_writes.py",),
    ),
    Fault(
        "a result has the rank of the one that it replaces",
        "chalicelib/facts/settle.py",
        "return max(read + 1, RULES_VERSION * _RULES_FACTOR)",
        "return max(read, RULES_VERSION * _RULES_FACTOR)",
        ("tests/unit/test_settle.py",),
    ),
    Fault(
        "a class as first stored has no rank",
        "chalicelib/facts/settle.py",
        "return _judged(fact, judge([fact]).verdicts)",
        "return replace(_judged(fact, judge([fact]).verdicts), settled=0)",
        ("tests/laws/test_releases.py",),
    ),
    Fault(
        "older rules settle an email that newer rules have classified",
        "chalicelib/facts/settle.py",
        "if newest > RULES_VERSION:",
        "if newest > RULES_VERSION + 1:",
        ("tests/unit/test_settle.py",),
    ),
    Fault(
        "an Unlikely of SES lifts what the user agent shows",
        "chalicelib/facts/classify.py",
        "kind = agent_kind(fact)",
        'kind = "browser" if fact.is_bot == "Unlikely" else agent_kind(fact)',
        ("tests/unit/test_classify.py",),
    ),
    Fault(
        "names that end in Bot are no bots",
        "chalicelib/facts/bot_names.py",
        "ENDS_IN_BOT.search(agent) or ",
        "",
        ("tests/unit/test_bot_names.py",),
    ),
    Fault(
        "CUBOT's telephones are bots",
        "chalicelib/facts/bot_names.py",
        "(?<!cu)bot",
        "bot",
        ("tests/unit/test_bot_names.py",),
    ),
    Fault(
        "the list of bots is not used",
        "chalicelib/facts/bot_names.py",
        "or _listed().search(agent)",
        "",
        ("tests/unit/test_bot_names.py",),
    ),
    Fault(
        "a person's double click is a burst",
        "chalicelib/facts/rules.py",
        "lambda hit: hit.link):\n            if hit.after - other",
        "lambda hit: hit.key):\n            if hit.after - other",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "clicks by several recipients are a burst",
        "chalicelib/facts/rules.py",
        'for group in _grouped(clicks, lambda hit: "" if hit.alone else hit.agent):',
        'for group in _grouped(clicks, lambda hit: ""):',
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "the last clicks of a burst are not compared with later ones",
        "chalicelib/facts/rules.py",
        "if other.after - hit.after <= BURST:",
        "if False:",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "two links are a sweep",
        "chalicelib/facts/rules.py",
        "SWEEP_LINKS = 3",
        "SWEEP_LINKS = 2",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a sweep includes what was clicked after an open",
        "chalicelib/facts/rules.py",
        "_swept([hit for hit in clicks if hit.key in unread])",
        "_swept(clicks)",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "agents of several recipients are one sweep",
        "chalicelib/facts/rules.py",
        'for group in _grouped(unread, lambda hit: "" if hit.alone else hit.agent):',
        'for group in _grouped(unread, lambda hit: ""):',
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "an early click is a person's if nothing was opened before",
        "chalicelib/facts/rules.py",
        "(EARLY if unread else TOO_EARLY)",
        "TOO_EARLY",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "an early click is a bot's although a person opened before",
        "chalicelib/facts/rules.py",
        "(EARLY if unread else TOO_EARLY)",
        "EARLY",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a click dated before the email was sent is early",
        "chalicelib/facts/rules.py",
        "return _AT_ONCE <= click.after <=",
        "return click.after <=",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "Apple's preload protects the clicks after it",
        "chalicelib/facts/rules.py",
        "next(filter(is_protecting, opens), None)",
        "next(filter(is_of_a_mailbox, opens), None)",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "an open that SES calls a bot's protects the clicks after it",
        "chalicelib/facts/rules.py",
        'opened.kind in _PROTECTING_KINDS and opened.by_itself.engager == "human"',
        "opened.kind in _PROTECTING_KINDS",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "an open protects the clicks before it",
        "chalicelib/facts/rules.py",
        "protecting is None or hit < protecting",
        "protecting is None",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "an outdated browser is a bot although a person opened before",
        "chalicelib/facts/rules.py",
        "hit.key in unread and is_outdated(hit.agent)",
        "is_outdated(hit.agent)",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a telephone with an old browser is a bot",
        "chalicelib/facts/rules.py",
        ' and "Mobile" not in agent',
        "",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a click before the open by its browser follows it",
        "chalicelib/facts/rules.py",
        "hit.after - RENDERED, hit.after)",
        "hit.after - RENDERED, hit.after + RENDERED)",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a click of another browser than the open's follows it",
        "chalicelib/facts/rules.py",
        "opened.get(hit.agent, ())",
        "sorted(sum(map(list, opened.values()), []))",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a person's click after a bot's is an echo",
        "chalicelib/facts/rules.py",
        'if hit.alone and verdicts[hit.key].engager != "machine"',
        "if hit.alone",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "clicks of several recipients on one link are echoes",
        "chalicelib/facts/rules.py",
        'if hit.alone and verdicts[hit.key].engager != "machine"',
        'if verdicts[hit.key].engager != "machine"',
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a click that is checked first is an echo",
        "chalicelib/facts/rules.py",
        "if CHECK < hit.after - other.after <= ECHO:",
        "if hit.after - other.after <= ECHO:",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "the opens beside an echo are a bot's",
        "chalicelib/facts/rules.py",
        'verdict.reason not in ("check_at_click", "echo")',
        'verdict.reason not in ("check_at_click",)',
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a mailbox proxy's open beside a bot's clicks is the bot's",
        "chalicelib/facts/rules.py",
        'if hit.by_itself.engager == "machine" or is_protecting(hit):',
        'if hit.by_itself.engager == "machine":',
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "the open of a clicking bot is a person's",
        "chalicelib/facts/rules.py",
        "if beside or _has_any(",
        "if False and _has_any(",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "after a change, an email is not read again",
        "chalicelib/functions/ingest.py",
        "        if is_confirmed:\n            return changes",
        "        return changes",
        ("tests/laws/test_classes.py",),
    ),
    Fault(
        "two clicks in the same millisecond on different links are one fact",
        "chalicelib/facts/fact.py",
        'key += f"#{short_hash(event.link)}"',
        'key += "#"',
        ("tests/unit/test_facts.py",),
    ),
    Fault(
        "addresses are stored although pseudonyms are configured",
        "chalicelib/facts/fact.py",
        "shown = address if settings.store_addresses or address is None else",
        "shown = address if True else",
        ("tests/unit/test_facts.py",),
    ),
    Fault(
        "items that BatchWriteItem did not process are forgotten",
        "chalicelib/facts/table.py",
        'response.get("UnprocessedItems", {}).get(self._name, [])',
        "[]",
        ("tests/laws/test_time_limit.py::test_exactly_the_unstored_facts_are_reported",),
    ),
    Fault(
        "a prefetch exactly three seconds after the send is taken for a person",
        "chalicelib/facts/classify.py",
        "timedelta(0) <= time_after_sending(fact) <= PREFETCH",
        "timedelta(0) <= time_after_sending(fact) < PREFETCH",
        ("tests/unit/test_classify.py",),
    ),
    Fault(
        "no failed message is reported to SQS",
        "chalicelib/functions/ingest.py",
        '[{"itemIdentifier": one} for one in sorted(failed)]',
        "[]",
        (
            "tests/integration/test_pipeline.py::test_events_that_cannot_be_stored_return_to_the_queue",
        ),
    ),
    Fault(
        "a mapping that reports no failures loses failed messages",
        "chalicelib/functions/ingest.py",
        "if failed and not self.config.reports_batch_item_failures:",
        "if False:",
        ("tests/laws/test_not_stored.py",),
    ),
    Fault(
        "failed messages stay hidden for the queue's visibility timeout",
        "chalicelib/functions/ingest.py",
        'self._retry_soon([one for one in records if one["messageId"] in failed])',
        "self._retry_soon([])",
        ("tests/laws/test_time_limit.py::test_reported_messages_are_visible_again_within_seconds",),
    ),
    Fault(
        "ingest does not stop before its timeout",
        "chalicelib/functions/ingest.py",
        "self.limit.until = ends - _STORING_MARGIN_SECONDS",
        "self.limit.until = math.inf",
        (
            "tests/laws/test_time_limit.py::test_a_batch_that_cannot_be_stored_ends_in_time_and_is_reported",
        ),
    ),
    Fault(
        "an invalid message is dropped without a dead letter",
        "chalicelib/functions/ingest.py",
        'self.queues.set_aside(record["body"], error.reason, str(error))',
        "pass",
        (
            "tests/integration/test_pipeline.py::test_only_an_invalid_message_goes_to_the_dead_letter_queue_with_its_reason",
        ),
    ),
    Fault(
        "an event may be dated ten days ahead",
        "chalicelib/functions/ingest.py",
        "timedelta(days=1)",
        "timedelta(days=10)",
        ("tests/unit/test_clock_skew.py",),
    ),
    Fault(
        "an invalid message is lost if the dead-letter queue fails",
        "chalicelib/functions/ingest.py",
        "            return False\n        return True\n\n    def _store(",
        "            return True\n        return True\n\n    def _store(",
        (
            "tests/integration/test_pipeline.py::test_only_a_message_that_cannot_be_dead_lettered_returns_to_the_queue",
        ),
    ),
    Fault(
        "an invalid message is quoted in the log",
        "chalicelib/ses/parse.py",
        'f"not JSON ({error}): {shape(text)}"',
        'f"not JSON ({error}): {text[:200]}"',
        ("tests/unit/test_events.py",),
    ),
    Fault(
        "the offset of a time is ignored",
        "chalicelib/ses/times.py",
        "moment = moment.astimezone(UTC)",
        "moment = moment.replace(tzinfo=UTC)",
        ("tests/unit/test_events.py",),
    ),
    Fault(
        "events from EventBridge are not unwrapped",
        "chalicelib/ses/parse.py",
        '"source": "aws.ses", "detail": dict(detail)',
        '"source": "aws.ses", "details": dict(detail)',
        ("tests/unit/test_events.py",),
    ),
    Fault(
        "the time of the email may be in the future",
        "chalicelib/ses/parse.py",
        "for at in (event.at, event.mail_at):",
        "for at in (event.at,):",
        ("tests/unit/test_events.py",),
    ),
    Fault(
        "an address that is repeated counts twice",
        "chalicelib/ses/parse.py",
        "recipients=tuple(dict.fromkeys(recipients))",
        "recipients=recipients",
        ("tests/unit/test_events.py",),
    ),
    Fault(
        "an untagged event does not belong to its configuration set",
        "chalicelib/ses/parse.py",
        "campaign or _tag(tags, CONFIGURATION_SET_TAG) or UNTAGGED",
        "campaign or UNTAGGED",
        ("tests/unit/test_events.py",),
    ),
    Fault(
        "pushes reach subscriptions without permission",
        "chalicelib/live/push.py",
        "if access.can_subscribe(topic):",
        "if topic:",
        ("tests/unit/test_push_access.py",),
    ),
    Fault(
        "a push of the list has campaigns that its viewer may not see",
        "chalicelib/live/push.py",
        "messages.seen(changes, access)",
        "changes",
        ("tests/unit/test_push_access.py",),
    ),
    Fault(
        "a send slot is reserved although it begins too late",
        "chalicelib/live/rate_limit.py",
        '"free_at >= :now AND free_at <= :latest"',
        '"free_at >= :now AND free_at <> :latest"',
        ("tests/integration/test_rate_limit.py",),
    ),
    Fault(
        "frames leave no room for the members around a list",
        "chalicelib/live/frames.py",
        'around = _size({**message, name: {}, **more}) - len("{}")',
        "around = 0",
        ("tests/unit/test_frames.py",),
    ),
    Fault(
        "a batch has a thousand viewers",
        "chalicelib/live/batches.py",
        "MOST_VIEWERS = 500",
        "MOST_VIEWERS = 1000",
        ("tests/unit/test_batches.py",),
    ),
    Fault(
        "a missed push is not recorded",
        "chalicelib/live/delivery.py",
        "self._subscriptions.mark_behind(connection.id, topic)",
        "pass",
        (
            "tests/integration/test_websocket.py::test_a_missed_push_is_caught_up_once_by_the_next_ping",
        ),
    ),
    Fault(
        "the batch does not fail if a missed push cannot be recorded",
        "chalicelib/live/delivery.py",
        "raise self._unnoted[0]",
        "return",
        (
            "tests/integration/test_large_topics.py::test_a_batch_that_cannot_record_missed_pushes_fails_and_is_retried",
        ),
    ),
    Fault(
        "frames are sent after the deadline",
        "chalicelib/live/fan_out.py",
        "while waiting and self._clock() < until:",
        "while waiting:",
        (
            "tests/integration/test_connection_pool.py::TestFanOut::test_no_frame_is_sent_after_the_deadline",
        ),
    ),
    Fault(
        "rows that DynamoDB has not deleted yet count as connections",
        "chalicelib/live/subscriptions.py",
        'FilterExpression="expires > :now"',
        'FilterExpression="expires > :now OR expires <= :now"',
        ("tests/unit/test_expired_rows.py",),
    ),
    Fault(
        "an expired subscription is served",
        "chalicelib/live/subscriptions.py",
        'return int(row["expires"]["N"]) > self._clock()',
        "return bool(row)",
        ("tests/unit/test_expired_rows.py",),
    ),
    Fault(
        "a token is valid in the second of its expiry",
        "chalicelib/live/permissions.py",
        "self.until <= now",
        "self.until < now",
        ("tests/unit/test_push_access.py",),
    ),
    Fault(
        "two publishers reserve the same send slot",
        "chalicelib/live/rate_limit.py",
        "attribute_not_exists(free_at) OR free_at < :now OR free_at > :nonsense",
        "attribute_not_exists(free_at) OR free_at <> :now OR free_at > :nonsense",
        ("tests/integration/test_rate_limit.py",),
    ),
    Fault(
        "the answer to a ping has topics without permission",
        "chalicelib/functions/message.py",
        "if connection.access.can_subscribe(topic):  #",
        "if topic:  #",
        ("tests/unit/test_push_access.py",),
    ),
    Fault(
        "a token for another client is accepted",
        "chalicelib/auth/tokens.py",
        "if self._client_id not in audiences:",
        "if not audiences:",
        ("tests/integration/test_sign_in.py",),
    ),
    Fault(
        "an expired token is accepted",
        "chalicelib/auth/tokens.py",
        '"verify_aud": False,',
        '"verify_aud": False, "verify_exp": False,',
        ("tests/integration/test_sign_in.py",),
    ),
    Fault(
        "the signature of a share link is not verified",
        "chalicelib/auth/share_tokens.py",
        '"verify_exp": False}',
        '"verify_exp": False, "verify_signature": False}',
        ("tests/unit/test_share_tokens.py",),
    ),
    Fault(
        "a share link has no limit of viewers",
        "chalicelib/auth/authenticator.py",
        "not self.subscriptions.has_room(access.subject)",
        "not access.subject",
        ("tests/integration/test_access.py::test_a_share_link_has_a_limited_number_of_viewers",),
    ),
    Fault(
        "a page of any origin may connect",
        "chalicelib/auth/authenticator.py",
        "origin not in self.config.allowed_origins:",
        "not self.config.allowed_origins:",
        (
            "tests/integration/test_sign_in.py::test_another_origin_is_refused_with_403_even_when_signed_in",
        ),
    ),
    Fault(
        "a token of another issuer is accepted",
        "chalicelib/auth/tokens.py",
        "issuer=self._issuer,",
        "issuer=None,",
        ("tests/integration/test_sign_in.py",),
    ),
    Fault(
        "a revoked share link opens connections",
        "chalicelib/auth/authenticator.py",
        "not self.shares.holds(access)",
        "not access.subject",
        (
            "tests/integration/test_access.py::test_a_signed_share_link_that_was_never_created_is_refused",
        ),
    ),
    Fault(
        "an expired share link is accepted",
        "chalicelib/auth/share_tokens.py",
        "if access.has_ended(self._clock()):",
        "if access.has_ended(0):",
        ("tests/unit/test_share_tokens.py",),
    ),
    Fault(
        "a forged cursor is answered with an internal error",
        "chalicelib/paging.py",
        "except (ValueError, RecursionError, AttributeError) as error:",
        "except RecursionError as error:",
        ("tests/integration/test_websocket.py::test_a_forged_cursor_is_refused",),
    ),
    Fault(
        "an interim response is taken for the final one",
        "chalicelib/aws/http11.py",
        "if status >= 200:",
        "if status >= 100:",
        ("tests/unit/test_http11.py",),
    ),
    Fault(
        "a response's body has no limit",
        "chalicelib/aws/http11.py",
        "if self._body_bytes > self._max_body:",
        "if self._body_bytes < 0:",
        ("tests/unit/test_http11.py",),
    ),
    Fault(
        "a response's headers have no limit",
        "chalicelib/aws/http11.py",
        "if self._received - 2 * self._body_bytes > MAX_HEADER_BYTES:",
        "if self._received < 0:",
        ("tests/unit/test_http11.py",),
    ),
    Fault(
        "bytes after a response are ignored",
        "chalicelib/aws/http11.py",
        "if self._response is not None:",
        "if self._response == 0:",
        ("tests/unit/test_http11.py",),
    ),
    Fault(
        "an address that refuses connections is kept",
        "chalicelib/aws/connector.py",
        "self.drop(address)",
        "pass",
        ("tests/integration/test_connector.py",),
    ),
    Fault(
        "a server error is not retried",
        "chalicelib/aws/client.py",
        "if response.status >= 500 or response.status == 429 or",
        "if response.status == 429 or",
        (
            "tests/integration/test_connection_pool.py::TestCalls::test_transient_errors_are_retried",
        ),
    ),
    Fault(
        "the path of a signature is encoded once only",
        "chalicelib/aws/sigv4.py",
        "return path.translate(_ENCODED_AGAIN)",
        "return path",
        ("tests/unit/test_sigv4.py",),
    ),
    Fault(
        "a redirect is a success",
        "chalicelib/aws/http11.py",
        "return 200 <= status < 300",
        "return 200 <= status < 400",
        ("tests/unit/test_http11.py",),
    ),
    Fault(
        "each check reads shards that were read to their ends",
        "chalicelib/aws/stream_lag.py",
        'if shard["ShardId"] not in done',
        'if shard["ShardId"]',
        ("tests/unit/test_stream_lag.py",),
    ),
    Fault(
        "ingest has no maximum concurrency",
        "app.py",
        "    maximum_concurrency=triggers.ingest_concurrency,\n",
        "",
        (
            "tests/integration/test_package.py::test_event_sources_keep_their_options_in_the_sam_output",
        ),
    ),
    Fault(
        "a concurrent change of ingest's environment is overwritten",
        "dashboard/deploy/event_sources.py",
        'RevisionId=configuration["RevisionId"],',
        "",
        ("tests/integration/test_event_sources.py",),
    ),
    Fault(
        "a stream that a new role cannot read yet fails the deployment",
        "dashboard/deploy/chalice_project.py",
        '"ensure the role can|',
        '"',
        ("tests/unit/test_chalice_project.py::test_a_role_that_takes_effect_late_is_retried",),
    ),
    Fault(
        "a change set that failed shows no changes",
        "dashboard/deploy/stack.py",
        'if change_set["Status"] != "FAILED" or any(',
        'if change_set["Status"] or any(',
        ("tests/unit/test_stack.py",),
    ),
    Fault(
        "the logs of functions never expire",
        "dashboard/deploy/function_logs.py",
        "if retention.get(name) is None:",
        "if retention.get(name) == 0:",
        ("tests/unit/test_function_logs.py",),
    ),
    Fault(
        "the configuration of another issuer is accepted",
        "dashboard/deploy/oidc.py",
        'if found.get("issuer") != issuer:',
        'if "issuer" not in found:',
        ("tests/unit/test_oidc.py",),
    ),
    Fault(
        "an option that a mapping ignores is not noticed",
        "dashboard/deploy/event_sources.py",
        "if mapping.get(option) != value:",
        "if mapping.get(option) is mapping:",
        ("tests/unit/test_chalice_project.py::test_a_mapping_that_ignores_an_option_is_an_error",),
    ),
    Fault(
        "a function is changed while Lambda updates it",
        "dashboard/deploy/chalice_record.py",
        ' or found.get("LastUpdateStatus") == "InProgress"',
        "",
        ("tests/integration/test_event_sources.py",),
    ),
    Fault(
        "settings may exceed Lambda's limit",
        "dashboard/deploy/settings.py",
        "> _MOST_BYTES:",
        "> 10 * _MOST_BYTES:",
        ("tests/unit/test_deploy_options.py",),
    ),
    Fault(
        "values in the page are not escaped",
        "dashboard/deploy/publish_site.py",
        "autoescape=True",
        "autoescape=False",
        ("tests/unit/test_publish_site.py",),
    ),
    Fault(
        "a resumed replay begins with a record that was sent",
        "dashboard/commands/replay.py",
        "if record.number > done",
        "if record.number >= done",
        ("tests/integration/test_replay.py::test_an_interrupted_replay_resumes_where_it_stopped",),
    ),
    Fault(
        "recount compares counters that events have changed meanwhile",
        "dashboard/commands/recount.py",
        "_require_unchanged(installation, one, look, now)",
        "pass",
        (
            "tests/integration/test_recount.py::test_an_event_that_is_counted_meanwhile_stops_the_recount",
        ),
    ),
    Fault(
        "recount continues after ingest was enabled",
        "dashboard/recount/pausing.py",
        ' or Ingest(self.installation).states() != {"Disabled"}',
        "",
        ("tests/integration/test_recount.py::test_a_recount_stops_if_ingest_is_enabled_meanwhile",),
    ),
    Fault(
        "the emulator accepts WebSockets of any page",
        "dashboard/local/emulator/edge.py",
        "or not trusted.issuperset(origins)",
        "",
        ("tests/unit/test_emulator_edge.py",),
    ),
    Fault(
        "the emulator takes actions from a URL",
        "dashboard/local/emulator/edge.py",
        'if any(name == "Action"',
        'if any(name == "None"',
        ("tests/unit/test_emulator_edge.py",),
    ),
    Fault(
        "the emulator trusts pages of other ports of this machine",
        "dashboard/local/emulator/edge.py",
        '{"same-origin", "none"}',
        '{"same-origin", "same-site", "none"}',
        ("tests/unit/test_emulator_edge.py",),
    ),
    Fault(
        "a changed state file is not noticed",
        "dashboard/local/emulator/generations.py",
        "if _digest(state / name) != files[name]:",
        "if not files[name]:",
        ("tests/unit/test_emulator_generations.py",),
    ),
    Fault(
        "state files are not on disk when their folder is renamed",
        "dashboard/local/emulator/generations.py",
        "os.fsync(file.fileno())",
        "file.fileno()",
        ("tests/unit/test_emulator_generations.py",),
    ),
    Fault(
        "sequence numbers fall when the clock steps back",
        "dashboard/local/emulator/monotonic_clock.py",
        "max(self._last + 1, int(time.time() * 1000) * 10**_COUNTER_DIGITS)",
        "int(time.time() * 1000) * 10**_COUNTER_DIGITS",
        (
            "tests/unit/test_emulator_patches.py::test_sequence_numbers_increase_when_the_clock_steps_back",
        ),
    ),
    Fault(
        "state that cannot be loaded is replaced by an empty one",
        "dashboard/local/emulator/saved_state.py",
        "    if errors.messages:\n",
        "    if not errors:\n",
        (
            "tests/unit/test_emulator_patches.py::test_state_that_the_emulator_cannot_load_is_an_error",
        ),
    ),
    Fault(
        "state files are readable for other users",
        "dashboard/durable.py",
        "os.O_TRUNC, 0o600)",
        "os.O_TRUNC, 0o644)",
        ("tests/unit/test_emulator_generations.py",),
    ),
    Fault(
        "the page does not reconnect",
        "static/src/connection.js",
        'this.#timers.start("retry", wait, () => this.start());',
        "",
        ("static/test/connection.test.js",),
    ),
    Fault(
        "lost numbers do not look stale",
        "static/src/connection.js",
        'return this.#wasLive ? "stale" : "connecting";',
        'return "connecting";',
        ("static/test/connection.test.js",),
    ),
    Fault(
        "a dead socket is still heard",
        "static/src/connection.js",
        "socket.onopen = socket.onmessage = socket.onclose = null;",
        "",
        ("static/test/connection.test.js",),
    ),
    Fault(
        "after a reconnect, the campaigns of a sorted list are not live",
        "static/src/connection.js",
        "...(campaigns && { campaigns })",
        "",
        ("static/test/connection.test.js",),
    ),
    Fault(
        "a page of results in several frames ends with the first one",
        "static/src/connection.js",
        "if (more || (page && request?.stream))",
        "if (page && request?.stream)",
        ("static/test/connection.test.js",),
    ),
    Fault(
        "a filter in a URL that cannot be read is dropped silently",
        "static/src/parameters.js",
        "if (problem) problems.push({ name, value, text: `${view}.bad_${problem}` });",
        "if (problem) continue;",
        ("static/test/list-query.test.js",),
    ),
    Fault(
        "campaigns without a rate are first in a list of the lowest rates",
        "chalicelib/live/campaign_lists.py",
        'return (is_last if order == "asc" else not is_last,',
        "return (not is_last,",
        ("tests/unit/test_campaign_lists.py",),
    ),
    Fault(
        "the page leaves the filter by sender out of a search",
        "static/src/list-query.js",
        "...(sender && { sender })",
        "...(sender && !search && { sender })",
        ("static/test/list-query.test.js",),
    ),
    Fault(
        "a sum leaves out campaigns whose number is unknown",
        "static/src/totals.js",
        "sum === null || one.counts[name] === null ? null :",
        "sum === null ? null :",
        ("static/test/totals.test.js",),
    ),
    Fault(
        "a spreadsheet runs a link that begins with @ as a formula",
        "static/src/csv.js",
        "/^\\s*[=+\\-@\\t\\r]/",
        "/^\\s*[=+\\-\\t\\r]/",
        ("static/test/csv.test.js",),
    ),
    Fault(
        "an older push replaces newer numbers",
        "static/src/state.js",
        "summary.version > data.summary.version",
        "summary.version >= 0",
        ("static/test/state.test.js",),
    ),
    Fault(
        "the answer to a ping completes a subscription",
        "static/src/state.js",
        " && !PRECEDE_A_REPLY.has(change.action)",
        "",
        ("static/test/state.test.js",),
    ),
    Fault(
        "a transient error ends a sign-in",
        "static/src/renewal.js",
        "if (!refuses(error)) throw error;",
        "",
        ("static/test/renewal.test.js",),
    ),
    Fault(
        "a bounce that SES never sent is a hard bounce",
        "chalicelib/facts/reputation.py",
        '"prevented" if subtype in _PREVENTED else',
        '"prevented" if False else',
        ("tests/laws/test_definitions.py",),
    ),
    Fault(
        "a complaint counts once per report",
        "chalicelib/facts/settle.py",
        "complaints.setdefault(counter, fact.at)",
        'complaints.setdefault("complaints", fact.at)',
        ("tests/laws/test_definitions.py",),
    ),
    Fault(
        "a recipient bounces once per report",
        "chalicelib/facts/settle.py",
        "name = fact.recipient and person(fact.recipient)",
        "name = fact.key",
        ("tests/unit/test_settle.py",),
    ),
    Fault(
        "a rate exceeds 1 where deliveries are missing",
        "chalicelib/stats/counters.py",
        "if 0 <= part <= whole and whole else None",
        "if whole else None",
        ("tests/laws/test_definitions.py",),
    ),
    Fault(
        "an item of an earlier release contributes what it never counted",
        "chalicelib/stats/contributions.py",
        "if state.generation >= _SETTLED_SINCE:",
        "if True:",
        ("tests/laws/test_upgrade.py",),
    ),
    Fault(
        "outdated items are current updates of a summary",
        "chalicelib/stats/update.py",
        "if part == SUMMARY and not pending.outdated:",
        "if part == SUMMARY:",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "what an earlier release has counted passes for current",
        "chalicelib/stats/counters.py",
        "return self.current_updates == self.version",
        "return True",
        ("tests/integration/test_recount.py",),
    ),
    Fault(
        "a settled email keeps facts of an earlier generation",
        "chalicelib/facts/settle.py",
        "if fact.generation >= GENERATION:\n        return fact",
        "if fact.generation >= 1:\n        return fact",
        ("tests/laws/test_upgrade.py",),
    ),
    Fault(
        "addresses in links are shown",
        "chalicelib/facts/personal.py",
        "_IDENTIFYING.sub(MASK, decoded)",
        "decoded",
        ("tests/laws/test_definitions.py",),
    ),
    Fault(
        "tracking parameters distinguish links",
        "chalicelib/facts/links.py",
        "if one and not _is_tracking(one, tracking)",
        "if one",
        ("tests/laws/test_laws.py",),
    ),
    Fault(
        "clicks on unsubscribe links are engagement",
        "chalicelib/facts/settle.py",
        'return is_click and links.kind(fact.link or "") != "unsubscribe"',
        "return is_click",
        ("tests/laws/test_definitions.py",),
    ),
    Fault(
        "a bot's click counts as a human clicker of its link",
        "chalicelib/facts/settle.py",
        "human_clicks = [fact for fact in clicks if is_engaged(fact)]",
        "human_clicks = clicks",
        ("tests/laws/test_laws.py",),
    ),
    Fault(
        "opting out again is a further unsubscribe",
        "chalicelib/ses/parse.py",
        'return "all" not in before and not _opted_out(new) <= before',
        "return bool(_opted_out(new))",
        ("tests/laws/test_definitions.py",),
    ),
    Fault(
        "the sample of subjects depends on the order of emails",
        "chalicelib/stats/subjects.py",
        "lowest = sorted(self.subjects)[:_SIZE]",
        "lowest = list(self.subjects)[:_SIZE]",
        ("tests/unit/test_subjects.py",),
    ),
    Fault(
        "ingest stores the names of forgotten recipients",
        "chalicelib/functions/ingest.py",
        "map(forgotten.fact, self._facts(event))",
        "self._facts(event)",
        (
            "tests/laws/test_forgetting.py::test_a_replay_and_a_redelivery_do_not_bring_a_recipient_back",
        ),
    ),
    Fault(
        "settling an email restores the names of forgotten recipients",
        "chalicelib/functions/ingest.py",
        "[*map(forgotten.fact, message.facts)]",
        "[*message.facts]",
        (
            "tests/laws/test_forgetting.py::test_settling_an_email_that_was_read_before_restores_no_name",
        ),
    ),
    Fault(
        "two reports of one bounce count twice if one of them has a token",
        "chalicelib/facts/settle.py",
        "name = fact.recipient and person(fact.recipient)",
        "name = fact.recipient",
        ("tests/unit/test_forgotten.py",),
    ),
    Fault(
        "a redelivered batch lists the activity of forgotten recipients by name",
        "chalicelib/stats/grouping.py",
        "new, expires = forgotten.stored(from_item(image)), expiry(image)",
        "new, expires = from_item(image), expiry(image)",
        (
            "tests/laws/test_forgetting.py::test_a_replay_and_a_redelivery_do_not_bring_a_recipient_back",
        ),
    ),
    Fault(
        "a redelivered batch lists forgotten recipients by name",
        "chalicelib/recipients/pages.py",
        'forgotten.stored(from_item(record["dynamodb"]["NewImage"]))',
        'from_item(record["dynamodb"]["NewImage"])',
        (
            "tests/laws/test_forgetting.py::test_a_replay_and_a_redelivery_do_not_bring_a_recipient_back",
        ),
    ),
    Fault(
        "a process reads the suppressions only once",
        "chalicelib/facts/suppressions.py",
        "if now >= self._until:",
        "if not self._until:",
        (
            "tests/laws/test_forgetting.py::test_a_replay_and_a_redelivery_do_not_bring_a_recipient_back",
        ),
    ),
    Fault(
        "forget does not wait for invocations with earlier suppressions",
        "dashboard/forget/erasure.py",
        '+ max(FUNCTIONS[name][0] for name in ("ingest", "aggregate")) + 5',
        "+ 5",
        ("tests/integration/test_erasure.py",),
    ),
    Fault(
        "the personal subject of a forgotten recipient stays the campaign's",
        "chalicelib/stats/subjects.py",
        "if self.removals:",
        "if self.removals > 1:",
        ("tests/integration/test_erasure.py",),
    ),
    Fault(
        "a dead letter of an address that ends with the forgotten one is deleted",
        "chalicelib/facts/forgotten.py",
        'rf"(?<![\\w.+-])(?:{names}){_END}',
        'rf"(?:{names}){_END}',
        ("tests/unit/test_forgotten.py",),
    ),
    Fault(
        "a push to a share link contains recipients",
        "chalicelib/live/messages.py",
        'NOT_SHARED = frozenset({"activity", "pace", "replies", "incidents", "alarms", "notes"})',
        'NOT_SHARED = frozenset({"pace", "replies", "incidents", "alarms", "notes"})',
        ("tests/unit/test_attention.py",),
    ),
    Fault(
        "a change is lost on a viewer whose level changes between the two readers of the stream",
        "chalicelib/functions/publish.py",
        'one.level == level or (one.level != "hidden" and one.attended_at >= began)',
        "one.level == level",
        ("tests/unit/test_attention.py",),
    ),
    Fault(
        "a viewer that returns from another tab keeps its old numbers",
        "chalicelib/functions/message.py",
        'if before == "hidden" != request.level:',
        'if before == "visible" != request.level:',
        ("tests/unit/test_attention.py",),
    ),
    Fault(
        "a bucket of the directory that has changed since it was read is replaced",
        "chalicelib/stats/directory_table.py",
        'ConditionExpression="v = :v" if item',
        'ConditionExpression="v >= :v" if item',
        ("tests/unit/test_directory_entries.py",),
    ),
    Fault(
        "campaigns are forgotten that were moved after their summaries were read",
        "chalicelib/stats/directory_table.py",
        'ConditionExpression="moves = :moves"',
        'ConditionExpression="moves >= :moves"',
        ("tests/unit/test_directory_entries.py",),
    ),
    Fault(
        "campaigns are forgotten before their entries are written",
        "chalicelib/stats/directory_table.py",
        "        self._refresh(by_bucket(campaigns), now)\n",
        "        for one in found:\n"
        "            self._remove_pending(one, one.pending)\n"
        "        self._refresh(by_bucket(campaigns), now)\n",
        (
            "tests/unit/test_directory_entries.py::test_a_check_that_dies_at_any_call_is_continued_by_the_next_one",
        ),
    ),
    Fault(
        "a build of the directory that was requested during another one is forgotten",
        "chalicelib/stats/directory_table.py",
        'condition="builds = :builds"',
        'condition="builds >= :builds"',
        ("tests/unit/test_directory_entries.py",),
    ),
    Fault(
        "the directory's version does not rise with an entry",
        "chalicelib/stats/directory_table.py",
        '        self._change_state("ADD v :one")\n        for one in found:',
        "        for one in found:",
        ("tests/unit/test_directory_entries.py",),
    ),
    Fault(
        "batches of an earlier release, whose campaigns are not noted, go unnoticed",
        "chalicelib/stats/positions.py",
        "AND #noted = #read ",
        "",
        ("tests/unit/test_directory_entries.py",),
    ),
    Fault(
        "campaigns that are too many to note are lost",
        "chalicelib/stats/positions.py",
        '"full" if position.is_noted else "unnoted"',
        "None",
        ("tests/unit/test_directory_entries.py",),
    ),
    Fault(
        "noted campaigns expire with the record that was counted, not a day later",
        "chalicelib/stats/positions.py",
        "return max(created, now) + CHECKPOINT_SECONDS",
        "return created + CHECKPOINT_SECONDS",
        ("tests/unit/test_directory_entries.py",),
    ),
    Fault(
        "a search excludes words with two letters exchanged in the middle",
        "chalicelib/stats/search.py",
        "return first, second, first[:-1] + second[0] + first[-1] + second[1:]",
        "return first, second",
        ("tests/laws/test_search_words.py",),
    ),
    Fault(
        "a batch of a closed shard is counted without comparing it with the read position",
        "chalicelib/stats/update.py",
        "return bool(oldest < now - COMPARED_SECONDS)",
        "return False",
        (
            "tests/laws/test_closed_shards.py::test_records_of_a_closed_shard_are_not_counted_again_hours_later",
        ),
    ),
    Fault(
        "a checkpoint is removed while an invocation may still count its records",
        "chalicelib/stats/table.py",
        "if 0 < one.stored_at < stored_before",
        "if 0 < one.stored_at",
        (
            "tests/laws/test_closed_shards.py::test_the_checkpoint_of_a_batch_that_an_invocation_may_still_count_is_kept",
        ),
    ),
    Fault(
        "a checkpoint is removed although its batch was not acknowledged",
        "chalicelib/stats/update.py",
        'sequence_of(value["B"]) <= finished.get(name, -1)',
        "name in finished",
        (
            "tests/laws/test_closed_shards.py::test_the_checkpoint_of_a_batch_that_was_not_acknowledged_is_kept",
        ),
    ),
    Fault(
        "the time of a read position is that of an earlier one",
        "chalicelib/stats/positions.py",
        "stored_at=int(stored_at) if stored == read else 0,",
        "stored_at=int(stored_at or 0),",
        (
            "tests/laws/test_closed_shards.py::test_a_position_that_an_earlier_release_has_advanced_is_not_finished",
        ),
    ),
    Fault(
        "a checkpoint is removed before batches are compared with the read position",
        "chalicelib/stats/update.py",
        "(age > CLOSED_SECONDS and is_finished)",
        "is_finished",
        (
            "tests/laws/test_closed_shards.py::test_the_checkpoint_of_a_closed_shard_is_removed_after_an_hour",
        ),
    ),
    Fault(
        "an email is evidence about its own network",
        "chalicelib/facts/rules.py",
        "evidence.get(name, Evidence()).without(bits)",
        "evidence.get(name, Evidence())",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "four quiet emails make a network quiet",
        "chalicelib/facts/networks.py",
        "_LEAST_QUIET = 5",
        "_LEAST_QUIET = 4",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a network decides about the click of a person who has read the email",
        "chalicelib/facts/rules.py",
        "is_read = protecting is not None and protecting < click",
        "is_read = False",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a quiet network decides about a click after Apple's preload",
        "chalicelib/facts/rules.py",
        "if network.is_quiet and _is_quiet(click, mailbox):",
        "if network.is_quiet:",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "an open through Outlook's proxy from a scanner's network is never a person's",
        "chalicelib/facts/rules.py",
        "hit.after <= SCANNER_OPENS and ",
        "",
        ("tests/unit/test_rules.py",),
    ),
    Fault(
        "a change of a network's evidence is compared without an email's own bits",
        "chalicelib/facts/networks.py",
        "reputation(before.without(bits)) != reputation(after.without(bits))",
        "reputation(before) != reputation(after)",
        ("tests/unit/test_networks.py",),
    ),
    Fault(
        "`classify` judges each email by itself",
        "dashboard/classification/classes.py",
        "settle(facts, None, evidence=evidence)",
        "settle(facts, None)",
        ("tests/integration/test_classify_command.py",),
    ),
    Fault(
        "`classify` counts opens, clicks, bounces and complaints twice",
        "dashboard/commands/classify.py",
        "if not is_settled(fact):",
        "if True:",
        ("tests/integration/test_classify_command.py",),
    ),
    Fault(
        "`classify` counts a duplicate again",
        "dashboard/classification/spool.py",
        "(fact.message_id, fact.key)).rowcount > 0",
        "(fact.message_id, fact.key)).rowcount >= 0",
        ("tests/integration/test_classify_command.py",),
    ),
    Fault(
        "which tags a campaign keeps depends on the order of events",
        "chalicelib/stats/tags.py",
        "for one in sorted(set(tags)):",
        "for one in dict.fromkeys(tags):",
        ("tests/laws/test_tags.py",),
    ),
    Fault(
        "tags that two shards add to a campaign at once replace each other",
        "chalicelib/stats/update.py",
        "        update.require_unchanged(TAGS, observed.get(TAGS))\n",
        "",
        ("tests/unit/test_checkpoint.py",),
    ),
    Fault(
        "a recount leaves the tags of a campaign as they are",
        "dashboard/recount/comparison.py",
        "if aggregate.tags != tuple(pending.tags):",
        "if False:",
        ("tests/integration/test_recount.py",),
    ),
    Fault(
        "no job is sent when the evidence of a network changes",
        "chalicelib/functions/aggregate.py",
        "        self.queues.send(messages)\n",
        "",
        (
            "tests/laws/test_evidence.py::test_each_turn_of_the_evidence_changes_the_classes_of_emails_of_before",
        ),
    ),
    Fault(
        "a job whose time is short does not continue",
        "chalicelib/functions/ingest.py",
        "        return job\n\n    def _settle_emails",
        "        return None\n\n    def _settle_emails",
        ("tests/laws/test_evidence.py::test_classes_are_those_of_the_set_of_the_campaigns_facts",),
    ),
    Fault(
        "a job leaves the note that a job waits",
        "chalicelib/functions/ingest.py",
        "self.networks.begin_job(job.campaign, job.network)",
        "pass",
        (
            "tests/laws/test_evidence.py::test_each_turn_of_the_evidence_changes_the_classes_of_emails_of_before",
        ),
    ),
    Fault(
        "the retry of a batch sends a job only for changes that it has counted itself",
        "chalicelib/functions/aggregate.py",
        "return applied.is_repeated or may_change(before, after)",
        "return may_change(before, after)",
        (
            "tests/laws/test_evidence.py::test_a_crash_at_any_write_leaves_no_class_of_earlier_evidence",
        ),
    ),
    Fault(
        "an email is not added to the index of its networks",
        "chalicelib/functions/ingest.py",
        "    networks.add(campaign, names - known.keys(), message_id, message.expires)\n",
        "",
        (
            "tests/laws/test_evidence.py::test_each_turn_of_the_evidence_changes_the_classes_of_emails_of_before",
        ),
    ),
    Fault(
        "a job settles emails whose facts have begun to expire",
        "chalicelib/stats/networks.py",
        "> complete_until",
        "> 0",
        (
            "tests/laws/test_evidence.py::test_a_job_leaves_emails_alone_whose_facts_have_begun_to_expire",
        ),
    ),
    Fault(
        "the bits of an email follow the evidence",
        "chalicelib/facts/settle.py",
        "networks={name: to_code(bits) for name, bits in networks.items()}",
        "networks={\n"
        "            name: to_code(bits._replace(\n"
        "                sure=bits.seen and len(human_clicks) < len(clicks)\n"
        "            ))\n"
        "            for name, bits in networks.items()\n"
        "        }",
        ("tests/laws/test_evidence.py::test_the_classes_are_right_whenever_nothing_is_left_to_do",),
    ),
    Fault(
        "viewers receive the evidence of networks",
        "chalicelib/stats/counters.py",
        "    *(PROVIDER, REPLY, UNDELIVERED, AGES),",
        '    *(PROVIDER, REPLY, UNDELIVERED, AGES, "network"),',
        ("tests/unit/test_jobs.py::test_no_viewer_receives_the_evidence_of_networks",),
    ),
    Fault(
        "an email's age is not part of the grouping key",
        "chalicelib/stats/contributions.py",
        "            *_ages(stored),\n",
        "",
        (
            "tests/unit/test_contributions.py::test_emails_that_are_opened_in_one_minute_count_by_the_age_of_each",
        ),
    ),
    Fault(
        "a state that lacks the time of sending is not rewritten",
        "chalicelib/facts/settle.py",
        "if stored and state == stored and",
        "if stored and replace(state, sent_at=stored.sent_at) == stored and",
        ("tests/laws/test_ages.py",),
    ),
    Fault(
        "an email counts by its age at the first click of any kind",
        "chalicelib/stats/contributions.py",
        '("unique_human_clicks", state.human_clicked_at),\n    )\n    return [',
        '("unique_human_clicks", state.clicked_at),\n    )\n    return [',
        ("tests/laws/test_ages.py",),
    ),
    Fault(
        "a recount does not read the counters by age",
        "chalicelib/stats/counters.py",
        "PARTS = (*SHOWN_PARTS, NETWORK)",
        "PARTS = (*(one for one in SHOWN_PARTS if one != AGES), NETWORK)",
        (
            "tests/integration/test_recount.py::test_emails_of_an_earlier_release_count_by_age_and_device_after_reclassifying",
        ),
    ),
    Fault(
        "a pace that says the same is written again each minute",
        "chalicelib/stats/pace.py",
        '{**one, "at": None} == {**other, "at": None}',
        "False",
        ("tests/laws/test_paces.py::test_a_pace_that_says_the_same_is_not_written",),
    ),
    Fault(
        "a quiet minute does not change what is usual",
        "chalicelib/functions/watch.py",
        "            self._update_campaigns(pipeline, late_seconds(last), now, probes)\n",
        "",
        ("tests/laws/test_paces.py::test_what_is_usual_grows_in_minutes_that_store_no_check",),
    ),
    Fault(
        "the curves of an earlier release's campaigns are taken for complete",
        "chalicelib/stats/pace.py",
        "_LEAST_KNOWN = 0.95",
        "_LEAST_KNOWN = 0.0",
        (
            "tests/laws/test_paces.py::test_a_campaign_that_is_too_small_or_known_in_part_is_no_comparison",
        ),
    ),
    Fault(
        "each send counts in its minute, its hour and its day",
        "chalicelib/stats/pace.py",
        "sends - inside[prefix]))",
        "sends))",
        (
            "tests/unit/test_campaign_pace.py::test_each_send_is_in_one_bucket_the_finest_that_is_known",
        ),
    ),
    Fault(
        "a pace is computed from the counters at the start of the hour",
        "chalicelib/stats/pace_table.py",
        "(kept.version, kept.hour) != (summary.version, hour)",
        "kept.hour != hour",
        (
            "tests/laws/test_concurrent_paces.py::test_a_check_stores_the_pace_of_the_final_counters",
        ),
    ),
    Fault(
        "a pace that fails ends the check",
        "chalicelib/functions/watch.py",
        'probes.run("the pace of a campaign", partial(self.paces.update, one, at))',
        "self.paces.update(one, at)",
        ("tests/laws/test_paces.py::test_a_pace_that_fails_keeps_watch_from_nothing_else",),
    ),
    Fault(
        "what was usual counts the deliveries of now before they were made",
        "chalicelib/insight/pace.py",
        "running.campaign.deliveries * (by_then / sent)",
        "running.campaign.deliveries",
        ("tests/unit/test_pace.py::test_what_is_usual_depends_on_the_emails_of_then_before_now",),
    ),
    Fault(
        "what is usual now is raised to what was usual at a lower age",
        "chalicelib/insight/pace.py",
        "now = sum(one.age_seconds <= _age_now(running) for one in found)",
        "now = 0",
        ("tests/unit/test_pace.py::test_what_is_usual_now_bounds_it_before_and_after",),
    ),
    Fault(
        "what is usual is not computed for the present age",
        "chalicelib/stats/pace.py",
        "at[age] = running.now",
        "pass",
        ("tests/laws/test_paces.py::test_what_is_usual_at_the_present_age_is_among_the_ages",),
    ),
    Fault(
        "the line by age falls while its parts have different versions",
        "static/src/by-age.js",
        "if (here && next) here.count = Math.min(here.count, next.count);",
        "",
        ("static/test/by-age.test.js",),
    ),
    Fault(
        "what is usual is requested with each push",
        "static/src/usual.js",
        "version === this.#version || this.#timers.has(EVERY)",
        "version === this.#version",
        ("static/test/usual.test.js",),
    ),
    Fault(
        "a new process takes the directory's paces for those of the summaries",
        "chalicelib/stats/pace_table.py",
        "kept.in_summary, kept.in_directory = in_summary, None",
        "kept.in_summary, kept.in_directory = in_summary, in_summary",
        (
            "tests/laws/test_paces.py::test_a_check_that_dies_at_any_call_is_repaired_by_the_next_one",
        ),
    ),
    Fault(
        "a check that died before it wrote a pace to the summary is not continued",
        "chalicelib/stats/pace_table.py",
        "in_summary = summary.pace.version if summary.pace else 0",
        "in_summary = stored.version if stored else 0",
        (
            "tests/laws/test_paces.py::test_a_check_that_dies_at_any_call_is_repaired_by_the_next_one",
        ),
    ),
    Fault(
        "a share link shows what is usual for the sender",
        "chalicelib/live/messages.py",
        'NOT_SHARED = frozenset({"activity", "pace", "replies", "incidents", "alarms", "notes"})',
        'NOT_SHARED = frozenset({"activity", "replies", "incidents", "alarms", "notes"})',
        ("tests/unit/test_push_access.py::test_a_share_link_receives_no_pace",),
    ),
    Fault(
        "a pace is not pushed if its summary was pushed at once",
        "chalicelib/live/push.py",
        "return change.version, pace.version if pace else 0",
        "return change.version, 0 if pace else 0",
        (
            "tests/laws/test_paces.py::test_a_pace_is_pushed_to_the_list_after_its_summary_was_pushed_at_once",
        ),
    ),
    Fault(
        "an interval that ends at 0 is called a clear difference",
        "static/src/differences.js",
        "({ low, high }) => low > 0 || high < 0;",
        "({ low, high }) => low >= 0 || high <= 0;",
        ("static/test/comparison.test.js",),
    ),
    Fault(
        "a campaign in its second hour is called worse than one of last month",
        "static/src/comparison.js",
        "ageOf(young) >= SETTLED) return",
        "ageOf(young) >= 0) return",
        ("static/test/comparison.test.js",),
    ),
    Fault(
        "a refused comparison is requested again and again",
        "static/src/repeated.js",
        "(this.retryable ? AGAIN_AFTER : Infinity)",
        "AGAIN_AFTER",
        ("static/test/repeated.test.js",),
    ),
    Fault(
        "an address counts at another provider in an event that has SES's tag",
        "chalicelib/facts/providers.py",
        'return _BY_DOMAIN.get(name) or _BY_NAME.get(_comparable(isp or ""))',
        'return _BY_NAME.get(_comparable(isp or "")) or _BY_DOMAIN.get(name)',
        ("tests/unit/test_providers.py",),
    ),
    Fault(
        "SES's tag decides about each address of an email to several",
        "chalicelib/facts/providers.py",
        "tag = isp if len(listed) == 1 else None",
        "tag = isp",
        ("tests/unit/test_providers.py",),
    ),
    Fault(
        "the general status of a report hides the code of the reply",
        "chalicelib/facts/replies.py",
        'if not code.endswith(".0.0")]',
        "if code]",
        ("tests/unit/test_replies.py::test_the_status_is_the_most_specific_code",),
    ),
    Fault(
        "a rule for the replies of one provider applies to all",
        "chalicelib/facts/reply_causes.py",
        "if providers and provider not in providers:",
        "if not providers and provider in providers:",
        ("tests/unit/test_replies.py::test_a_rule_for_one_provider_does_not_apply_to_others",),
    ),
    Fault(
        "a check that continues late replaces a later pace",
        "chalicelib/stats/stored/paces.py",
        "attribute_not_exists(computed) OR computed <= :at",
        "attribute_not_exists(computed) OR computed <> :at",
        ("tests/laws/test_concurrent_paces.py::test_a_pace_of_a_later_moment_is_not_replaced",),
    ),
    Fault(
        "a check that could not list the campaigns counts as complete",
        "chalicelib/functions/watch.py",
        "self.counted, self.newest = positions, newest\n",
        "self.newest = newest\n        self.counted, self.newest = positions, newest or ()\n",
        (
            "tests/laws/test_concurrent_paces.py::test_a_pace_is_computed_a_minute_after_the_campaigns_could_not_be_listed",
        ),
    ),
    Fault(
        "the sentence of a report is about human opens, however unusual the clicks are",
        "dashboard/figures/pace.py",
        "iter([*unusual, *known,",
        "iter([*known,",
        ("tests/unit/test_pace_in_words.py::test_the_sentence_is_of_the_most_important_metric",),
    ),
    Fault(
        "the remaining values of a tag are judged as if they were one variant",
        "dashboard/figures/variants.py",
        'values = sorted((row for row in rows if not row.get("rest")), key=',
        "values = sorted(rows, key=",
        (
            "tests/unit/test_pace_in_words.py::test_the_rest_of_the_values_is_shown_last_and_not_judged",
        ),
    ),
    Fault(
        "a terminal shows the pace of an older push",
        "dashboard/live/merging.py",
        'self._keep(("pace",), stats["pace"])',
        'self._parts["pace",] = stats["pace"]',
        (
            "tests/unit/test_live_frame.py::test_the_pace_and_the_variants_are_those_of_the_highest_version",
        ),
    ),
    Fault(
        "the sum of days allows for the midnights between them",
        "chalicelib/insight/reconciliation.py",
        "low=0 if place else cause.low",
        "low=cause.low",
        ("tests/unit/test_reconciliation.py",),
    ),
    Fault(
        "an excess on one day explains what the day before lacks",
        "chalicelib/insight/reconciliation.py",
        "moved = min(result[today].unexplained, -result[tomorrow].unexplained)",
        "moved = min(-result[today].unexplained, result[tomorrow].unexplained)",
        ("tests/unit/test_reconciliation.py",),
    ),
    Fault(
        "each recipient of an event is one of SES's events",
        "dashboard/reconcile/emails.py",
        "(one.type, one.at, one.key.rpartition(",
        "(one.type, one.key, one.key.rpartition(",
        ("tests/laws/test_reconciled_days.py",),
    ),
    Fault(
        "the runway is one bounce too short",
        "chalicelib/insight/runway.py",
        "math.ceil((line - rate) * volume - _ROUNDING)",
        "math.floor((line - rate) * volume - _ROUNDING)",
        ("tests/unit/test_runway.py",),
    ),
    Fault(
        "the result of an earlier recount replaces that of a later one",
        "chalicelib/stats/stored/pipeline.py",
        '"attribute_not_exists(#at) OR #at < :at"',
        '"attribute_not_exists(#at) OR #at <> :at"',
        ("tests/integration/test_recount.py::test_an_earlier_result_does_not_replace_a_later_one",),
    ),
    Fault(
        "a fact's variants are not part of the grouping key",
        "chalicelib/stats/contributions.py",
        "        stored.generation,\n        _breakdowns(stored),\n",
        "        stored.generation,\n",
        ("tests/unit/test_contributions.py",),
    ),
    Fault(
        "what an earlier release stored is subtracted from variants that never counted it",
        "chalicelib/stats/contributions.py",
        "if not stored.tags or stored.generation < _BROKEN_DOWN_SINCE:",
        "if not stored.tags:",
        ("tests/unit/test_contributions.py",),
    ),
    Fault(
        "the tags of an email are those of the last fact",
        "chalicelib/facts/settle.py",
        "tags[name] = min(value, tags.get(name, value))",
        "tags[name] = value",
        ("tests/unit/test_settle.py",),
    ),
    Fault(
        "unique counts belong to no variant",
        "chalicelib/facts/settle.py",
        "        tags=_tags(judged),\n",
        "",
        ("tests/laws/test_variant_counters.py",),
    ),
    Fault(
        "a push has variants that no client shows",
        "chalicelib/live/messages.py",
        "for tag in kept(variants)]",
        "for tag in sorted(variants)]",
        ("tests/unit/test_messages.py",),
    ),
    Fault(
        "a variant is the best as soon as it is probable",
        "chalicelib/live/comparison.py",
        'best if verdict == "decided" else None',
        "best",
        ("tests/unit/test_comparison.py",),
    ),
    Fault(
        "the page keeps every value of a tag",
        "static/src/state.js",
        "return numbers[tag] <= MOST_VARIANTS;",
        "return true;",
        ("static/test/variants.test.js",),
    ),
    Fault(
        "the row of all other emails includes those of the rows above it",
        "static/src/variants.js",
        "left - (one.counts[name] ?? 0)",
        "left",
        ("static/test/variants.test.js",),
    ),
    Fault(
        "variants whose numbers are unchanged are judged again and again",
        "static/src/repeated.js",
        "version !== undefined && version === this.#version",
        "version === null",
        ("static/test/repeated.test.js",),
    ),
    Fault(
        "a listed campaign takes the pace that arrives last with its numbers",
        "static/src/state.js",
        "(older.pace?.version ?? -1) > (newer.pace?.version ?? -1)",
        "false",
        ("static/test/state.test.js",),
    ),
    Fault(
        "replayed events count as late",
        "chalicelib/stats/delays.py",
        "if is_ours and queued - happened < _REPLAYED_SECONDS:",
        "if is_ours:",
        ("tests/unit/test_delays.py",),
    ),
    Fault(
        "delays of the time before a reading are counted again",
        "chalicelib/stats/delays.py",
        "earlier = before.shards.get(shard, {})",
        "earlier = NOTHING",
        ("tests/unit/test_delays.py",),
    ),
    Fault(
        "a day is compared before SES has published it",
        "chalicelib/stats/reconciled.py",
        "(now - _DUE_AFTER).astimezone(UTC)",
        "now.astimezone(UTC)",
        ("tests/unit/test_reconciled.py",),
    ),
    Fault(
        "viewers of some campaigns receive the comparison of all",
        "chalicelib/live/messages.py",
        "shown.pop(name, None)",
        "pass",
        ("tests/unit/test_messages.py",),
    ),
    Fault(
        "what an earlier release stored counts at the provider `other`",
        "chalicelib/stats/contributions.py",
        "    if provider is None:\n        return\n",
        '    if provider is None:\n        provider = "other"\n',
        (f"{_DELIVERABILITY}::test_what_was_stored_without_a_provider_counts_at_none",),
    ),
    Fault(
        "a bounce counts at the provider of the email's opens",
        "chalicelib/facts/state.py",
        "return self.providers.get(report, self.provider)",
        "return self.provider",
        (f"{_DELIVERABILITY}::test_bounces_and_complaints_count_at_the_provider_of_the_recipient",),
    ),
    Fault(
        "records of different providers are counted as one group",
        "chalicelib/stats/contributions.py",
        "        stored.provider,\n        *stored.providers.items(),\n",
        "",
        (
            "tests/laws/test_providers_and_replies.py::test_the_providers_of_a_campaign_add_up_to_its_counters",
        ),
    ),
    Fault(
        "a corrected item keeps the counters of providers that no fact has",
        "chalicelib/stats/update.py",
        "lost = Change([], dict.fromkeys(counts, 0))",
        "lost = Change([], {})",
        (f"{_DELIVERABILITY}::test_a_restated_item_loses_the_providers_that_no_fact_has",),
    ),
    Fault(
        "the minutes of delays and bounces never expire",
        "chalicelib/stats/counters.py",
        '_MINUTES = ("minute#", f"{UNDELIVERED}#")',
        '_MINUTES = ("minute#",)',
        (f"{_DELIVERABILITY}::test_the_minutes_of_delays_and_bounces_expire_as_minutes_do",),
    ),
    Fault(
        "a minute that is judged already is judged again",
        "chalicelib/insight/alarms.py",
        "if minute <= state.minute:",
        "if minute < state.minute:",
        ("tests/unit/test_campaign_alarms.py::test_a_minute_that_is_judged_again_changes_nothing",),
    ),
    Fault(
        "an alarm is over at the first check without a sign of trouble",
        "chalicelib/insight/alarms.py",
        "minute if calm >= OVER_AFTER else None",
        "minute if calm >= 1 else None",
        ("tests/unit/test_campaign_alarms.py::test_an_alarm_is_not_over_while_trouble_returns",),
    ),
    Fault(
        "the mixture of rates also has those below the line",
        "chalicelib/insight/sequential.py",
        "math.log1p(-beta_cdf(line, a_after, b_after))",
        "0.0",
        ("tests/unit/test_sequential.py::test_evidence_is_that_of_the_integral_over_the_mixture",),
    ),
    Fault(
        "sends and opens are missed while events are counted late",
        "chalicelib/insight/causes.py",
        "        if self._is_punctual():\n            yield from self._opens()",
        "        if True:\n            yield from self._opens()",
        (
            "tests/unit/test_campaign_alarms.py::test_what_is_missing_is_no_evidence_while_events_are_late",
        ),
    ),
    Fault(
        "a second check sends what the first one is about to send",
        "chalicelib/stats/incident_table.py",
        "if stored.held_until > self._clock():",
        "if stored.held_until < 0:",
        (
            "tests/laws/test_incidents.py::test_a_second_check_does_not_send_what_the_first_one_sends",
        ),
    ),
    Fault(
        "a check takes its own write for that of another check",
        "chalicelib/stats/incident_table.py",
        "return None if name and found.held_by == name else found",
        "return found",
        (
            "tests/laws/test_incidents.py::test_a_check_recognizes_its_own_write_if_the_response_was_lost",
        ),
    ),
    Fault(
        "the end of an incident is sent though its beginning was snoozed",
        "chalicelib/stats/watch_log.py",
        "if one.sent and settings.sends(one.kind, at)",
        "if settings.sends(one.kind, at)",
        (
            "tests/laws/test_incidents.py::test_while_alarms_are_snoozed_incidents_are_shown_and_not_sent",
        ),
    ),
    Fault(
        "campaigns are judged while a recount changes their counters",
        "chalicelib/functions/watch.py",
        "if pipeline.health.paused_at is not None:",
        "if pipeline.health is None:",
        ("tests/laws/test_incidents.py::test_nothing_is_judged_while_ingest_is_paused",),
    ),
    Fault(
        "a message contains an address in the name of a campaign",
        "chalicelib/stats/alarm_texts.py",
        "name = without_addresses(campaign)",
        "name = campaign",
        ("tests/unit/test_alarm_texts.py::test_a_subject_is_printable_ascii_of_limited_length",),
    ),
    Fault(
        "incidents at two providers are taken for one in a terminal",
        "dashboard/live/merging.py",
        'self._keep(("incident", incident["incident"]), incident)',
        'self._keep(("incident", incident["kind"]), incident)',
        (
            "tests/unit/test_live_frame.py::test_the_incidents_are_those_of_the_highest_version_the_latest_first",
        ),
    ),
    Fault(
        "a terminal that is connected through a share link shows no incidents",
        "dashboard/live/feed.py",
        "merged.merge(self._unshared)",
        "merged.merge({})",
        (
            "tests/integration/test_live_feed.py::test_incidents_are_read_because_a_share_link_has_none",
        ),
    ),
    Fault(
        "the page takes alarms of the usual kinds for alarms of no kind",
        "static/src/protocol.js",
        "kinds: optional(list(string)), snooze_until",
        "kinds: list(string), snooze_until",
        ("static/test/state.test.js",),
    ),
    Fault(
        "a push of settings takes the permission to change them",
        "static/src/state.js",
        "may_change: received.may_change ?? known?.may_change ?? null",
        "may_change: received.may_change ?? null",
        ("static/test/state.test.js",),
    ),
    Fault(
        "users without the right to share create share links",
        "chalicelib/live/permissions.py",
        "if request.action in _CHANGES:",
        'if request.action == "setAlarms":',
        ("tests/integration/test_access.py::test_with_a_share_group_only_its_members_share",),
    ),
    Fault(
        "a user revokes the share link of a campaign that the user may not see",
        "chalicelib/auth/share_requests.py",
        "link is None or not access.can_share(link.campaign) or",
        "link is None or",
        ("tests/integration/test_access.py::test_share_links_of_a_hidden_campaign_are_unknown",),
    ),
    Fault(
        "of two notes that are written at once, the second replaces the first",
        "chalicelib/stats/note_item.py",
        '"notes_v = :v" if version else "attribute_not_exists(notes_v)"',
        '"attribute_exists(part) OR attribute_not_exists(notes_v)"',
        ("tests/laws/test_notes.py::test_every_viewer_ends_with_all_notes_but_the_removed_ones",),
    ),
    Fault(
        "a removed note leaves no tombstone",
        "chalicelib/stats/notes.py",
        "return {**stored, identity: Note(note.at, removed_at=now)}",
        "return {name: one for name, one in stored.items() if name != identity}",
        ("tests/laws/test_notes.py::test_a_late_push_of_a_removed_note_restores_nothing",),
    ),
    Fault(
        "the page drops a hidden series from the URL when it zooms",
        "static/src/timeline-query.js",
        "hide: COUNTERS.filter((name) => hidden.includes(name)).join()",
        "hide: zoom ? null : COUNTERS.filter((name) => hidden.includes(name)).join()",
        ("static/test/timeline-query.test.js",),
    ),
    Fault(
        "an email counts at the device of its last human open",
        "chalicelib/facts/settle.py",
        'opened_with=_device(fact for fact in opens if fact.engager == "human")',
        'opened_with=_device(fact for fact in reversed(opens) if fact.engager == "human")',
        ("tests/laws/test_devices.py",),
    ),
    Fault(
        "records of different devices are counted as one group",
        "chalicelib/stats/contributions.py",
        "            *_devices(stored),\n",
        "",
        (
            "tests/unit/test_contributions.py::test_emails_that_differ_in_their_device_only_are_not_grouped",
        ),
    ),
    Fault(
        "a message is sent in quiet hours",
        "chalicelib/stats/watch_log.py",
        "waits = sends and settings.is_quiet(trouble.cause, at)",
        "waits = False",
        ("tests/laws/test_incidents.py::test_what_begins_and_ends_in_quiet_hours_is_not_sent",),
    ),
    Fault(
        "a message that waits is lost when an earlier release writes the watch log",
        "chalicelib/stats/watch_log.py",
        "    return of_log.decode(), msgspec.json.encode(log.later).decode()",
        "    return msgspec.json.encode(log).decode(), msgspec.json.encode(Later()).decode()",
        (
            "tests/laws/test_incidents.py::test_a_message_that_waits_is_sent_if_quiet_hours_are_removed",
        ),
    ),
    Fault(
        "a campaign that is done is reported at each check",
        "chalicelib/stats/incident_table.py",
        "if log.later.is_reported or is_late or not may_be_done(summary.counts, age):",
        "if is_late or not may_be_done(summary.counts, age):",
        (
            "tests/laws/test_incidents.py::test_the_results_of_a_campaign_that_is_done_are_sent_once",
        ),
    ),
    Fault(
        "an incident of a campaign that is no longer among the newest never ends",
        "chalicelib/functions/watch.py",
        "names = sorted((further.judged | due) - newest)",
        "names = sorted(due - newest)",
        (
            "tests/laws/test_incidents.py::test_an_incident_is_judged_until_it_ends_though_newer_campaigns_begin",
        ),
    ),
    Fault(
        "a push says to each viewer that it may change the alarms of all",
        "chalicelib/live/messages.py",
        'if name != "may_change"',
        "if name",
        (
            "tests/unit/test_messages.py::test_a_push_of_the_pipeline_does_not_say_who_may_change_alarms",
        ),
    ),
    Fault(
        "a provider has twice its share of an alpha",
        "chalicelib/insight/causes.py",
        "return _EQUALLY * equal + (1 - _EQUALLY) * by_emails",
        "return equal + by_emails",
        (
            "tests/unit/test_campaign_alarms.py::test_the_parts_of_an_alpha_of_all_providers_add_up_to_one_at_most",
        ),
    ),
    Fault(
        "emails of which nothing is reported yet hide that a provider defers",
        "chalicelib/insight/marks.py",
        "sent - min(sent - waiting, max(0, now.pending - pending - waiting)),",
        "sent,",
        (
            "tests/unit/test_campaign_alarms.py::test_emails_of_the_last_minute_do_not_hide_that_a_provider_defers",
        ),
    ),
    Fault(
        "complaints raise an alarm while their rate is below the line",
        "chalicelib/insight/causes.py",
        "if count <= COMPLAINTS_LINE * deliveries:",
        "if count <= 0:",
        (
            "tests/unit/test_campaign_alarms.py::test_complaints_are_compared_with_those_that_are_reported_so_early",
        ),
    ),
    Fault(
        "a click on an unsubscribe link shows the device of the email's clicks",
        "chalicelib/facts/settle.py",
        "clicked_with=_device(fact for fact in clicks if is_click_of_reader(fact))",
        'clicked_with=_device(fact for fact in clicks if fact.engager == "human")',
        ("tests/laws/test_devices.py",),
    ),
    Fault(
        "image proxies are phones or desktops",
        "chalicelib/facts/devices.py",
        "_WITHOUT_DEVICE.get(client) or ",
        "",
        ("tests/unit/test_device_classes.py",),
    ),
    Fault(
        "the connections of a revoked share link stay open",
        "chalicelib/auth/share_links.py",
        "            self.connections.close(connection.endpoint, connection.id)\n",
        "",
        (
            "tests/integration/test_access.py::test_revoking_a_share_link_by_request_closes_its_connections",
        ),
    ),
    Fault(
        "a campaign has one share link more than the limit",
        "chalicelib/auth/share_links.py",
        "> MAX_LINKS:",
        "> MAX_LINKS + 1:",
        ("tests/integration/test_access.py::test_share_links_of_a_campaign_are_limited",),
    ),
    Fault(
        "the name of a share link is not stored",
        "chalicelib/auth/share_links.py",
        '                **({"name": {"S": name}} if name else {}),\n',
        "",
        (
            "tests/integration/test_access.py::test_a_share_link_has_the_name_that_its_creator_gave_it",
        ),
    ),
    Fault(
        "a share link's name may have control characters",
        "chalicelib/live/protocol.py",
        "        if unicodedata.category(one) in _CONTROL:",
        '        if one == "\\n":',
        (
            "tests/unit/test_protocol.py::test_a_bad_name_of_a_share_link_is_refused_without_echoing_it",
        ),
    ),
    Fault(
        "an error repeats the name of a share link",
        "chalicelib/live/protocol.py",
        'f"the name has {len(name)}',
        'f"{name}: the name has {len(name)}',
        (
            "tests/unit/test_protocol.py::test_a_bad_name_of_a_share_link_is_refused_without_echoing_it",
        ),
    ),
    Fault(
        "share links with long names cannot be listed",
        "chalicelib/live/frames.py",
        '("snapshot", "changes", "results", "shares")',
        '("snapshot", "changes", "results")',
        ("tests/integration/test_access.py::test_the_longest_list_of_share_links_is_complete",),
    ),
    Fault(
        "`share list` takes names for markup",
        "dashboard/commands/share.py",
        "Console(highlight=False, markup=False, emoji=False)",
        "Console(highlight=False)",
        ("tests/integration/test_share_command.py",),
    ),
    Fault(
        "a share link shows notes",
        "chalicelib/live/messages.py",
        '"incidents", "alarms", "notes"}',
        '"incidents", "alarms"}',
        ("tests/integration/test_access.py::test_a_share_link_receives_no_notes",),
    ),
    Fault(
        "users without the right to share add notes",
        "chalicelib/live/permissions.py",
        '    "addNote": ("shares", "notes"),\n',
        "",
        (
            "tests/integration/test_access.py::test_notes_are_written_by_those_who_may_share_and_have_their_names",
        ),
    ),
    Fault(
        "a note whose first write lost its response is added twice",
        "chalicelib/functions/message.py",
        "added(notes, identity, note, now)",
        "added(notes, os.urandom(8).hex(), note, now)",
        ("tests/laws/test_notes.py::test_a_write_whose_response_was_lost_adds_no_second_note",),
    ),
    Fault(
        "the tombstone of a note is removed after a day",
        "chalicelib/stats/notes.py",
        "TOMBSTONE_SECONDS = 2 * 86_400",
        "TOMBSTONE_SECONDS = 86_400",
        ("tests/laws/test_notes.py::test_a_tombstone_is_kept_for_two_days_and_holds_no_text",),
    ),
    Fault(
        "a removed note is stored with its text",
        "chalicelib/stats/notes.py",
        "identity: Note(note.at, removed_at=now)}",
        "identity: Note(note.at, note.text, removed_at=now)}",
        ("tests/laws/test_notes.py::test_a_tombstone_is_kept_for_two_days_and_holds_no_text",),
    ),
    Fault(
        "the page shows removed notes",
        "static/src/notes.js",
        ".filter(({ text }) => text !== null)",
        "",
        ("static/test/notes.test.js",),
    ),
    Fault(
        "the mark of a test is not repeated in the summary",
        "chalicelib/stats/marked_tests.py",
        "stats_table.remarks.put_test(campaign, stats_table.remarks.alarm_settings(campaign))",
        "pass",
        ("tests/laws/test_marked_campaigns.py",),
    ),
    Fault(
        "the mark of a test is not repeated in the directory",
        "chalicelib/stats/marked_tests.py",
        "    directory.update_entries(marked.campaigns, now)\n",
        "",
        ("tests/laws/test_marked_campaigns.py",),
    ),
    Fault(
        "an older mark of a test replaces a newer one",
        "chalicelib/stats/stored/remarks.py",
        "alarms_v < :version",
        "alarms_v <> :version",
        ("tests/laws/test_marked_campaigns.py::test_an_older_mark_never_replaces_a_newer_one",),
    ),
    Fault(
        "marked campaigns are forgotten before their settings are written",
        "chalicelib/stats/marked_tests.py",
        "    if now.timestamp() - marked.at >= NOTED_FOR.total_seconds():",
        "    if now.timestamp() >= marked.at:",
        (
            "tests/laws/test_marked_campaigns.py::test_a_check_between_the_calls_of_a_request_that_dies_leaves_lists_that_agree",
        ),
    ),
    Fault(
        "a campaign that is marked while others are forgotten is forgotten with them",
        "chalicelib/stats/stored/remarks.py",
        'ConditionExpression="marked_at = :at"',
        'ConditionExpression="marked_at >= :at"',
        (
            "tests/laws/test_marked_campaigns.py::test_a_campaign_that_is_marked_while_others_are_forgotten_stays_noted",
        ),
    ),
    Fault(
        "a request notes a marked campaign after its settings",
        "chalicelib/stats/stored/remarks.py",
        """\
        if "test" in changes:
            self._note_marked(campaign)
        written""",
        "        written",
        ("tests/laws/test_marked_campaigns.py",),
    ),
    Fault(
        "hidden tests are in the totals of a list",
        "chalicelib/live/campaign_lists.py",
        "_totals(found)",
        "_totals(matching)",
        ("tests/unit/test_campaign_lists.py",),
    ),
    Fault(
        "a push of the list does not say which campaigns are tests",
        "chalicelib/live/messages.py",
        '        "test": aggregate.is_test,\n',
        "",
        (
            "tests/unit/test_messages.py",
            "tests/laws/test_marked_campaigns.py",
        ),
    ),
    Fault(
        "a campaign is compared with earlier tests",
        "chalicelib/stats/pace.py",
        "        and not one.is_test\n",
        "",
        ("tests/unit/test_campaign_pace.py::test_a_campaign_is_not_compared_with_earlier_tests",),
    ),
    Fault(
        "the hours of opens are those with the most opens, not the first",
        "chalicelib/live/messages.py",
        'first = nsmallest(MOST_HOURS, opened, key=attrgetter("part"))',
        'first = nsmallest(MOST_HOURS, opened, key=lambda one: -one.counts["human_opens"])',
        ("tests/unit/test_messages.py",),
    ),
    Fault(
        "hours whose opens turned out a bot's are among the hours of opens",
        "chalicelib/live/messages.py",
        'opened = (one for one in hours if one.counts.get("human_opens", 0) > 0)',
        'opened = (one for one in hours if "human_opens" in one.counts)',
        ("tests/unit/test_messages.py",),
    ),
    Fault(
        "the opens of a day count as those of its first hour",
        "static/src/week.js",
        '    if (resolution === "day") return;\n',
        "",
        ("static/test/week.test.js",),
    ),
    Fault(
        "the hours of opens are those of UTC",
        "static/src/week.js",
        'hourCycle: "h23", timeZone }',
        'hourCycle: "h23", timeZone: "UTC" }',
        ("static/test/week.test.js",),
    ),
    Fault(
        "a campaign without opens is among those whose hours are shown",
        "static/src/week.js",
        "    if (opened) this.campaigns += 1;",
        "    this.campaigns += 1;",
        ("static/test/week.test.js",),
    ),
    Fault(
        "the wall screen shows the oldest campaign first",
        "static/src/rotation.js",
        "b.at - a.at",
        "a.at - b.at",
        ("static/test/rotation.test.js",),
    ),
    Fault(
        "the wall screen shows tests",
        "static/src/rotation.js",
        "filter(({ campaign }) => !campaign.test)",
        "filter(Boolean)",
        ("static/test/rotation.test.js",),
    ),
    Fault(
        "a critical incident interrupts the wall screen again and again",
        "static/src/rotation.js",
        "const known = seen.filter((one) => running.includes(one));",
        "const known = seen.slice(0, 0);",
        ("static/test/rotation.test.js",),
    ),
    Fault(
        "a wall screen stays where it is after its clock was set back",
        "static/src/rotation.js",
        "Math.min(since, now)",
        "since",
        ("static/test/rotation.test.js",),
    ),
    Fault(
        "a campaign that is closed stays in the set of those judged",
        "chalicelib/stats/incident_table.py",
        "if campaign in self._closed and not is_further:",
        "if campaign in self._closed:",
        (
            "tests/laws/test_incidents.py::test_a_campaign_whose_results_are_sent_after_48_hours_is_left_with_nothing_to_do",
        ),
    ),
    Fault(
        "a campaign whose incident has ended stays in the set of those judged",
        "chalicelib/stats/incident_table.py",
        "        if campaign in further.judged:\n",
        "        if False:\n",
        (
            "tests/laws/test_incidents.py::test_an_incident_is_judged_until_it_ends_though_newer_campaigns_begin",
        ),
    ),
    Fault(
        "a campaign is added to those judged after its watch log is stored",
        "chalicelib/stats/incident_table.py",
        """\
            if new.is_open and campaign not in further.judged:
                self._stats_table.watch_logs.judge_further(campaign, judged=True)
            found = None
            if new.has_work or not is_same(new, stored.log):
                found = self._store(campaign, new, stored.version)
""",
        """\
            found = None
            if new.has_work or not is_same(new, stored.log):
                found = self._store(campaign, new, stored.version)
            if new.is_open and campaign not in further.judged:
                self._stats_table.watch_logs.judge_further(campaign, judged=True)
""",
        (
            "tests/laws/test_incidents.py::test_after_a_crash_at_any_call_an_incident_ends_though_newer_campaigns_begin",
        ),
    ),
    Fault(
        "a snapshot that replaces missed pushes lacks what has become empty",
        "chalicelib/live/snapshots.py",
        "            replaces_pushes=replaces_pushes,\n",
        "",
        (
            "tests/laws/test_laws.py::test_a_viewer_who_missed_that_a_minute_became_empty_does_not_show_it",
        ),
    ),
)


@click.command()
@click.argument("chosen", nargs=-1, metavar="[FAULT]…")
@click.option("--list", "lists", is_flag=True, help="Print the numbers and descriptions only.")
@click.option("--write", is_flag=True, help="Update the table in docs/reliability.md.")
def main(chosen: tuple[str, ...], *, lists: bool, write: bool) -> None:
    """Seed all faults, or those in the arguments, one at a time, and run their tests."""
    faults = selected(chosen)
    if lists:
        for number, fault in faults.items():
            print(f"{number:3} {fault.file}: {fault.description}")
        return
    if write and chosen:
        raise click.UsageError("--write needs the results of all faults: name none")
    results: dict[int, Result] = {}
    with copied() as folder:
        tests = tuple(dict.fromkeys(test for one in faults.values() for test in one.tests))
        click.echo(f"{len(tests)} test files or tests without a fault …", err=True)
        if (unchanged := run(folder, tests)).reason != "all tests passed":
            raise click.ClickException(
                f"these tests must pass before a fault is seeded: {unchanged.caught_by or ''} "
                f"{unchanged.reason}"
            )
        for number, fault in faults.items():
            results[number] = found = seeded(folder, fault)
            verdict = f"caught by {found.caught_by}" if found.caught_by else "SURVIVED"
            note = "" if found.caught_by else f" ({found.reason})"
            click.echo(
                f"{number:3} {fault.description}: {verdict}{note}, {found.seconds:.1f} s", err=True
            )
    shown = table(faults, results)
    print(shown)
    if write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{shown}\n\n{END}{rest.partition(END)[2]}")
    survivors = [number for number, one in results.items() if one.caught_by is None]
    print(f"\n{len(results) - len(survivors)} of {len(results)} faults were caught.")
    sys.exit(1 if survivors else 0)


def selected(chosen: Sequence[str]) -> dict[int, Fault]:
    """Return the chosen faults by number; all if nothing is chosen.

    Raises:
        click.UsageError: an argument selects nothing.
    """
    numbered = dict(enumerate(FAULTS, 1))
    numbers: set[int] = set()
    for text in chosen:
        if span := re.fullmatch(r"(\d+)(?:-(\d+))?", text):
            found = {*range(int(span[1]), int(span[2] or span[1]) + 1)} & numbered.keys()
        else:
            found = {
                number
                for number, one in numbered.items()
                if text in one.description or text in one.file
            }
        if not found:
            raise click.UsageError(f"{text!r} is no fault: see --list")
        numbers |= found
    return {number: numbered[number] for number in sorted(numbers or numbered)}


@contextmanager
def copied(source: Path = ROOT) -> "Iterator[Path]":
    """Copy the tracked files to a temporary folder, and refer to the installed packages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=source, stdout=subprocess.PIPE, text=True, check=True
    )
    with tempfile.TemporaryDirectory(prefix="seeded-faults-") as name:
        folder = Path(name)
        for path in filter(None, listed.stdout.split("\0")):
            if (source / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / path, folder / path)
        for path in _PACKAGES:
            if (source / path).exists():
                (folder / path).symlink_to((source / path).resolve())
        (folder / "seeded_profile.py").write_text(_PROFILE)
        yield folder


def seeded(folder: Path, fault: Fault) -> Result:
    """Seed one fault in the copy, run its tests, and remove the fault."""
    file = folder / fault.file
    intact = file.read_text()
    _write(file, changed(intact, fault))
    try:
        return run(folder, fault.tests)
    finally:
        _write(file, intact)


def _write(file: Path, text: str) -> None:
    """Write a file with a later time, by which Python recognizes outdated bytecode."""
    at = file.stat().st_mtime + 1
    file.write_text(text)
    os.utime(file, (at, at))


def changed(text: str, fault: Fault) -> str:
    """Return the content of a file with its fault.

    Raises:
        click.ClickException: the fragment is missing or ambiguous, or the result is not Python.
    """
    if (times := text.count(fault.original)) != 1:
        raise click.ClickException(
            f"{fault.file} contains {fault.original!r} {times} times: correct the fault "
            f"{fault.description!r}"
        )
    result = text.replace(fault.original, fault.replacement)
    if fault.file.endswith(".py"):
        try:
            ast.parse(result)
        except SyntaxError as error:
            raise click.ClickException(f"{fault.description!r} is not Python: {error}") from error
    return result


def run(folder: Path, tests: Sequence[str]) -> Result:
    """Run tests in the copy until one fails."""
    began = time.monotonic()
    of_page = [one for one in tests if one.startswith("static/")]
    of_python = [one for one in tests if one not in of_page]
    caught_by, reason = None, "all tests passed"
    if of_page:
        command = ["node", "--test", "--test-reporter=tap", *of_page]
        status, output = _output(folder, command)
        if status:
            found = _FAILED_IN_NODE.search(output)
            caught_by, reason = found and f"{of_page[0]}: {found[1]}", f"node: status {status}"
    if of_python and reason == "all tests passed":
        options = ("-x", "-q", "-n0", "-p", "no:cacheprovider", f"--timeout={_TEST_SECONDS}")
        profile = ("-p", "seeded_profile", "--hypothesis-profile=seeded")
        command = [sys.executable, "-m", "pytest", *options, *profile]
        status, output = _output(folder, [*command, *of_python])
        if status:
            found = _FAILED.search(output)
            lines = [one for one in output.splitlines() if one.startswith(("E ", "ERROR"))]
            caught_by = found[1] if found and status == 1 else None
            reason = f"pytest: status {status}: {' '.join(lines)[:200]}"
    return Result(caught_by, reason, time.monotonic() - began)


def _output(folder: Path, command: list[str]) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"no result within {_SECONDS} s"
    return done.returncode, done.stdout


def table(faults: dict[int, Fault], results: dict[int, Result]) -> str:
    """Return the results as a table in Markdown."""
    lines = ["| | Fault | Caught by |", "|---|---|---|"]
    for number, fault in faults.items():
        by = results[number].caught_by
        lines.append(f"| {number} | {fault.description} | {f'`{by}`' if by else '**survived**'} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
