"""Whose an email's opens and clicks are, judged from all of them."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ses
from support.generate import engagements

from bench.worlds import agents
from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.facts.networks import Bits
from chalicelib.facts.rules import evidence_of, judge, networks_of
from chalicelib.ses.parse import parse

SEVERAL = ["ada@example.com", "bob@example.com", "cyd@example.com"]
WINDOWS = agents.windows_chrome(random.Random(1))
MAC = agents.safari_on_a_mac(random.Random(1))


def at(seconds):
    """Return a time in seconds after the email was sent."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"2026-11-23T{10 + hours}:{minute:02}:{second:02}.{milliseconds:03}Z"


def click(seconds, link=0, agent=WINDOWS, **more):
    return ses.a_click(link=f"https://example.com/{link}", at=at(seconds), agent=agent, **more)


def opened(seconds, agent=ses.GMAIL_PROXY, **more):
    return ses.an_open(at=at(seconds), agent=agent, **more)


def facts(events):
    return [
        fact
        for event in events
        for fact in facts_of(parse(ses.raw(event), campaign_tag="campaign"), FactSettings("key"))
    ]


def reasons(*events):
    """Return the reason for each event that is a bot's, else its class."""
    found = facts(events)
    verdicts = judge(found).verdicts
    judged = [verdicts[fact.key] for fact in found]
    return [one.reason if one.engager == "machine" else one.engager for one in judged]


HUMAN = "human"
HOUR = 3600
SCANNERS = "198.51.100.7"


def email(message, *events, address=SCANNERS):
    """Return the events as those of one email, from one network; None for no address."""
    return [
        {
            **event,
            "mail": {**event["mail"], "messageId": message},
            key: {**event[key], "ipAddress": address},
        }
        for event in events
        for key in [event["eventType"].lower()]
    ]


def reasons_of_first(*emails):
    """Return the reason for each event of the first email of a campaign, as in `reasons`."""
    found = [facts(one) for one in emails]
    verdicts = judge(found[0], evidence_of(found)).verdicts
    judged = [verdicts[fact.key] for fact in found[0]]
    return [one.reason if one.engager == "machine" else one.engager for one in judged]


def others(number, *events, **where):
    """Return a number of other emails with the same events."""
    return [email(f"o-{len(events)}-{one}-{id(events)}", *events, **where) for one in range(number)]


class TestBurst:
    def test_two_links_within_0_7_seconds_are_a_bot(self):
        assert reasons(click(HOUR, 1), click(HOUR + 0.7, 2)) == ["burst"] * 2

    def test_two_links_more_than_0_7_seconds_apart_are_human(self):
        assert reasons(click(HOUR, 1), click(HOUR + 0.701, 2)) == [HUMAN] * 2

    def test_a_double_click_on_one_link_is_human(self):
        assert reasons(click(HOUR, 1), click(HOUR + 0.2, 1)) == [HUMAN] * 2

    def test_an_open_before_does_not_excuse_a_burst(self):
        assert reasons(opened(HOUR - 60), click(HOUR, 1), click(HOUR + 0.1, 2))[1:] == ["burst"] * 2

    def test_every_click_of_a_burst_is_found_if_a_link_repeats_in_it(self):
        burst = [click(HOUR + number / 10, link) for number, link in enumerate((1, 1, 2, 2, 1))]

        assert reasons(*burst) == ["burst"] * 5

    def test_links_that_differ_only_in_their_query_are_different(self):
        burst = [
            ses.a_click(link=f"https://example.com/?utm_content={number}", at=at(HOUR), agent=MAC)
            for number in range(2)
        ]

        assert reasons(*burst) == ["burst"] * 2

    def test_clicks_by_several_recipients_are_no_burst(self):
        together = [click(HOUR, 1, WINDOWS, to=SEVERAL), click(HOUR + 0.5, 2, MAC, to=SEVERAL)]

        assert reasons(*together) == [HUMAN] * 2

    def test_one_agent_makes_a_burst_in_an_email_to_several_recipients(self):
        assert (
            reasons(click(HOUR, 1, to=SEVERAL), click(HOUR + 0.5, 2, to=SEVERAL)) == ["burst"] * 2
        )

    def test_a_scanner_that_changes_its_agent_makes_a_burst(self):
        assert reasons(click(HOUR, 1, WINDOWS), click(HOUR + 0.5, 2, MAC)) == ["burst"] * 2


class TestSweep:
    SWEEP = (click(400, 1), click(420, 2), click(600, 3))

    def test_three_links_soon_after_sending_without_an_open_are_a_bot(self):
        assert reasons(*self.SWEEP) == ["sweep"] * 3

    def test_two_links_are_no_sweep(self):
        assert reasons(*self.SWEEP[:2], click(600, 2)) == [HUMAN] * 3

    def test_three_links_after_an_open_are_human(self):
        assert reasons(opened(390), *self.SWEEP) == [HUMAN] * 4

    def test_three_links_later_than_that_are_human(self):
        later = [*self.SWEEP[:2], click(600.001, 3)]

        assert reasons(*later) == [HUMAN] * 3

    def test_clicks_after_an_open_are_no_part_of_a_sweep_before_it(self):
        swept_and_read = (*self.SWEEP[:2], click(430, 3), opened(440), click(450, 4))

        assert reasons(*swept_and_read) == ["sweep"] * 3 + [HUMAN] * 2

    def test_three_agents_of_several_recipients_are_no_sweep(self):
        clicks = [
            click(400 + 20 * number, number, agent, to=SEVERAL)
            for number, agent in enumerate((WINDOWS, MAC, ses.TELEPHONE))
        ]

        assert reasons(*clicks) == [HUMAN] * 3


class TestEarlyClick:
    @pytest.mark.parametrize(("seconds", "found"), [(60, "early_click"), (60.001, HUMAN)])
    def test_a_click_within_a_minute_without_an_open_is_a_bot(self, seconds, found):
        assert reasons(click(seconds)) == [found]

    @pytest.mark.parametrize(("seconds", "found"), [(12, "early_click"), (12.001, HUMAN)])
    def test_a_click_within_12_seconds_is_a_bot_in_spite_of_an_open(self, seconds, found):
        assert reasons(opened(6), click(seconds)) == [HUMAN, found]

    def test_an_open_in_the_same_millisecond_is_not_before_the_click(self):
        assert reasons(opened(30), click(30)) == [HUMAN, "early_click"]

    def test_a_click_that_is_dated_before_the_email_was_sent_is_human(self):
        event = ses.a_click(at="2026-11-23T09:59:59.000Z")

        assert reasons(event) == [HUMAN]


class TestProtectingOpen:
    @pytest.mark.parametrize("agent", [ses.GMAIL_PROXY, agents.YAHOO_PROXY, *agents.PROGRAMS])
    def test_an_open_by_a_mail_program_or_mailbox_proxy_protects_a_click(self, agent):
        assert reasons(opened(20, agent), click(40)) == [HUMAN] * 2

    @pytest.mark.parametrize(
        "agent",
        [ses.APPLE_MAIL_PRIVACY, ses.GMAIL_PREFETCH, ses.BROWSER, ses.TELEPHONE, ses.CRAWLER, None],
    )
    def test_an_open_by_anything_else_does_not(self, agent):
        assert reasons(opened(20, agent), click(40))[1] == "early_click"

    def test_an_open_that_ses_calls_likely_a_bot_does_not(self):
        assert reasons(opened(20, is_bot="Likely"), click(40))[1] == "early_click"

    def test_an_open_within_three_seconds_of_sending_does_not(self):
        assert reasons(opened(3), click(40))[1] == "early_click"

    def test_apples_preload_shows_a_mailbox_but_protects_nothing(self):
        judgement = judge(facts([opened(20, ses.APPLE_MAIL_PRIVACY), opened(90)]))

        assert judgement.mailbox_open.after == timedelta(seconds=20)
        assert judgement.protecting_open.after == timedelta(seconds=90)

    def test_gmails_prefetch_shows_no_mailbox(self):
        assert judge(facts([opened(2, ses.GMAIL_PREFETCH)])).mailbox_open is None


class TestOutdatedAgent:
    def test_a_click_by_a_chrome_of_years_ago_without_an_open_is_a_bot(self):
        assert reasons(click(HOUR, agent=ses.OUTDATED_BROWSER)) == ["outdated_agent"]

    def test_it_is_human_after_an_open(self):
        assert reasons(opened(HOUR - 60), click(HOUR, agent=ses.OUTDATED_BROWSER))[1] == HUMAN

    @pytest.mark.parametrize(("version", "found"), [(100, "outdated_agent"), (101, HUMAN)])
    def test_the_last_outdated_version_is_100(self, version, found):
        agent = ses.BROWSER.replace("Chrome/130", f"Chrome/{version}")

        assert reasons(click(HOUR, agent=agent)) == [found]

    def test_a_telephone_keeps_its_old_chrome(self):
        agent = (
            "Mozilla/5.0 (Linux; Android 8.1.0; SM-J710F) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/95.0.4638.74 Mobile Safari/537.36"
        )

        assert reasons(click(HOUR, agent=agent)) == [HUMAN]


class TestQuickPeople:
    def test_three_links_in_tabs_after_an_open_are_human(self):
        tabs = [click(300 + number * 0.75, number) for number in range(3)]

        assert reasons(opened(280), *tabs) == [HUMAN] * 4

    def test_three_links_in_tabs_ten_minutes_after_sending_are_human(self):
        tabs = [click(601 + number * 0.75, number) for number in range(3)]

        assert reasons(*tabs) == [HUMAN] * 3


class TestClickAtOpen:
    @pytest.mark.parametrize("seconds", [0, 3])
    def test_a_click_at_the_open_by_the_same_browser_is_a_bot(self, seconds):
        events = [opened(HOUR, MAC), click(HOUR + seconds, agent=MAC)]

        assert reasons(*events) == ["open_by_clicking_bot", "click_at_open"]

    def test_a_click_more_than_three_seconds_after_the_open_is_human(self):
        assert reasons(opened(HOUR, MAC), click(HOUR + 3.001, agent=MAC)) == [HUMAN] * 2

    def test_its_further_clicks_within_ten_minutes_are_the_bots(self):
        clicks = [click(HOUR + seconds, seconds, MAC) for seconds in (1, 9, 601, 602)]

        assert reasons(opened(HOUR, MAC), *clicks)[1:] == ["click_at_open"] * 3 + [HUMAN]

    def test_ten_minutes_begin_again_with_each_click_at_an_open(self):
        events = [opened(HOUR + 500, MAC)]
        events += [click(HOUR + seconds, seconds, MAC) for seconds in (1, 501, 1100)]

        assert reasons(opened(HOUR, MAC), *events)[2:] == ["click_at_open"] * 3

    def test_a_click_before_the_open_is_human(self):
        assert reasons(opened(HOUR + 1, MAC), click(HOUR, agent=MAC)) == [HUMAN] * 2

    def test_a_click_at_another_browsers_open_is_human(self):
        assert reasons(opened(HOUR, WINDOWS), click(HOUR + 1, agent=MAC)) == [HUMAN] * 2

    def test_a_click_after_a_mail_programs_open_is_human(self):
        events = [opened(HOUR - 60), opened(HOUR, MAC), click(HOUR + 1, agent=MAC)]

        assert reasons(*events) == [HUMAN] * 3


class TestCheckAtClick:
    @pytest.mark.parametrize("seconds", [0.001, 3])
    def test_another_agents_click_just_before_a_click_is_a_check(self, seconds):
        events = [click(HOUR, 1, WINDOWS), click(HOUR + seconds, 1, MAC)]

        assert reasons(*events) == ["check_at_click", HUMAN]

    def test_a_persons_double_click_is_no_check(self):
        assert reasons(click(HOUR, 1), click(HOUR + 0.3, 1)) == [HUMAN] * 2

    def test_the_click_after_a_bots_click_is_human(self):
        events = [click(HOUR, 1, WINDOWS, is_bot="Likely"), click(HOUR + 2, 1, MAC)]

        assert reasons(*events) == ["ses_likely", HUMAN]

    def test_several_recipients_may_click_one_link_at_once(self):
        clicks = [click(HOUR, 1, MAC, to=SEVERAL), click(HOUR + 1, 1, WINDOWS, to=SEVERAL)]

        assert reasons(*clicks) == [HUMAN] * 2


class TestEcho:
    @pytest.mark.parametrize(
        ("seconds", "found"), [(3.001, "echo"), (12, "echo"), (30, "echo"), (30.001, HUMAN)]
    )
    def test_another_agents_repetition_of_a_click_is_a_bot(self, seconds, found):
        assert reasons(click(HOUR, 1, MAC), click(HOUR + seconds, 1, WINDOWS)) == [HUMAN, found]

    def test_a_persons_click_soon_after_a_bots_is_no_echo(self):
        events = [click(HOUR, 1, agents.DECLARED[0]), click(HOUR + 12, 1, MAC)]

        assert reasons(*events) == ["scanner_agent", HUMAN]

    def test_a_click_is_repeated_after_it_was_checked(self):
        events = [
            click(HOUR, 1, WINDOWS),
            click(HOUR + 1, 1, MAC),
            click(HOUR + 13, 1, ses.TELEPHONE),
        ]

        assert reasons(*events) == ["check_at_click", HUMAN, "echo"]

    def test_a_repetition_by_the_same_agent_is_human(self):
        assert reasons(click(HOUR, 1), click(HOUR + 12, 1)) == [HUMAN] * 2

    def test_another_agents_click_on_another_link_is_human(self):
        assert reasons(click(HOUR, 1, MAC), click(HOUR + 12, 2, WINDOWS)) == [HUMAN] * 2

    def test_several_recipients_may_click_one_link(self):
        clicks = [click(HOUR, 1, MAC, to=SEVERAL), click(HOUR + 12, 1, WINDOWS, to=SEVERAL)]

        assert reasons(*clicks) == [HUMAN] * 2

    def test_the_opens_beside_an_echo_are_the_persons(self):
        events = [opened(HOUR - 5, MAC), click(HOUR, 1, MAC), click(HOUR + 12, 1, WINDOWS)]

        assert reasons(*events) == [HUMAN, HUMAN, "echo"]


class TestOpensOfClickingBots:
    BURST = (click(HOUR, 1), click(HOUR + 0.1, 2))

    @pytest.mark.parametrize(
        ("seconds", "found"),
        [(-300, "open_by_clicking_bot"), (-300.1, HUMAN), (60.1, "open_by_clicking_bot")],
    )
    def test_a_browsers_open_beside_a_bots_clicks_is_the_bots(self, seconds, found):
        assert reasons(opened(HOUR + seconds, MAC), *self.BURST)[0] == found

    def test_a_browsers_open_a_minute_after_a_bots_clicks_is_human(self):
        assert reasons(opened(HOUR + 60.2, MAC), *self.BURST)[0] == HUMAN

    @pytest.mark.parametrize("seconds", [-600, 600])
    def test_an_open_by_the_bots_agent_within_ten_minutes_is_the_bots(self, seconds):
        assert reasons(opened(HOUR + seconds, WINDOWS), *self.BURST)[0] == "open_by_clicking_bot"

    @pytest.mark.parametrize("seconds", [-600.1, 600.2])
    def test_an_open_by_the_bots_agent_at_another_time_is_human(self, seconds):
        assert reasons(opened(HOUR + seconds, WINDOWS), *self.BURST)[0] == HUMAN

    @pytest.mark.parametrize("agent", [ses.GMAIL_PROXY, ses.OUTLOOK])
    def test_an_open_by_a_mail_program_or_mailbox_proxy_beside_it_is_human(self, agent):
        assert reasons(opened(HOUR - 5, agent), *self.BURST)[0] == HUMAN

    def test_a_mail_programs_open_stays_human_if_the_bot_has_its_agent(self):
        burst = [click(HOUR + number / 10, number, agents.BARE_WEBKIT) for number in range(2)]

        assert reasons(opened(HOUR - 5, agents.BARE_WEBKIT), *burst)[0] == HUMAN

    def test_an_unknown_agents_open_is_not_beside_it(self):
        assert reasons(opened(HOUR - 5, "odd"), *self.BURST)[0] == "unknown"


class TestBitsOfNetworks:
    """What an email shows about the networks that it was clicked from."""

    def bits(self, *events):
        [bits] = judge(facts(email("m-1", *events))).networks.values()
        return bits

    def test_a_click_before_any_mailbox_open_is_quiet(self):
        assert self.bits(click(HOUR)) == Bits(seen=True, quiet=True)

    @pytest.mark.parametrize("agent", [ses.GMAIL_PROXY, ses.OUTLOOK, ses.APPLE_MAIL_PRIVACY])
    def test_a_click_after_a_mailbox_open_is_not_quiet(self, agent):
        read = facts([*email("m-1", opened(60, agent)), *email("m-1", click(HOUR))])

        assert list(judge(read).networks.values()) == [Bits(seen=True)]

    @pytest.mark.parametrize("agent", [ses.GMAIL_PREFETCH, ses.BROWSER, None])
    def test_a_prefetch_of_gmails_or_a_browsers_open_is_no_mailbox_open(self, agent):
        events = [*email("m-1", opened(2, agent)), *email("m-1", click(HOUR))]

        assert list(judge(facts(events)).networks.values()) == [Bits(seen=True, quiet=True)]

    def test_one_quiet_click_of_several_makes_the_email_quiet(self):
        events = [
            *email("m-1", click(HOUR), click(3 * HOUR)),
            *email("m-1", opened(2 * HOUR), address="192.0.2.9"),
        ]

        assert list(judge(facts(events)).networks.values()) == [Bits(seen=True, quiet=True)]

    def test_a_click_that_its_emails_rules_find_to_be_a_bots_is_sure(self):
        assert self.bits(click(60)) == Bits(seen=True, quiet=True, sure=True)

    def test_one_click_of_a_bot_of_several_makes_the_email_sure(self):
        assert self.bits(click(60), click(HOUR)) == Bits(seen=True, quiet=True, sure=True)

    def test_a_network_of_which_only_a_browser_opened_shows_nothing(self):
        assert self.bits(opened(HOUR, MAC)) == Bits()

    def test_the_networks_of_mail_programs_and_proxies_do_not_matter(self):
        assert judge(facts(email("m-1", opened(HOUR), opened(HOUR, ses.OUTLOOK)))).networks == {}

    def test_a_click_without_an_address_has_no_network(self):
        assert judge(facts(email("m-1", click(HOUR), address=None))).networks == {}

    def test_addresses_of_one_24_block_are_one_network(self):
        events = [
            *email("m-1", click(HOUR), address="198.51.100.7"),
            *email("m-1", click(2 * HOUR), address="198.51.100.250"),
            *email("m-1", click(3 * HOUR), address="198.51.101.7"),
        ]

        assert len(judge(facts(events)).networks) == 2

    def test_the_bits_do_not_depend_on_the_evidence(self):
        found = facts(email("m-1", click(HOUR)))
        quiet = evidence_of([facts(one) for one in others(5, click(HOUR))])

        assert judge(found, quiet).networks == judge(found).networks


class TestQuietNetwork:
    CLICKED = email("m-1", click(HOUR))

    def test_a_click_is_a_bots_if_five_other_emails_were_clicked_before_any_open(self):
        assert reasons_of_first(self.CLICKED, *others(5, click(2 * HOUR))) == ["quiet_network"]

    def test_colleagues_whose_images_are_off_are_too_few(self):
        assert reasons_of_first(self.CLICKED, *others(4, click(2 * HOUR))) == [HUMAN]

    def test_five_readers_of_an_office_without_images_are_people(self):
        """They click within two minutes of sending, and nothing was opened by a mail program."""
        clicked = email("m-1", click(90))

        assert reasons_of_first(clicked, *others(4, click(91))) == [HUMAN]

    def test_further_clicks_on_the_same_email_are_no_evidence(self):
        several = email("m-1", *(click(number * HOUR) for number in range(1, 6)))

        assert reasons_of_first(several, *others(4, click(2 * HOUR))) == [HUMAN] * 5

    @pytest.mark.parametrize(("quiet", "found"), [(8, "quiet_network"), (7, HUMAN)])
    def test_80_percent_of_the_others_must_be_quiet(self, quiet, found):
        read = [
            [*one, *email(one[0]["mail"]["messageId"], opened(60), address="192.0.2.9")]
            for one in others(10 - quiet, click(2 * HOUR))
        ]

        assert reasons_of_first(self.CLICKED, *others(quiet, click(2 * HOUR)), *read) == [found]

    def test_a_click_after_apples_preload_is_not_quiet(self):
        """Otherwise, everyone behind Private Relay would be a bot."""
        preloaded = [*email("m-1", opened(60, ses.APPLE_MAIL_PRIVACY)), *self.CLICKED]

        assert reasons_of_first(preloaded, *others(9, click(2 * HOUR)))[1] == HUMAN

    def test_clicks_from_other_networks_are_no_evidence(self):
        elsewhere = others(5, click(2 * HOUR), address="203.0.113.7")

        assert reasons_of_first(self.CLICKED, *elsewhere) == [HUMAN]

    def test_clicks_on_other_campaigns_are_no_evidence(self):
        other = others(5, click(2 * HOUR, campaign="autumn"))

        assert reasons_of_first(self.CLICKED, *other) == [HUMAN]

    def test_a_click_without_an_address_is_judged_by_its_email_alone(self):
        unknown = email("m-1", click(HOUR), address=None)
        nowhere = others(5, click(2 * HOUR), address=None)

        assert reasons_of_first(unknown, *nowhere) == [HUMAN]

    def test_the_opens_beside_its_clicks_are_the_bots(self):
        found = reasons_of_first(
            email("m-1", opened(HOUR - 20, MAC), click(HOUR)), *others(5, click(2 * HOUR))
        )

        assert found == ["open_by_clicking_bot", "quiet_network"]


@pytest.mark.parametrize(("networks", "known"), [(100, 100), (101, 0)])
def test_an_email_with_more_than_100_networks_is_judged_without_them(networks, known):
    """One email to a mailing list is opened from everywhere, and its state must stay small."""
    found = facts(
        one
        for number in range(networks)
        for one in email("m-1", click(HOUR + number), address=f"198.51.{number}.7")
    )

    assert len(networks_of(found)) == len(judge(found).networks) == known


class TestScannerNetwork:
    CLICKED = email("m-1", click(HOUR))
    SCANNED = (click(60, 1), click(60.1, 2))
    PRELOADED = (*email("m-1", opened(60, ses.APPLE_MAIL_PRIVACY)), *CLICKED)

    def test_a_click_is_a_bots_if_the_other_emails_were_clicked_by_bots(self):
        assert reasons_of_first(self.CLICKED, *others(1, *self.SCANNED)) == ["scanner_network"]

    def test_apples_preload_does_not_protect_the_click(self):
        found = reasons_of_first([*self.PRELOADED], *others(2, *self.SCANNED))

        assert found == ["apple_mail_privacy", "scanner_network"]

    @pytest.mark.parametrize(("people", "found"), [(2, "scanner_network"), (3, HUMAN)])
    def test_half_of_the_others_must_have_a_bots_click(self, people, found):
        read = [
            [*one, *email(one[0]["mail"]["messageId"], opened(60), address="192.0.2.9")]
            for one in others(people, click(2 * HOUR))
        ]

        assert reasons_of_first(self.CLICKED, *others(2, *self.SCANNED), *read) == [found]

    @pytest.mark.parametrize(("read", "clicked"), [(20, 40), (20, 2 * HOUR), (HOUR, HOUR + 1)])
    def test_the_click_of_a_person_who_has_read_the_email_is_human(self, read, clicked):
        """Offices, VPNs and isolated browsers share networks with scanners."""
        person = [*email("m-1", opened(read), address="192.0.2.9"), *email("m-1", click(clicked))]

        assert reasons_of_first(person, *others(9, *self.SCANNED)) == [HUMAN] * 2

    def test_an_open_after_the_click_does_not_protect_it(self):
        person = [*self.CLICKED, *email("m-1", opened(2 * HOUR), address="192.0.2.9")]

        assert reasons_of_first(person, *others(1, *self.SCANNED)) == ["scanner_network", HUMAN]

    def test_a_rule_of_the_email_itself_gives_the_reason(self):
        assert reasons_of_first(email("m-1", click(60)), *others(3, *self.SCANNED)) == [
            "early_click"
        ]

    def test_a_network_that_is_quiet_as_well_gives_that_reason(self):
        """It needs more evidence."""
        assert reasons_of_first(self.CLICKED, *others(5, *self.SCANNED)) == ["quiet_network"]


class TestBrowserOpensFromScannersNetworks:
    SCANNED = (click(60, 1), click(60.1, 2))

    @pytest.mark.parametrize(("seconds", "found"), [(300, "scanner_network"), (300.001, HUMAN)])
    def test_a_browsers_open_within_five_minutes_is_the_scanners(self, seconds, found):
        """Outlook's proxy opens for readers, with a browser's agent, from shared networks."""
        opens = email("m-1", opened(seconds, MAC))

        assert reasons_of_first(opens, *others(1, *self.SCANNED)) == [found]

    def test_a_quiet_network_is_not_enough(self):
        opens = email("m-1", opened(60, MAC))

        assert reasons_of_first(opens, *others(5, click(HOUR))) == [HUMAN]

    def test_an_unknown_agents_open_stays_unknown(self):
        found = reasons_of_first(
            email("m-1", opened(60, "odd"), click(HOUR)), *others(1, *self.SCANNED)
        )

        assert found == ["unknown", "scanner_network"]

    @pytest.mark.parametrize("agent", [ses.GMAIL_PROXY, ses.OUTLOOK])
    def test_a_mail_programs_or_mailbox_proxys_open_stays_human(self, agent):
        opens = email("m-1", opened(60, agent))

        assert reasons_of_first(opens, *others(5, *self.SCANNED)) == [HUMAN]


class TestLabelOfSes:
    def test_unlikely_lifts_no_rule(self):
        burst = [click(HOUR, 1, is_bot="Unlikely"), click(HOUR + 0.1, 2, is_bot="Unlikely")]

        assert reasons(*burst) == ["burst"] * 2
        assert reasons(click(30, is_bot="Unlikely")) == ["early_click"]

    def test_likely_is_a_bot_whatever_the_other_clicks_are(self):
        assert reasons(opened(50), click(HOUR, is_bot="Likely")) == [HUMAN, "ses_likely"]


class TestCases:
    """Inputs that senders have reported."""

    def test_a_link_fetched_twice_within_a_second_by_an_old_chrome_is_a_bot(self):
        twice = [click(20.01, agent=ses.OUTDATED_BROWSER), click(20.35, agent=ses.OUTDATED_BROWSER)]

        assert reasons(*twice) == ["early_click"] * 2

    def test_a_persons_click_and_its_repetition_count_both(self):
        assert reasons(click(600, agent=agents.BARE_WEBKIT), click(612)) == [HUMAN, "echo"]

    @pytest.mark.parametrize("url", ["https://blog.example/?p={}", "https://blog.example/p/{}"])
    def test_a_scanner_of_links_that_differ_in_query_or_path_is_a_bot(self, url):
        scan = [
            ses.a_click(link=url.format(number), at=at(30 + 0.4 * number), agent=WINDOWS)
            for number in range(1, 5)
        ]

        assert reasons(*scan) == ["burst"] * 4

    def test_three_people_of_an_email_to_six_click_within_seconds(self):
        six = [f"reader{number}@example.org" for number in range(6)]
        phone = (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
        )
        people = [
            opened(690, WINDOWS, to=six, is_bot="Unlikely"),
            opened(691, agents.BARE_WEBKIT, to=six, is_bot="Unlikely"),
            click(700, 1, WINDOWS, to=six, is_bot="Unlikely"),
            click(703, 2, agents.BARE_WEBKIT, to=six, is_bot="Unlikely"),
            click(706, 3, phone, to=six, is_bot="Unlikely"),
        ]

        assert reasons(*people) == [HUMAN] * 5

    @pytest.mark.parametrize("agent", [*agents.DECLARED, *agents.PREVIEWS])
    def test_a_bot_that_names_itself_is_no_human(self, agent):
        assert reasons(click(HOUR, agent=agent)) == ["scanner_agent"]


@given(st.lists(engagements, max_size=14), st.randoms())
def test_the_order_of_opens_and_clicks_does_not_matter(events, rng):
    found = list({(fact.message_id, fact.key): fact for fact in facts(events)}.values())
    of_one = [fact for fact in found if fact.message_id == "m-1"]
    shuffled = rng.sample(of_one, len(of_one))

    assert judge(shuffled) == judge(of_one)
