"""Tasks run in parallel, a few at a time, and none of their errors is swallowed."""

import threading

import pytest

from chalicelib.aws.parallel import in_threads


def test_eight_tasks_run_at_the_same_time():
    meeting = threading.Barrier(8, timeout=10)

    in_threads([meeting.wait] * 16)

    assert not meeting.broken


def test_no_more_than_eight_run_at_the_same_time():
    names = set()

    in_threads([lambda: names.add(threading.current_thread().name)] * 100)

    assert len(names) <= 8


def test_a_single_task_runs_in_the_callers_thread():
    threads = []

    in_threads([lambda: threads.append(threading.current_thread())])

    assert threads == [threading.current_thread()]


def test_no_tasks_return_no_results():
    in_threads([])


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_an_error_is_raised_when_all_tasks_have_ended(error):
    done = []

    def fail():
        raise error("first")

    with pytest.raises(error, match="first"):
        in_threads([fail, *[lambda: done.append(1)] * 20])

    assert len(done) == 20
