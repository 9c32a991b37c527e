"""The report shows a campaign's numbers, and nothing in an email can change its form."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import (
    compared_reading,
    example,
    example_reading,
    noted_reading,
    reading,
    troubled_reading,
    variant,
)

from chalicelib.stats.counters import Aggregate
from dashboard.figures import campaign
from dashboard.figures.formats import DASH
from dashboard.report.chart import HEIGHT, LEFT, WIDTH, chart
from dashboard.report.document import document
from dashboard.report.programs import as_csv, as_json

HOSTILE = "<script>alert(1)</script>\"'&"


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.names, self.text, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.names.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        assert not any(name.startswith("on") for name, _ in attributes)

    def handle_startendtag(self, tag, attributes):
        self.names.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text.append(data)


def shown(html):
    return " ".join(" ".join(Elements(html).text).split())


def rows(found):
    [header, *others] = csv.reader(io.StringIO(as_csv(found)))
    assert header == ["section", "name", "value", "denominator", "rate"]
    return {(section, name): values for section, name, *values in others}


def link(url, label=None):
    counts = {"clicks": 1}
    return Aggregate("spring-sale", "link#0123456789abcdef", 1, counts, url=url, label=label)


def test_the_document_has_the_numbers_in_the_words_of_the_page():
    text = shown(document(example_reading())).replace(DASH, "-")

    for words in (
        "spring-sale Spring is here - 20 % off everything green · From Green Shop",
        "Started 2026-11-23 10:00 UTC · Last event 2026-11-23 11:05 UTC",
        "As of 2026-11-23 11:06:05 UTC",
        "Read rate 27.0% 316 of 1,170 delivered Including bots: 40.0%",
        "At least 27% read it, most likely 31%, at most 40%.",
        "Apple Mail privacy proxy Preloads the images of every email",
        "Mailbox full Soft · MailboxFull 5",
        "Hard bounces ÷ emails sent, except to suppressed addresses",
        "18 1,200 1.50%",
        "Pipeline status: Pipeline OK.",
    ):
        assert words in text


def test_the_document_has_the_pace_and_the_variants():
    text = shown(document(compared_reading()))

    for words in (
        "Pace 1.5 times the usual human opens after 42 min: 200, usually 119 to 153",
        "So far 200 ▲ 1.5 \N{MULTIPLICATION SIGN} usual 21 As usual Usual by this age 119 to 153 11 to 27",
        "Expected after 24 hours 542 460 to 610 46.3% of delivered 60 41 to 84 5.1% of delivered",
        "Expected after 7 days 601",
        "Compared with 12 earlier campaigns of this sender at the same age.",
        "Computed for 2026-11-23 10:42 UTC.",
        "Variants variant Delivered Unique human clicks Probability of being the best a 590",
        "b is the best, with a probability of 99.9%.",
    ):
        assert words in text


def test_the_document_says_how_much_history_there_is():
    found = example_reading()
    found.stats["pace"] = example("push-campaign-pace-without-history")["changes"]["pace"]

    text = shown(document(found))

    assert "Pace Not enough history yet: 3 of 5 earlier campaigns" in text
    assert "So far" not in text
    assert "Variants" not in text


def test_a_metric_of_which_nothing_can_be_said_has_dashes():
    found = compared_reading(human_opens=None, forecast=[])
    found.stats["variants"] = [variant("a", 0, 0), variant("other", 3, 1, rest=True)]

    text = shown(document(found)).replace(DASH, "-")

    assert "So far - Too early to tell 21 As usual Usual by this age - 11 to 27" in text
    assert "a 0 0 - other values 3 1 33.33% -" in text


def test_the_document_is_one_file_without_scripts_or_requests():
    html = document(example_reading())
    names = Elements(html).names

    assert not {"script", "link", "img", "iframe", "a", "form"} & set(names)
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("place", ["campaign", "subject", "sender", "link", "label", "value"])
def test_texts_of_emails_are_escaped_in_the_document(place):
    hostile = HOSTILE if place != "link" else f"https://example.com/{HOSTILE}"
    summary = {place: hostile} if place in ("subject", "sender") else {}
    name = {"campaign": hostile} if place == "campaign" else {}
    url = hostile if place == "link" else "https://example.com/"
    parts = [link(url, hostile if place == "label" else None)]

    found = reading(*parts, sends=1, clicks=1, summary=summary, **name)
    if place == "value":
        found.stats["variants"] = [variant(hostile, 5000, 300), variant("a", 5000, 100)]

    html = document(found)

    assert "<script" not in html
    assert "alert(1)" in shown(html)


def test_the_document_of_a_campaign_without_events_has_dashes_for_rates():
    text = shown(document(reading())).replace(DASH, "-")

    assert "No such campaign yet." in text
    assert "Read rate - 0 of 0 delivered Including bots: -" in text
    assert "No clicks yet." in text
    assert "No bounces." in text
    assert "No events yet" in text


def test_the_document_says_when_a_recount_is_needed():
    text = shown(document(reading(sends=9, deliveries=8, is_current=False))).replace(DASH, "-")

    assert "python -m dashboard recount spring-sale --apply" in text
    assert "Read rate - - of 8 delivered" in text


def test_the_document_has_the_incidents_with_what_to_do_about_running_ones():
    text = shown(document(troubled_reading()))

    for words in (
        "Incidents Incident Began Ended Microsoft is deferring your mail 312 of 840 emails to ",
        "Microsoft sent in the last 15 minutes are delayed",
        "Pause or slow down what is still to be sent to Microsoft.",
        "SES retries for up to 14 hours. 2026-11-23 10:14 UTC Running",
        "Too many hard bounces 92 of 1,000 emails bounced for good.",
        "2026-11-23 10:03 UTC 2026-11-23 10:31 UTC",
    ):
        assert words in text
    assert "Stop the campaign" not in text
    assert "Incidents" not in shown(document(example_reading()))


def test_csv_has_the_incidents():
    found = rows(troubled_reading())

    assert found["incident_began", "provider_delays:Microsoft"] == ["2026-11-23T10:14:00Z", "", ""]
    assert found["incident_ended", "provider_delays:Microsoft"] == ["", "", ""]
    assert found["incident_ended", "bounces"] == ["2026-11-23T10:31:00Z", "", ""]
    assert found["incident_affected", "bounces"] == ["92", "1000", ""]
    assert found["incident_text", "bounces"][0].startswith("Too many hard bounces. 92 of 1,000 ")


def test_the_document_has_the_notes_and_their_authors():
    text = shown(document(noted_reading()))

    assert "Notes Time Note 2026-11-23 10:05" in text
    assert "Reminder sent to everyone who has not opened by ada@shop.example" in text
    assert "Notes" not in shown(document(example_reading()))


def test_csv_and_json_have_the_notes():
    found = noted_reading()
    note = "Reminder sent to everyone who has not opened"

    assert rows(found)["note", "2026-11-23T10:05:00Z"] == [note, "", ""]
    assert [one["text"] for one in json.loads(as_json(found))["notes"]] == [note]


def test_a_note_cannot_change_the_form_of_the_report():
    found = noted_reading()
    found.stats["notes"][0] |= {"text": f"={HOSTILE}", "by": HOSTILE}

    assert shown(document(found)).count(HOSTILE) == 2
    assert rows(found)["note", "2026-11-23T10:05:00Z"][0] == f"'={HOSTILE}"


def test_an_incident_of_a_later_release_is_shown_with_its_kind():
    found = troubled_reading()
    found.stats["incidents"] = [found.stats["incidents"][1] | {"kind": "slow_tls"}]

    assert "slow_tls 2026-11-23 10:03 UTC" in shown(document(found))


def test_json_is_the_snapshot_with_the_time_and_the_pipeline():
    found = example_reading()

    parsed = json.loads(as_json(found))

    assert parsed.pop("as_of") == "2026-11-23T11:06:05Z"
    assert parsed.pop("pipeline") == found.health
    assert parsed == found.stats
    assert "@" not in as_json(found)


def test_csv_has_a_row_for_each_number_with_its_denominator():
    found = rows(example_reading())

    assert found["count", "sends"] == ["1210", "", ""]
    assert found["rate", "bounce"] == ["18", "1200", "0.015"]
    assert found["bounce", "Permanent/NoEmail"] == ["12", "", ""]
    assert found["link_clicks", "Hero (https://shop.example.com/spring)"] == ["84", "", ""]
    assert found["hour_human_opens", "2026-11-23T11:00:00Z"] == ["60", "", ""]
    assert found["pipeline", "state"] == ["ok", "", ""]


def test_the_document_has_the_mailbox_providers_and_what_to_do_about_replies():
    text = shown(document(example_reading()))

    for words in (
        "Mailbox providers Provider Sent Delays Delivered Hard bounces Soft bounces",
        "Yahoo 240 7 95.40% 2.51% 1.67% 0.44% 15.79% 6.14%",
        "All others 220 0 94.93%",
        "Campaign 1,210 9 97.50%",
        "Delayed because of volume or complaints 4.7.0 [TSS04] Messages from * temporarily",
        "You can act. Slow down",
        "All others 4, Gmail 3 7",
        "Cause not known Closing connection Microsoft 1 1",
    ):
        assert words in text


def test_the_document_has_the_devices_and_mail_programs():
    text = shown(document(example_reading()))

    for words in (
        "Covers 300 emails opened and 96 clicked by humans, each at its first open",
        "Phone 70 23.3% 63 65.6% Apple Mail 37 12.3% 0 0.0%",
        "Hidden by a proxy 150 50.0% 0 0.0% Gmail image proxy 132 44.0% 0 0.0%",
    ):
        assert words in text


def test_csv_has_the_devices_and_mail_programs():
    table = rows(example_reading())

    assert table["device_unique_human_opens", "phone/Apple Mail"][:2] == ["37", "300"]
    assert table["device_unique_human_clicks", "tablet/Safari"][:2] == ["5", "96"]


def test_csv_has_the_mailbox_providers_and_replies():
    table = rows(example_reading())

    assert table["provider_hard_bounces", "Yahoo"] == ["6", "", ""]
    assert table["provider_sends", "other"] == ["220", "", ""]
    assert table["reply", "5.1.1 Recipient address rejected: User unknown"] == ["7", "", ""]


def test_csv_has_the_pace_and_the_variants():
    found = compared_reading(human_clicks=None)
    found.stats["variants"].append(variant("other", 0, 0, rest=True))

    table = rows(found)

    assert table["pace", "campaigns"] == ["12", "", ""]
    assert table["pace", "at"] == ["2026-11-23T10:42:00Z", "", ""]
    assert table["pace_human_opens", "actual"] == ["200", "", ""]
    assert table["pace_human_opens", "high"] == ["153", "", ""]
    assert ("pace_human_clicks", "actual") not in table
    assert table["forecast_24_human_opens", "low"] == ["460", "", ""]
    assert table["forecast_168_human_clicks", "expected"] == ["68", "", ""]
    assert table["variant_unique_human_clicks", "variant=b"][:2] == ["65", "580"]
    assert float(table["variant_probability_best", "variant=b"][2]) > 0.99
    assert table["variant_deliveries", "variant=other values"] == ["0", "", ""]
    assert ("variant_probability_best", "variant=other values") not in table


def test_csv_leaves_unknown_numbers_empty():
    found = rows(reading(sends=9, deliveries=8, is_current=False))

    assert found["count", "readers"] == ["", "", ""]
    assert found["rate", "read"] == ["", "8", ""]
    assert found["rate", "bounce"][1] == "", "an earlier release did not count prevented ones"
    assert rows(reading())["rate", "delivery"] == ["0", "0", ""]


@given(st.text(), st.sampled_from(["=", "+", "-", "@", "\t", "\r", " ="]))
def test_no_cell_of_the_csv_is_a_formula(text, begin):
    found = reading(sends=1, campaign="spring", summary={"subject": begin + text})
    found.stats["campaign"]["subject"] = begin + text

    [*_, cell] = [
        row[2]
        for row in csv.reader(io.StringIO(as_csv(found), newline=""))
        if row[:2] == ["campaign", "subject"]
    ]

    assert cell == f"'{begin}{text}"


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=90))
def test_the_bars_of_a_chart_are_inside_the_plot_and_as_high_as_their_numbers(counts):
    stats = example_reading().stats
    start = campaign.buckets(stats, "hour")[0][0]
    timeline = [
        (start + n * campaign.STEPS["hour"], {"opens": one}) for n, one in enumerate(counts)
    ]

    drawn = chart(timeline, ["opens"], "hour")

    assert len(drawn.bars) == sum(1 for one in counts if one)
    assert len(drawn.labels) <= 7
    assert len(drawn.lines) <= 6
    for bar in drawn.bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= LEFT + WIDTH + 0.01
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.01
    if drawn.bars:
        highest = max(drawn.bars, key=lambda bar: bar.height)
        assert highest.height > HEIGHT / 3
