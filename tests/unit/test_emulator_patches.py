"""Each emulator patch is still needed, and works.

When a test fails because the emulator no longer has a fault, remove the patch for it.
"""

import asyncio
import copy
import inspect
import json
import queue
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import ministack.app
import pytest
import yaml
from ministack.core import lambda_runtime, persistence, responses
from ministack.services import apigateway, dynamodb, eventbridge, lambda_svc, sqs, sts
from ministack.services.cloudformation import engine

from chalicelib.stats.update import checkpoint_bytes, shard_attribute_of
from dashboard.local.emulator import internals, monotonic_clock, patches, saved_state, speedups
from dashboard.local.emulator.generations import Generations
from dashboard.paths import TEMPLATE

SCOPE = ("000000000000", "us-east-1")


@pytest.fixture
def streams(monkeypatch):
    """Create the tables `slow` and `quick`, each with a stream mapping and one unread record."""
    mappings = []
    for table in ("slow", "quick"):
        arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/1"
        mapping = {"UUID": table, "EventSourceArn": arn, "FunctionName": table, "BatchSize": 10}
        mappings.append((*SCOPE, mapping))
        dynamodb._tables.set_scoped(*SCOPE, table, {"LatestStreamArn": arn})
        dynamodb._stream_records.set_scoped(*SCOPE, table, [{"eventID": "1"}])
        lambda_svc._dynamodb_stream_positions.set_scoped(*SCOPE, table, 0)
    monkeypatch.setattr(patches, "_all_mappings", lambda: iter(mappings))
    monkeypatch.setattr(internals, "_all_mappings", lambda: iter(mappings))
    monkeypatch.setattr(lambda_svc, "_iter_all_esms", lambda: iter(mappings))
    record = lambda name, _qualifier: ({"name": name}, {})  # noqa: E731 - a fake of one line
    monkeypatch.setattr(lambda_svc, "_get_func_record_for_qualifier", record)
    yield mappings
    for table in ("slow", "quick"):
        dynamodb._tables.pop_scoped(*SCOPE, table)
        dynamodb._stream_records.pop_scoped(*SCOPE, table)
        dynamodb._stream_trimmed.pop_scoped(*SCOPE, table, None)
        lambda_svc._dynamodb_stream_positions.pop_scoped(*SCOPE, table)


class Functions:
    """Fake Lambda functions: `slow` runs until it is released."""

    def __init__(self):
        self.let_go = threading.Event()
        self.calls = []
        self.threads = set()
        self.done = threading.Semaphore(0)

    def __call__(self, function, event):
        self.threads.add(threading.current_thread())
        if function["name"] == "slow":
            assert self.let_go.wait(10)
        self.calls.append((function["name"], [record["eventID"] for record in event["Records"]]))
        self.done.release()
        return {"body": None}

    def wait(self):
        assert self.done.acquire(timeout=10)


@pytest.fixture
def functions(monkeypatch):
    functions = Functions()
    monkeypatch.setattr(lambda_svc, "_execute_function", functions)
    yield functions
    functions.let_go.set()


@pytest.fixture
def patched(monkeypatch, streams):
    names = patches
    monkeypatch.setattr(lambda_svc, "_iter_all_esms", names._mappings_of_this_thread)
    yield names._start_polling
    until = time.monotonic() + 10
    while names._busy:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_emulator_still_runs_stream_functions_on_its_single_poll_thread(streams, functions):
    functions.let_go.set()

    lambda_svc._poll_dynamodb_streams()

    assert functions.threads == {threading.current_thread()}


def test_a_slow_function_does_not_delay_another_stream(patched, functions):
    patched()

    functions.wait()
    assert functions.calls == [("quick", ["1"])]
    functions.let_go.set()
    functions.wait()
    assert functions.calls == [("quick", ["1"]), ("slow", ["1"])]


def test_a_stream_is_read_in_order_one_batch_at_a_time(patched, functions, streams):
    patched()
    patched()
    functions.wait()

    for number in range(2, 30):
        dynamodb._stream_records.get_scoped(*SCOPE, "slow").append({"eventID": str(number)})
    functions.let_go.set()
    for _ in range(4):
        functions.wait()

    read = [record for name, records in functions.calls if name == "slow" for record in records]
    assert read == [str(number) for number in range(1, 30)]


def test_the_batching_window_of_a_stream_coalesces_records(patched, functions, streams):
    streams[1][2]["MaximumBatchingWindowInSeconds"] = 2
    patched()

    records = dynamodb._stream_records.get_scoped(*SCOPE, "quick")
    for number in (2, 3):
        time.sleep(0.2)
        records.append({"eventID": str(number)})
    functions.wait()

    assert functions.calls == [("quick", ["1", "2", "3"])]


def test_the_shortest_window_is_shorter_than_in_aws(patched, functions, streams):
    streams[1][2]["MaximumBatchingWindowInSeconds"] = 1
    began = time.monotonic()
    patched()

    functions.wait()

    assert 0.2 <= time.monotonic() - began < 1


def test_a_full_batch_does_not_wait_for_the_window_to_end(patched, functions, streams):
    streams[1][2]["MaximumBatchingWindowInSeconds"] = 300
    records = dynamodb._stream_records.get_scoped(*SCOPE, "quick")
    records += [{"eventID": str(number)} for number in range(2, 11)]

    patched()
    functions.wait()

    assert len(functions.calls[0][1]) == 10


def test_a_record_stays_until_each_reader_of_its_stream_has_read_it(streams):
    _, _, mapping = streams[1]
    streams.append((*SCOPE, {**mapping, "UUID": "other"}))
    records = dynamodb._stream_records.get_scoped(*SCOPE, "quick")
    positions = lambda_svc._dynamodb_stream_positions
    positions.set_scoped(*SCOPE, "quick", 1)

    internals.forget_read_records(*streams[1])
    assert len(records) == 1
    positions.set_scoped(*SCOPE, "other", 1)
    internals.forget_read_records(*streams[1])

    assert records == []
    positions.pop_scoped(*SCOPE, "other")


def test_processed_records_are_dropped_and_the_remaining_ones_counted(streams, functions):
    mapping = streams[1]
    records = dynamodb._stream_records.get_scoped(*SCOPE, "quick")
    records += [{"eventID": "2"}, {"eventID": "3"}]
    lambda_svc._dynamodb_stream_positions.set_scoped(*SCOPE, "quick", 2)

    internals.forget_read_records(*mapping)

    assert records == [{"eventID": "3"}]
    assert internals.unread_records(*mapping) == 1
    assert dynamodb.stream_records_since("quick", 2, 10, account_id=SCOPE[0], region=SCOPE[1]) == [
        {"eventID": "3"}
    ]


@pytest.fixture
def mapping(streams):
    """Return the emulator's mapping of `quick`."""
    kept = streams[1][2]
    lambda_svc._esms["quick"] = kept
    yield kept
    del lambda_svc._esms["quick"]


def test_emulator_still_drops_a_tumbling_window(mapping):
    patches._update_mapping("quick", {"TumblingWindowInSeconds": 900})

    assert "TumblingWindowInSeconds" not in mapping


def test_only_a_mapping_with_a_tumbling_window_receives_its_shard_id(streams, mapping, monkeypatch):
    seen = []
    monkeypatch.setattr(patches, "_execute", lambda _, event: seen.append(event))
    monkeypatch.setattr(patches._this_thread, "only", streams[1], raising=False)

    patches._execute_with_shard({}, {"Records": []})
    patches._update_with_window("quick", {"TumblingWindowInSeconds": 900})
    patches._execute_with_shard({}, {"Records": []})

    assert mapping["TumblingWindowInSeconds"] == 900
    without, told = seen
    assert "shardId" not in without
    assert told["shardId"].startswith("shardId-")


def test_emulator_still_simulates_a_transition_when_a_function_changes():
    assert lambda_svc._LAMBDA_STATE_TRANSITION_DELAY > 0


def test_emulator_still_saves_stream_positions_without_the_streams():
    assert "dynamodb_stream_positions" in lambda_svc.get_state()
    assert not [name for name in dynamodb.get_state() if "stream" in name]


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Return a folder from which the emulator loads its state."""
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    return tmp_path


def test_stream_positions_are_not_loaded(saved, monkeypatch):
    loaded = []
    monkeypatch.setattr(lambda_svc, "load_persisted_state", loaded.append)
    content = {"__ministack_format__": 2, "payload": {"esms": 1, "dynamodb_stream_positions": 2}}
    (saved / "lambda.json").write_text(json.dumps(content))

    saved_state._load()

    assert loaded == [{"esms": 1}]


@pytest.mark.parametrize("text", ["", "{", '{"__ministack_format__": 99, "payload": {}}'])
def test_state_that_the_emulator_cannot_load_is_an_error(saved, text):
    (saved / "sts.json").write_text(text)

    with pytest.raises(saved_state.LoadError, match="sts"):
        saved_state._load()


def test_a_service_whose_state_cannot_be_loaded_is_an_error(saved, monkeypatch):
    (saved / "sts.json").write_text('{"users": 1}')

    def fail(_state):
        raise KeyError("users")

    monkeypatch.setattr(sts, "load_persisted_state", fail)
    with pytest.raises(KeyError, match="users"):
        saved_state._load()

    broken = ministack.app._ErrorModule("sts", "no such package")
    monkeypatch.setitem(ministack.app._loaded_modules, "sts", broken)
    with pytest.raises(saved_state.LoadError, match="sts was saved"):
        saved_state._load()


def test_emulator_still_ignores_state_that_it_cannot_load(saved):
    (saved / "sts.json").write_text("{")

    assert persistence.load_state("sts") is None


def test_a_service_that_cannot_be_saved_keeps_the_previous_state(tmp_path, monkeypatch):
    generations = Generations(tmp_path)
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", "")
    monkeypatch.setattr(lambda_svc, "CODE_BLOB_DIR", "")
    states = {"sts": lambda: {"users": 1}, "sqs": lambda: {"queues": 2}}
    monkeypatch.setattr(ministack.app, "_build_persistence_save_dict", lambda: states)
    saved_state.save(generations)
    states["sqs"] = lambda: {"queues": object()}

    with pytest.raises(saved_state.SaveError, match="sqs"):
        saved_state.save(generations)

    generations.check("", "")
    saved = {path.name for path in generations.latest().iterdir()}
    assert saved == {"sts.json", "sqs.json", "manifest.json"}


def test_emulator_still_echoes_no_subprotocol():
    # local/emulator/edge.py does it instead.
    assert "subprotocol" not in inspect.getsource(apigateway.handle_websocket)


class Clock:
    """Fake `time.time`."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now

    def step_back(self):
        self.now -= 24 * 3600


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def test_emulator_still_takes_sequence_numbers_from_the_clock(clock):
    before = dynamodb._next_stream_seq()
    clock.step_back()

    assert int(dynamodb._next_stream_seq()) < int(before)


def test_sequence_numbers_increase_when_the_clock_steps_back(clock):
    numbers = monotonic_clock.SequenceNumbers()
    given = [numbers.next(), numbers.next()]
    clock.step_back()
    given += [numbers.next(), numbers.next()]
    clock.now += 48 * 3600
    given += [numbers.next()]

    assert given == sorted(given)
    assert len(set(given)) == 5
    assert {len(number) for number in given} == {len(dynamodb._next_stream_seq())}


@pytest.mark.parametrize("kept", ["checkpoint", "position"])
def test_sequence_numbers_start_above_the_stored_ones(clock, monkeypatch, kept):
    numbers = monotonic_clock.SequenceNumbers()
    monkeypatch.setattr(monotonic_clock, "sequence_numbers", numbers)
    highest = int(monotonic_clock.SequenceNumbers().next())
    clock.step_back()
    checkpoint = b64encode(checkpoint_bytes(highest, clock.now)).decode()
    items = {
        "checkpoint": {
            "campaign": {"S": "c"},
            shard_attribute_of("stream", "shard"): {"B": checkpoint},
        },
        "position": {"campaign": {"S": " pipeline"}, "read": {"S": str(highest).zfill(40)}},
    }
    table = {"sk_name": "part", "items": {"c": {"summary": items[kept]}}}
    monkeypatch.setattr(monotonic_clock, "_load_tables", lambda _: None)
    monkeypatch.setattr(dynamodb._tables, "_data", {(*SCOPE, "stats"): table})

    monotonic_clock._load_tables_and_checkpoints({})

    assert int(numbers.next()) > highest


@pytest.fixture
def waiting(clock):
    """Return a queue with a message that was sent before the clock stepped back."""
    message = {"id": "1", "visible_at": clock.now, "body": "", "sys": {}}
    sqs._ensure_msg_fields(message)
    clock.step_back()
    return {"attributes": {"VisibilityTimeout": "20"}, "messages": [message], "is_fifo": False}


def test_emulator_still_hides_messages_until_the_clock_catches_up(clock, waiting):
    clock.now += 3600

    assert monotonic_clock._collect(waiting, 10, 20) == []


def test_messages_are_hidden_for_at_most_the_visibility_timeout(clock, waiting):
    assert monotonic_clock._collect_messages(waiting, 10, 20) == []
    clock.now += 20

    assert len(monotonic_clock._collect_messages(waiting, 10, 20)) == 1
    assert monotonic_clock._collect_messages(waiting, 10, 20) == []


@pytest.fixture
def pausing(clock):
    """Return a mapping whose function failed before the clock stepped back."""
    pauses = lambda_svc._esm_backoff_until
    pauses.set_scoped(*SCOPE, "mapping", clock.now + 1)
    clock.step_back()
    yield lambda: pauses.get_scoped(*SCOPE, "mapping", 0) > clock.now
    pauses.pop_scoped(*SCOPE, "mapping", None)


def test_emulator_still_pauses_mappings_until_the_clock_catches_up(pausing):
    monotonic_clock._poll_queues()

    assert pausing()


def test_mappings_continue_when_the_clock_steps_back(pausing):
    monotonic_clock._poll_queues_after_pauses()

    assert not pausing()


def test_a_current_pause_is_kept(clock, pausing):
    lambda_svc._esm_backoff_until.set_scoped(*SCOPE, "mapping", clock.now + 1)

    monotonic_clock._poll_queues_after_pauses()

    assert pausing()


@pytest.fixture
def invocations(clock, monkeypatch):
    """Return the invocations of a rule that runs every minute, last before the clock stepped
    back."""
    arn = "arn:aws:events:us-east-1:000000000000:rule/watch"
    rule = {"State": "ENABLED", "ScheduleExpression": "rate(1 minute)", "Arn": arn}
    key = (*SCOPE, "watch")
    monkeypatch.setattr(eventbridge._rules, "_data", {key: rule})
    monkeypatch.setattr(eventbridge._targets, "_data", {key: [{"Id": "1"}]})
    monkeypatch.setattr(eventbridge, "_rule_last_fired", {key: clock.now})
    found = []
    monkeypatch.setattr(eventbridge, "_invoke_target", lambda *_: found.append(clock.now))
    clock.step_back()
    return found


def test_emulator_still_skips_schedules_until_the_clock_catches_up(clock, invocations):
    monotonic_clock._tick_schedules()
    clock.now += 60
    monotonic_clock._tick_schedules()

    assert invocations == []


def test_schedules_continue_when_the_clock_steps_back(clock, invocations):
    monotonic_clock._tick_schedules_again()
    assert invocations == []
    clock.now += 60
    monotonic_clock._tick_schedules_again()

    assert invocations == [clock.now]


def test_emulator_still_waits_for_a_log_by_the_wall_clock():
    assert "time.time()" in inspect.getsource(lambda_runtime.Worker._drain_stderr_bounded)


def test_a_log_is_read_while_the_clock_stands_still(clock):
    worker = SimpleNamespace(_stderr_queue=queue.Queue())
    assert monotonic_clock._read_log(worker) == ""
    worker._stderr_queue.put("one")
    worker._stderr_queue.put("two")

    assert monotonic_clock._read_log(worker) == "one\ntwo"


def test_emulator_still_drops_unread_records_while_a_laptop_sleeps(clock, streams):
    record = {"dynamodb": {"ApproximateCreationDateTime": clock.now}}
    dynamodb._stream_records.set_scoped(*SCOPE, "quick", [record])
    clock.now += 48 * 3600

    assert internals.unread_records(*streams[1]) == 0


def test_unread_records_survive_a_day_of_sleep(clock, streams, monkeypatch):
    monkeypatch.setattr(dynamodb, "_STREAM_RETENTION_SECONDS", monotonic_clock.STREAM_RETENTION)
    record = {"dynamodb": {"ApproximateCreationDateTime": clock.now}}
    dynamodb._stream_records.set_scoped(*SCOPE, "quick", [record])
    clock.now += 48 * 3600

    assert internals.unread_records(*streams[1]) == 1


@pytest.fixture
def full_queue(monkeypatch):
    """Return a queue with 150 messages."""
    messages = [{"id": str(number), "visible_at": 0, "body": ""} for number in range(150)]
    queue = {"attributes": {"VisibilityTimeout": "20"}, "messages": messages, "is_fifo": False}
    monkeypatch.setattr(sqs, "_get_q", lambda _: queue)
    return queue


def test_emulator_still_passes_at_most_ten_messages_to_a_function(full_queue):
    assert len(sqs._receive_messages_for_esm("url", 100)) == 10


def test_a_function_receives_the_batch_size_of_its_mapping(full_queue):
    sizes = [len(patches._receive_batch("url", 100)) for _ in range(3)]

    assert sizes == [100, 50, 0]


def test_a_copy_of_json_is_equal_and_independent():
    value = {"a": {"L": [{"S": "x"}, {"N": "1"}, {"BOOL": True}, {"NULL": None}]}, "b": {1, 2}}

    copied = speedups.copy_json(value)

    assert copied == copy.deepcopy(value)
    copied["a"]["L"][0]["S"] = "y"
    copied["b"].add(3)
    assert value["a"]["L"][0] == {"S": "x"}
    assert value["b"] == {1, 2}


def request(app, target, body):
    """Send one request to an ASGI application; return status, content type and JSON."""
    pieces = [body[:5], body[5:]]
    sent = []

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    credential = b"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(b"x-amz-target", target), (b"authorization", credential)],
        "query_string": b"",
    }
    # In a separate thread: the browser tests leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, app(scope, receive, send)).result()
    start, *bodies = sent
    headers = {name.lower(): value for name, value in start["headers"]}
    content = b"".join(one["body"] for one in bodies)
    return start["status"], headers[b"content-type"], json.loads(content)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("ListTables", {}),
        ("GetItem", {"TableName": "none", "Key": {"a": {"S": "b"}}}),
        ("NoSuchOperation", {}),
    ],
)
def test_the_fast_path_to_dynamodb_returns_the_same_responses(operation, arguments):
    target = f"DynamoDB_20120810.{operation}".encode()
    body = json.dumps(arguments).encode()

    short = request(speedups.dynamodb_first(ministack.app.app), target, body)

    assert short == request(ministack.app.app, target, body)


def test_only_dynamodb_requests_take_the_fast_path():
    reached = []

    async def app(scope, _receive, send):
        reached.append(scope)
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"")]}
        )
        await send({"type": "http.response.body", "body": b"{}"})

    request(speedups.dynamodb_first(app), b"AmazonSQS.SendMessage", b"{}")

    assert len(reached) == 1


def test_emulator_still_tokenizes_an_expression_for_each_item(monkeypatch):
    calls = []
    tokenize = speedups._tokenize
    monkeypatch.setattr(dynamodb, "_tokenize", lambda text: calls.append(text) or tokenize(text))

    for value in ("x", "y"):
        assert dynamodb._evaluate_condition("a = :a", {"a": {"S": value}}, {":a": {"S": value}}, {})

    assert calls == ["a = :a"] * 2


def test_cached_tokens_equal_those_of_the_emulator_and_may_be_modified():
    expression = "begins_with(#a, :b) AND c <> :d"

    speedups.tokens_of(expression).clear()

    assert speedups.tokens_of(expression) == speedups._tokenize(expression)


@pytest.mark.parametrize("template", [TEMPLATE.read_text(), "[2026-11-28, !GetAtt A.B, !If [c]]"])
def test_templates_are_parsed_as_by_the_emulator(template):
    by_the_emulator = yaml.load(template, engine.CfnLoader)

    assert issubclass(engine.CfnLoader, yaml.SafeLoader), "it has a faster parser now"
    assert yaml.load(template, speedups.template_loader()) == by_the_emulator


def test_workers_do_not_import_botocore():
    by_the_emulator = lambda_runtime._PYTHON_WORKER_SCRIPT

    assert by_the_emulator.count(speedups._COUNT_DEPTH) == 1, "it has another script now"
    assert speedups._COUNT_DEPTH not in speedups.worker_script()
    compile(speedups.worker_script(), "_worker.py", "exec")


def test_the_emulator_still_reads_the_model_of_a_service_for_a_content_type():
    responses._service_model.cache_clear()

    for fix, status in (
        (responses.fix_success_content_type, 200),
        (responses.fix_error_content_type, 400),
    ):
        fix("sqs", status, headers := {"Content-Type": "application/json"})
        assert headers == {"Content-Type": "application/x-amz-json-1.0"}

    assert responses._service_model.cache_info().currsize == 1
