"""`classify` prints what the rules say about the opens and clicks in exported events."""

import gzip
import json
import random

import pytest
from click.testing import CliRunner
from support import ses

from bench.worlds import agents
from dashboard.classification import spool
from dashboard.cli import cli

HOUR = 3600
WINDOWS = agents.windows_chrome(random.Random(1))
OFFICE = "192.0.2.44"
SCANNERS = "198.51.100.7"


def at(seconds):
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    return f"2026-11-23T{10 + int(hours)}:{int(minutes):02}:{seconds:06.3f}Z"


def click(message, seconds, link="https://shop.example/a", agent=WINDOWS, **more):
    return ses.a_click(
        message, at=at(seconds), link=link, agent=agent, **{"address": OFFICE, **more}
    )


@pytest.fixture
def classify(tmp_path):
    """Return a function that runs the command; it returns results, campaigns, status and errors."""

    def run(*events, options=(), status=0, text=None):
        path = tmp_path / "export.jsonl"
        path.write_text("".join(map(ses.raw, events)) if text is None else text)
        result = CliRunner().invoke(cli, ["classify", str(path), *options])
        assert result.exit_code == status, result.output
        *lines, last = map(json.loads, result.stdout.splitlines() or ["null"])
        return lines, last and last["campaigns"], result.stderr

    return run


def test_a_line_for_each_open_and_click_and_last_the_counters_of_campaigns(classify):
    lines, campaigns, _ = classify(
        ses.a_send(),
        ses.an_open(at=at(600), agent=ses.GMAIL_PROXY),
        click("m-1", 660, "https://shop.example/a?utm_source=x"),
    )

    of_email = {"message_id": "m-1", "campaign": "spring"}
    assert lines == [
        {
            **of_email,
            "type": "Open",
            "at": "2026-11-23T10:10:00.000Z",
            "link": None,
            "class": "human",
            "reason": "proxy_at_open_time",
        },
        {
            **of_email,
            "type": "Click",
            "at": "2026-11-23T10:11:00.000Z",
            "link": "https://shop.example/a",
            "class": "human",
            "reason": "persons_agent",
        },
    ]
    counts = {name: number for name, number in campaigns["spring"].items() if number}
    assert counts == {
        **dict.fromkeys(["sends", "opens", "unique_opens", "human_opens", "clicks"], 1),
        **dict.fromkeys(["unique_human_opens", "unique_clicks", "human_clicks"], 1),
        **dict.fromkeys(["unique_human_clicks", "readers", "unique_engaged"], 1),
    }


def test_all_counters_are_printed_also_those_that_are_zero(classify):
    _, campaigns, _ = classify(ses.a_send())

    assert campaigns["spring"]["unique_human_opens"] == 0
    assert campaigns["spring"]["readers"] == 0


def test_results_are_in_order_of_campaign_email_and_time(classify):
    events = [
        click(message, seconds, campaign=campaign)
        for campaign, message, seconds in [
            ("b", "m-1", 9000),
            ("a", "m-3", 9000),
            ("a", "m-2", 9001),
            ("a", "m-2", 8000),
        ]
    ]

    lines, _, _ = classify(*events)

    assert [(one["campaign"], one["message_id"], one["at"]) for one in lines] == [
        ("a", "m-2", at(8000)),
        ("a", "m-2", at(9001)),
        ("a", "m-3", at(9000)),
        ("b", "m-1", at(9000)),
    ]


def test_duplicates_and_the_order_of_events_change_nothing(classify):
    events = [
        ses.a_send(),
        ses.a_delivery(),
        ses.a_bounce(),
        *(click(f"m-{number}", HOUR * number, address=SCANNERS) for number in range(1, 5)),
        *(click("m-5", 60 + number / 10, f"https://a.example/{number}") for number in range(3)),
    ]
    expected = classify(*events)[:2]

    for seed in range(5):
        rng = random.Random(seed)
        twice = [*events, *rng.choices(events, k=6)]
        rng.shuffle(twice)
        assert classify(*twice)[:2] == expected


class TestEvidence:
    """The networks of other emails, for the reasons that they give."""

    def evidence(self, lines, message="m-1"):
        [evidence] = {one["evidence"] for one in lines if one["message_id"] == message}
        return evidence

    def test_other_emails_clicked_before_any_open(self, classify):
        quiet = [click(f"m-{number}", HOUR, address=SCANNERS) for number in range(1, 6)]
        read = [
            ses.an_open("m-6", at=at(60), agent=ses.APPLE_MAIL_PRIVACY),
            click("m-6", HOUR, address=SCANNERS),
        ]

        lines, _, _ = classify(*quiet, *read)

        assert {one["reason"] for one in lines if one["message_id"] != "m-6"} == {"quiet_network"}
        assert self.evidence(lines) == (
            "4 of 5 other emails clicked from this network were clicked before anything was opened"
        )

    def test_other_emails_clicked_by_bots(self, classify):
        scan = [click("m-2", 60 + number / 10, f"https://a.example/{number}") for number in (0, 1)]
        lines, _, _ = classify(
            ses.an_open("m-1", at=at(60), agent=ses.APPLE_MAIL_PRIVACY), click("m-1", HOUR), *scan
        )

        [result] = [one for one in lines if one["message_id"] == "m-1" and one["type"] == "Click"]
        assert (result["class"], result["reason"]) == ("machine", "scanner_network")
        assert result["evidence"] == (
            "1 of 1 other email clicked from this network was clicked by bots"
        )

    def test_an_open_from_a_network_of_scanners(self, classify):
        scan = [click("m-2", 60 + number / 10, f"https://a.example/{number}") for number in (0, 1)]

        lines, _, _ = classify(ses.an_open("m-1", at=at(60), agent=WINDOWS, address=OFFICE), *scan)

        assert self.evidence(lines) == (
            "1 of 1 other email clicked from this network was clicked by bots"
        )

    def test_no_other_reason_has_evidence(self, classify):
        lines, _, _ = classify(click("m-1", 60), click("m-1", HOUR))

        assert not any("evidence" in one for one in lines)


class TestCases:
    """Inputs that senders have reported."""

    def test_a_persons_click_and_a_scanners_request_are_both_counted(self, classify):
        bare = agents.BARE_WEBKIT
        lines, campaigns, _ = classify(
            *(ses.a_delivery(f"m-{number}") for number in range(3)),
            click("m-0", 20.01, agent=ses.OUTDATED_BROWSER, address=OFFICE),
            click("m-0", 20.35, agent=ses.OUTDATED_BROWSER, address=OFFICE),
            click("m-1", 600, agent=bare, address="198.51.100.7"),
            click("m-1", 612, address="203.0.113.7"),
            click("m-2", 20, agent=ses.OUTDATED_BROWSER, is_bot="Likely", address=OFFICE),
        )

        assert [one["reason"] for one in lines] == [
            *("early_click", "early_click", "persons_agent", "echo", "ses_likely")
        ]
        assert campaigns["spring"]["clicks"] == 5
        assert campaigns["spring"]["unique_clicks"] == 3
        assert campaigns["spring"]["unique_human_clicks"] == 1

    @pytest.mark.parametrize("url", ["https://blog.example/?p={}", "https://blog.example/p/{}"])
    def test_a_scanner_of_links_that_differ_in_query_or_path_is_a_bot(self, classify, url):
        lines, campaigns, _ = classify(
            ses.a_delivery(),
            *(click("m-1", 30 + 0.4 * number, url.format(number)) for number in range(1, 5)),
        )

        assert [one["class"] for one in lines] == ["machine"] * 4
        assert [one["link"] for one in lines] == [url.format(number) for number in range(1, 5)]
        assert campaigns["spring"]["machine_clicks"] == 4
        assert campaigns["spring"]["unique_human_clicks"] == 0

    def test_three_people_of_an_email_to_six_click_within_seconds(self, classify):
        six = {"to": [f"reader{number}@example.org" for number in range(6)], "is_bot": "Unlikely"}
        lines, campaigns, _ = classify(
            ses.a_send(to=six["to"]),
            ses.an_open(at=at(690), agent=WINDOWS, **six),
            ses.an_open(at=at(691), agent=agents.BARE_WEBKIT, **six),
            click("m-1", 700, "https://shop.example/a", WINDOWS, **six),
            click("m-1", 703, "https://shop.example/b", agents.BARE_WEBKIT, **six),
            click("m-1", 706, "https://shop.example/c", ses.TELEPHONE, **six),
        )

        assert [one["class"] for one in lines] == ["human"] * 5
        assert campaigns["spring"]["human_clicks"] == 3
        assert campaigns["spring"]["sends"] == 6

    def test_no_bot_that_names_itself_is_human(self, classify):
        named = [*agents.DECLARED, *agents.PREVIEWS]
        lines, campaigns, _ = classify(
            *(click(f"m-{number}", 60 + 20 * number, agent=one) for number, one in enumerate(named))
        )

        assert {one["reason"] for one in lines} == {"scanner_agent"}
        assert campaigns["spring"]["machine_clicks"] == len(named)
        assert campaigns["spring"]["readers"] == 0


class TestTolerance:
    def test_what_is_no_event_is_reported_with_its_place_and_the_rest_is_classified(self, classify):
        lines = [
            ses.raw(click("m-1", HOUR)),
            *("no event\n", '{"eventType": "Click"\n', '{"a": 1}\n', f"{ses.VALIDATION}\n"),
            ses.raw(click("m-2", HOUR)),
        ]

        lines, campaigns, errors = classify(text="".join(lines), status=1)

        assert [one["message_id"] for one in lines] == ["m-1", "m-2"]
        assert campaigns["spring"]["clicks"] == 2
        assert "export.jsonl:2: bad_json" in errors
        assert "export.jsonl:4: no_event_type" in errors
        assert "2 events read, 2 different opens and clicks; not read: " in errors

    def test_the_formats_of_replay_are_read(self, classify, tmp_path):
        (tmp_path / "more").mkdir()
        inner = ses.in_sns_envelope(ses.raw(click("m-2", HOUR)))
        (tmp_path / "more" / "export.gz").write_bytes(gzip.compress(inner.encode()))

        lines, _, _ = classify(click("m-1", HOUR), options=[str(tmp_path / "more")])

        assert [one["message_id"] for one in lines] == ["m-1", "m-2"]

    def test_a_damaged_file_does_not_affect_the_others(self, classify, tmp_path):
        damaged = tmp_path / "damaged.gz"
        damaged.write_bytes(gzip.compress(ses.raw(click("m-2", HOUR)).encode())[:-20])

        lines, _, errors = classify(click("m-1", HOUR), options=[str(damaged)], status=1)

        assert [one["message_id"] for one in lines] == ["m-1"]
        assert "1 file not read completely" in errors

    def test_files_without_events_are_an_error(self, classify):
        _, printed, errors = classify(text="", status=1)

        assert printed is None
        assert "Error: no SES events found in these files" in errors

    def test_a_missing_file_is_a_usage_error(self, tmp_path):
        result = CliRunner().invoke(cli, ["classify", str(tmp_path / "missing.jsonl")])

        assert result.exit_code == 2
        assert "missing.jsonl' does not exist" in result.stderr


class TestOptions:
    def test_only_the_selected_campaigns_are_classified(self, classify):
        events = [click(f"m-{one}", HOUR, campaign=one) for one in ("spring", "autumn", "winter")]

        lines, campaigns, errors = classify(
            *events, options=["--campaign", "spring", "--campaign", "winter"]
        )

        assert [one["campaign"] for one in lines] == ["spring", "winter"]
        assert list(campaigns) == ["spring", "winter"]
        assert "2 events read" in errors

    def test_a_campaign_without_events_is_an_error_that_lists_others(self, classify):
        _, printed, errors = classify(
            click("m-1", HOUR), options=["--campaign", "sprign"], status=1
        )

        assert printed is None
        assert "no events of 'sprign'; these files have events of 'spring'" in errors

    def test_campaigns_are_named_by_another_tag(self, classify):
        event = click("m-1", HOUR)
        event["mail"]["tags"]["letter"] = ["november"]

        _, campaigns, _ = classify(event, options=["--campaign-tag", "letter"])

        assert list(campaigns) == ["november"]


def test_neither_addresses_nor_networks_nor_their_pseudonyms_are_printed(classify):
    events = [click(f"m-{number}", HOUR, address=SCANNERS) for number in range(4)]
    events += [ses.a_send(to=["ada@example.com"]), ses.a_bounce(to=["ada@example.com"])]

    first, second = classify(*events), classify(*events)

    assert first == second, "pseudonyms differ between runs"
    assert "ada" not in json.dumps(first)
    assert SCANNERS.rpartition(".")[0] not in json.dumps(first)


def test_no_space_for_the_temporary_file_is_one_line_with_a_remedy(classify, monkeypatch):
    monkeypatch.setattr(spool, "_TABLES", f"{spool._TABLES}; PRAGMA max_page_count = 4")

    _, printed, errors = classify(*(click(f"m-{one}", HOUR) for one in range(50)), status=1)

    assert printed is None
    assert errors.splitlines()[-1] == (
        "Error: cannot store the events in a temporary file: database or disk is full. "
        "Set SQLITE_TMPDIR to a folder with more space"
    )
