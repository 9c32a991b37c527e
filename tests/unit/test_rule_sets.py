"""bench/rule_sets.py: each rule set does what its description says."""

import pytest
from support import ses

from bench import rule_sets
from bench.rule_sets import PUBLISHED, RULE_SETS, STEPS, Message
from bench.worlds.campaign import events_of, generate
from bench.worlds.email import Hit
from bench.worlds.parameters import SEEDS

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36"
OLD_CHROME = CHROME.replace("Chrome/154", "Chrome/62")
BARE_WEBKIT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
)
APPLE_ADDRESS, OTHER_ADDRESS = "240.0.1.2", "246.0.1.2"


def open_(seconds, agent=CHROME, address=OTHER_ADDRESS, is_bot=None):
    return Hit("Open", round(seconds * 1000), agent, address, None, is_bot)


def click(seconds, link="a", agent=CHROME, address=OTHER_ADDRESS, is_bot=None):
    return Hit("Click", round(seconds * 1000), agent, address, link, is_bot)


def judged(name, *hits, links=("a", "b", "c")):
    [rules] = [one for one in RULE_SETS if one.name == name]
    [classes] = rules.judge([Message(hits, links)])
    return classes


def test_without_rules_every_open_and_click_is_a_persons():
    assert judged("no rules", open_(0.1, "Mozilla/5.0"), click(0.1, agent=None)) == [True, True]


def test_mautic_needs_two_of_its_signals():
    assert judged("Mautic", click(1), click(60, agent="python-requests/2.32.3")) == [True, True]
    assert judged("Mautic", click(1, agent="python-requests/2.32.3")) == [False]


def test_notifuse_judges_by_agent_and_the_first_seven_seconds():
    hits = (open_(60, None), open_(60, ""), click(60, agent="AhrefsBot/7.0"), click(6.9), click(7))
    assert judged("Notifuse", *hits) == [False, False, False, False, True]


def test_the_list_that_takes_the_place_of_notifuses_has_its_length():
    assert len(set(rule_sets._NOTIFUSE_AGENTS)) == 37


def test_warmbly_takes_a_bare_webkit_for_apple_only_in_the_first_minute():
    hits = (open_(59, BARE_WEBKIT), open_(1440, BARE_WEBKIT), open_(1440, "Mozilla/5.0"))
    assert judged("Warmbly", *hits) == [False, True, False]


def test_warmbly_has_another_window_for_clicks_than_for_opens():
    assert judged("Warmbly", open_(45), click(45), click(29)) == [False, True, False]


def test_warmbly_takes_two_links_from_one_address_for_a_scan():
    assert judged("Warmbly", click(100, "a"), click(104, "b")) == [False, False]
    assert judged("Warmbly", click(100, "a"), click(106, "b")) == [True, True]
    assert judged("Warmbly", click(100, "a"), click(104, "a")) == [True, True]
    other = click(104, "b", address="246.0.9.9")
    assert judged("Warmbly", click(100, "a"), other) == [True, True]


def test_clickdimensions_needs_apples_agent_and_apples_address():
    apple = {"agent": "Mozilla/5.0", "address": APPLE_ADDRESS}
    hits = (open_(60, **apple), open_(60, "Mozilla/5.0"), open_(60, address=APPLE_ADDRESS))
    assert judged("ClickDimensions", *hits) == [False, True, True]
    assert judged("ClickDimensions", click(60, **apple)) == [True]


def test_customerminds_takes_clicks_on_all_links_for_a_scan_but_not_later_ones():
    hits = (open_(9), click(40, "a"), click(41, "b"), click(42, "c"), click(900, "a"))
    assert judged("Customerminds", *hits) == [False, False, False, False, True]
    assert judged("Customerminds", *hits, links=("a", "b", "c", "d")) == [True] * 5


def test_customerminds_does_not_judge_emails_with_fewer_than_three_links():
    assert judged("Customerminds", click(40, "a"), click(41, "b"), links=("a", "b")) == [True, True]


def test_millionsend_judges_bursts_outdated_agents_and_the_open_before_them():
    assert judged("MillionSend", click(40, "a"), click(40.1, "b")) == [False, False]
    assert judged("MillionSend", click(40, "a"), click(41, "b")) == [True, True]
    assert judged("MillionSend", click(40, agent=OLD_CHROME)) == [False]
    assert judged("MillionSend", open_(9), click(40, "a"), click(40.1, "b")) == [False] * 3
    late = open_(50)
    assert judged("MillionSend", click(40, "a"), click(40.1, "b"), late) == [False, False, True]


def test_sess_label_alone_leaves_unlabelled_events_to_people():
    hits = (open_(60, is_bot="Likely"), open_(60, is_bot="Unlikely"), open_(60))
    assert judged("SES's label alone", *hits) == [False, True, True]


def test_mailpulses_rules_are_applied_by_its_own_code():
    events = [
        ses.a_send(),
        ses.an_open(at="2026-11-23T10:20:00.000Z", agent=ses.APPLE_MAIL_PRIVACY),
        *(
            ses.a_click(at=f"2026-11-23T10:09:0{number}.000Z", link=f"https://example.com/{number}")
            for number in (1, 2, 3)
        ),
        ses.a_click(at="2026-11-23T12:00:00.000Z", link="https://example.com/1"),
    ]
    message = Message([], (), [ses.raw(event) for event in events])
    assert rule_sets.judge_as_mailpulse([message]) == [[False, False, False, False, True]]


def test_mailpulses_rules_of_networks_compare_the_emails_of_a_campaign():
    emails = [
        Message([], (), [ses.raw(ses.a_click(f"m-{hour}", at=at, address="198.51.100.7"))])
        for hour, at in ((hour, f"2026-11-23T1{hour}:00:00.000Z") for hour in range(1, 7))
    ]
    assert rule_sets.judge_as_mailpulse(emails) == [[False]] * 6
    assert rule_sets.judge_as_mailpulse_without_networks(emails) == [[True]] * 6
    assert rule_sets.judge_as_mailpulse(emails[:5]) == [[True]] * 5


def test_mailpulse_0_1_0_finds_three_links_in_ten_seconds_and_no_slower_sweep():
    def judged_with_a_click_every(seconds, **fields):
        events = [
            ses.a_send(),
            *(
                ses.a_click(
                    at=f"2026-11-23T10:05:{seconds * number:02}.000Z",
                    link=f"https://example.com/{number}",
                    **fields,
                )
                for number in range(3)
            ),
        ]
        message = Message([], (), [ses.raw(event) for event in events])
        return rule_sets.judge_as_previous_release([message])

    assert judged_with_a_click_every(5) == [[False] * 3]
    assert judged_with_a_click_every(6) == [[True] * 3]
    assert judged_with_a_click_every(6, is_bot="Likely") == [[False] * 3]


def test_mailpulse_0_1_0_lets_sess_label_lift_apples_preload():
    events = [
        ses.a_send(),
        ses.an_open(at="2026-11-23T10:20:00.000Z", agent=ses.APPLE_MAIL_PRIVACY),
        ses.an_open(at="2026-11-23T10:21:00.000Z", agent=ses.APPLE_MAIL_PRIVACY, is_bot="Unlikely"),
    ]
    message = Message([], (), [ses.raw(event) for event in events])
    assert rule_sets.judge_as_previous_release([message]) == [[False, True]]
    assert rule_sets.judge_as_mailpulse([message]) == [[False, False]]


def test_each_step_has_one_rule_more_and_the_last_one_has_all():
    campaign = generate(SEEDS["tune"][0], "business", 5, emails=600)
    emails = [
        Message([], (), [event.text for event in events_of(email, campaign.id)])
        for email in campaign.emails
    ]
    found = {rules.name: rules.judge(emails) for rules in STEPS}
    assert found["scanner_network"] == rule_sets.judge_as_mailpulse(emails)
    assert found["open_by_clicking_bot"] == rule_sets.judge_as_mailpulse_without_networks(emails)
    humans = [sum(map(sum, classes)) for classes in found.values()]
    assert humans == sorted(humans, reverse=True), "each rule finds further bots"


@pytest.mark.parametrize("rules", [one for one in PUBLISHED if one.name != "no rules"])
def test_each_published_rule_set_names_its_source(rules):
    assert rules.source.startswith("https://")
