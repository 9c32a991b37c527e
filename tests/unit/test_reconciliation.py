"""Our counts of a day beside SES's: what explains a difference, and what is left."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.insight.day_counts import (
    METRICS,
    Emails,
    Known,
    OurDay,
    TheirDay,
    days_between,
    their_days,
)
from chalicelib.insight.difference_causes import Cause
from chalicelib.insight.reconciliation import (
    Comparison,
    balance,
    explain,
    is_published,
    reconcile,
    total_of,
)

MON, TUE, WED, THU = (f"2026-11-{number}" for number in (23, 24, 25, 26))


def compared(ours, theirs, *causes):
    return explain(Comparison("cloudwatch", "sends", MON, ours, theirs), causes)


def known(ours, theirs, **more):
    """Return what is known: counters, and CloudWatch's metrics, by day."""
    return Known(
        {day: one if isinstance(one, OurDay) else OurDay(one) for day, one in ours.items()},
        {
            "cloudwatch": {
                day: one if isinstance(one, TheirDay) else TheirDay(one)
                for day, one in theirs.items()
            },
            **more.pop("other_sources", {}),
        },
        **more,
    )


def found(days, of, metric="sends", source="cloudwatch"):
    """Return the comparisons of a metric by day; None has the sum."""
    return {
        one.day: one for one in reconcile(days, of) if one.metric == metric and one.source == source
    }


def names(one):
    return {cause.name: (cause.low, cause.high) for cause in one.causes}


@pytest.mark.parametrize(
    ("ours", "causes", "rest"),
    [
        (100, [], 0),
        (103, [], 3),
        (97, [], -3),
        (103, [Cause("simulator", 0, 5)], 0),
        (103, [Cause("simulator", 0, 2)], 1),
        (97, [Cause("simulator", 0, 5)], -3),
        (97, [Cause("waiting", -2, 0)], -1),
        (103, [Cause("simulator", 5, 5)], -2),
        (103, [Cause("simulator", 5, 5), Cause("waiting", -9, 0)], 0),
    ],
)
def test_the_rest_is_what_lies_outside_the_bounds_of_all_causes(ours, causes, rest):
    assert compared(ours, 100, *causes).unexplained == rest


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(-9, 0), st.integers(0, 9)), max_size=4),
)
def test_the_rest_and_some_amount_of_the_causes_are_the_difference(ours, theirs, bounds):
    one = compared(ours, theirs, *[Cause("simulator", low, high) for low, high in bounds])

    explained = one.difference - one.unexplained
    assert sum(low for low, _ in bounds) <= explained <= sum(high for _, high in bounds)
    assert abs(one.unexplained) <= abs(one.difference)


def test_causes_that_cannot_contribute_are_left_out():
    assert compared(5, 5, Cause("waiting", 0, 0), Cause("simulator", 0, 1)).causes == [
        Cause("simulator", 0, 1)
    ]


@pytest.mark.parametrize(
    ("ours", "tolerance", "is_within"),
    [(1000, 0.0, True), (999, 0.0, False), (999, 0.001, True), (998, 0.001, False)],
)
def test_the_tolerance_is_a_part_of_what_ses_counted(ours, tolerance, is_within):
    assert compared(ours, 1000).is_within(tolerance) is is_within


def test_all_kinds_of_bounces_are_compared_with_the_one_metric_of_cloudwatch():
    counters = {"hard_bounces": 3, "soft_bounces": 4, "undetermined_bounces": 1, "prevented": 2}

    one = found([MON], known({MON: counters}, {MON: {"bounces": 9}}), "bounces")[MON]

    assert (one.ours, one.theirs, one.unexplained) == (10, 9, 0)
    assert names(one)["suppressed"] == (0, 2)


def test_a_negative_counter_counts_as_zero():
    one = found([MON], known({MON: {"sends": -2}}, {MON: {"sends": 1}}))[MON]

    assert (one.ours, one.unexplained) == (0, -1)


def test_events_around_midnight_may_count_on_the_next_day():
    of = known(
        {MON: OurDay({"sends": 10}, {"sends": 3}), TUE: {"sends": 5}},
        {MON: {"sends": 8}, TUE: TheirDay({"sends": 7}, {"sends": 2})},
    )

    one = found([MON, TUE], of)

    assert names(one[MON])["around_midnight"] == (0, 2), "no more than SES's first minutes"
    assert names(one[TUE])["around_midnight"] == (-2, 0)
    assert [one[day].unexplained for day in (None, MON, TUE)] == [0, 0, 0]


def test_no_more_moves_over_midnight_than_we_counted_in_the_last_hour():
    of = known(
        {MON: OurDay({"sends": 10}, {"sends": 1}), TUE: {"sends": 5}},
        {MON: {"sends": 8}, TUE: TheirDay({"sends": 7}, {"sends": 2})},
    )

    one = found([MON, TUE], of)

    assert (one[MON].unexplained, one[TUE].unexplained) == (1, -1)


def test_a_loss_is_not_explained_by_midnights_between_the_days():
    """Each midnight may explain two events, but a sum of days has only the outer ones."""
    ours = {day: OurDay({"sends": 8}, {"sends": 2}) for day in (MON, TUE, WED)}
    theirs = {day: TheirDay({"sends": 10}, {"sends": 2}) for day in (MON, TUE, WED)}

    one = found([TUE, WED], known(ours, theirs))

    assert (one[TUE].unexplained, one[WED].unexplained) == (0, 0)
    assert one[None].unexplained == -2
    assert names(one[None])["around_midnight"] == (-2, 0)


def test_the_last_minutes_of_a_day_that_has_just_ended_may_be_missing_in_ses():
    of = known({MON: OurDay({"sends": 10}, {"sends": 4})}, {MON: {"sends": 7}}, unsettled=TUE)

    assert found([MON], of)[MON].unexplained == 0


def test_a_complaint_that_ses_counts_a_day_later_is_explained_on_both_days():
    of = known(
        {MON: {"complaints": 3}, TUE: {"complaints": 1}, WED: {"complaints": 1}},
        {MON: {"complaints": 2}, TUE: {"complaints": 2}, WED: {"complaints": 1}},
    )

    one = found([MON, TUE, WED], of, "complaints")

    assert all(day.unexplained == 0 for day in one.values())
    assert names(one[MON]) == {"reported_later": (1, 1)}
    assert names(one[TUE]) == {"reported_later": (-1, -1)}
    assert one[None].causes == []


def test_a_complaint_of_the_last_day_is_looked_for_on_the_day_after():
    of = known(
        {MON: {"complaints": 3}, TUE: {"complaints": 1}},
        {MON: {"complaints": 2}, TUE: {"complaints": 2}},
    )

    one = found([MON], of, "complaints")

    assert set(one) == {None, MON}
    assert (one[None].unexplained, one[MON].unexplained) == (0, 0)


def test_a_loss_on_one_day_is_not_balanced_by_an_excess_on_a_later_one():
    of = known(
        {MON: {"complaints": 1}, TUE: {"complaints": 3}},
        {MON: {"complaints": 2}, TUE: {"complaints": 2}},
    )

    one = found([MON, TUE], of, "complaints")

    assert (one[MON].unexplained, one[TUE].unexplained) == (-1, 1)


def test_sends_are_never_balanced_between_days():
    of = known({MON: {"sends": 3}, TUE: {"sends": 1}}, {MON: {"sends": 2}, TUE: {"sends": 2}})

    one = found([MON, TUE], of)

    assert (one[MON].unexplained, one[TUE].unexplained) == (1, -1)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=6))
def test_balancing_keeps_the_sum_and_makes_no_rest_larger(rests):
    days = [
        explain(Comparison("cloudwatch", "complaints", f"d{number}", 10 + rest, 10), [])
        for number, rest in enumerate(rests)
    ]

    after = balance(days)

    assert sum(one.unexplained for one in after) == sum(rests)
    for before, one in zip(days, after, strict=True):
        assert abs(one.unexplained) <= abs(before.unexplained)
        assert one.unexplained * before.unexplained >= 0
        assert one.unexplained + sum(cause.low for cause in one.causes) == one.difference


def test_events_that_wait_in_the_queue_are_the_same_on_each_day():
    of = known(
        {MON: {"sends": 7}, TUE: {"sends": 8}}, {MON: {"sends": 10}, TUE: {"sends": 10}}, waiting=3
    )

    one = found([MON, TUE], of)

    assert (one[MON].unexplained, one[TUE].unexplained) == (0, 0)
    assert one[None].unexplained == -2, "five are missing, and only three wait"


def test_events_wait_only_since_the_oldest_of_them():
    of = known(
        {MON: {"sends": 7}, TUE: {"sends": 8}},
        {MON: {"sends": 10}, TUE: {"sends": 10}},
        waiting=3,
        waiting_since=TUE,
    )

    one = found([MON, TUE], of)

    assert (one[MON].unexplained, one[TUE].unexplained) == (-3, 0)


@pytest.mark.parametrize("name", ["dead_letters", "quarantined"])
def test_dead_letters_and_quarantined_events_may_be_of_any_day(name):
    of = known({MON: {"opens": 7}}, {MON: {"opens": 9}}, **{name: 2})

    assert found([MON], of, "opens")[MON].unexplained == 0


def test_days_up_to_the_first_event_explain_what_is_missing():
    theirs = {MON: {"sends": 9}, TUE: {"sends": 9}, WED: {"sends": 9}}
    ours = {TUE: {"sends": 4}, WED: {"sends": 8}}

    one = found([MON, TUE, WED], known(ours, theirs, first_day=TUE))

    assert [one[day].unexplained for day in (MON, TUE, WED)] == [0, 0, -1]


def test_without_any_event_of_ours_everything_is_unexplained():
    assert found([MON], known({}, {MON: {"sends": 9}}))[MON].unexplained == -9


def test_facts_explain_several_recipients_and_repeated_reports():
    of = known(
        {MON: {"sends": 12, "hard_bounces": 3}},
        {MON: {"sends": 10, "bounces": 4}},
        emails=Emails(extra={MON: {"sends": 2}}, repeated={MON: {"bounces": 1}}),
    )

    assert found([MON], of)[MON].unexplained == 0
    assert found([MON], of, "bounces")[MON].unexplained == 0


def test_vdm_leaves_out_several_recipients_and_the_simulator_exactly():
    vdm = {"vdm": {MON: TheirDay({"sends": 5})}}
    emails = Emails(several={MON: {"sends": 4}}, simulator={MON: {"sends": 2}})

    explained = found(
        [MON],
        known({MON: {"sends": 11}}, {MON: {"sends": 11}}, other_sources=vdm, emails=emails),
        source="vdm",
    )
    lost = found(
        [MON],
        known({MON: {"sends": 10}}, {MON: {"sends": 11}}, other_sources=vdm, emails=emails),
        source="vdm",
    )

    assert (explained[MON].difference, explained[MON].unexplained) == (6, 0)
    assert lost[MON].unexplained == -1


def test_other_configuration_sets_explain_as_much_as_vdm_counted_for_them():
    of = known(
        {MON: {"sends": 10, "opens": 5, "hard_bounces": 1}},
        {MON: {"sends": 17, "opens": 99, "bounces": 3}},
        elsewhere={MON: {"sends": 6, "unique_opens": 2, "hard_bounces": 1, "soft_bounces": 1}},
    )

    assert found([MON], of)[MON].unexplained == -1
    assert found([MON], of, "bounces")[MON].unexplained == 0
    assert found([MON], of, "opens")[MON].unexplained == 0, "VDM counts only unique opens"


def test_a_metric_that_ses_has_never_published_is_no_difference():
    one = found([MON, TUE], known({MON: {"opens": 5}}, {MON: {"sends": 1}}), "opens")

    assert [one[day].theirs for day in (None, MON, TUE)] == [None, None, None]
    assert all(day.unexplained == 0 and day.difference == 0 for day in one.values())


def test_a_metric_without_values_is_zero_where_we_counted_nothing():
    one = found([MON], known({MON: {"sends": 5}}, {MON: {"sends": 5}}), "rejects")

    assert (one[None].ours, one[None].theirs) == (0, 0)


def test_a_day_without_values_is_zero_if_the_metric_has_values_on_another():
    of = known({MON: {"clicks": 2}, TUE: {"clicks": 1}}, {MON: {"clicks": 2}})

    assert found([MON, TUE], of, "clicks")[TUE].unexplained == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "is_so"),
    [({}, {}, True), ({"sends": 1}, {}, False), ({"sends": 1}, {"sends": 1}, True)],
)
def test_metrics_are_missing_only_if_there_is_something_to_compare(ours, theirs, is_so):
    assert is_published([MON], known({MON: ours}, {MON: theirs} if theirs else {})) is is_so


def test_each_metric_has_its_sum_first_and_then_its_days():
    result = reconcile([MON, TUE], known({}, {}))

    assert [one.day for one in result[:3]] == [None, MON, TUE]
    assert len(result) == 3 * len(METRICS["cloudwatch"])


def test_values_of_cloudwatch_are_summed_by_utc_day():
    def at(text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()

    points = {
        "Send": [
            (at("2026-11-23T00:00"), 3.0),
            (at("2026-11-23T00:15"), 4.0),
            (at("2026-11-23T23:45"), 5.0),
            (at("2026-11-24T00:00"), 1.0),
        ],
        "RenderingFailure": [(at("2026-11-24T12:00"), 2.0)],
    }

    assert their_days(points) == {
        MON: TheirDay({"sends": 12}, {"sends": 3}),
        TUE: TheirDay({"sends": 1, "rendering_failures": 2}, {"sends": 1}),
    }


def test_the_sum_of_one_day_is_that_day():
    day = compared(103, 100, Cause("around_midnight", -1, 2), Cause("dead_letters", -4, 0))

    total = total_of([day])

    assert (total.causes, total.unexplained) == (day.causes, day.unexplained)


def test_days_are_consecutive_and_include_both_ends():
    first, last = date(2026, 11, 29), date(2026, 12, 2)

    assert days_between(first, last) == [
        *("2026-11-29", "2026-11-30"),
        *("2026-12-01", "2026-12-02"),
    ]
