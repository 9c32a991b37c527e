"""No address, UUID, JWT or token of any event appears in what holders of a share link receive.

Nor does one appear in the campaign list or in the activity list, except the recipient's pseudonym.
"""

import base64
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from support import ses
from support.world import World

SPRING = "stats/email-campaign/spring"
LIST = "stats/email-campaigns"
HEX = "0123456789abcdef"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _letters(alphabet, least, most):
    return st.text(alphabet, min_size=least, max_size=most)


# Each has a part by which it is recognized in any spelling.
local_parts = st.sampled_from(
    [
        "q7lovelace",
        "q7lovelace+news",
        "o'q7lovelace",
        "x.q7lovelace",
        "vip=q7lovelace",
        "q7lovelacé",
    ]
)
domains = st.sampled_from(["example.com", "mail.example.co.uk", "[192.0.2.1]", "intranet"])
addresses = st.builds("{}@{}".format, local_parts, domains)
tokens = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda one: one.hex),
    _letters(HEX, 16, 64).filter(lambda one: not one.isalpha()),
    _letters(BASE64URL, 17, 60).map("Q7".__add__),
    _letters(BASE64URL, 8, 20).map(lambda one: f"eyJhbGciOiJub25lIn0.{one}.Q7{one}"),
)
secrets = st.one_of(
    addresses,
    addresses,
    tokens,
    addresses.map(lambda one: base64.b64encode(one.encode()).decode()),
    addresses.map(lambda one: base64.urlsafe_b64encode(f'{{"e":"{one}"}}'.encode()).decode()),
)


def _spelled(draw, secret):
    """Return a secret in percent-encoding, once or more often, in either letter case."""
    for _ in range(draw(st.integers(0, 4))):
        safe = draw(st.sampled_from(["", "@", "'+"]))
        secret = quote(secret, safe=safe)
        if draw(st.booleans()):
            secret = secret.replace("%2B", "%2b").replace("%3D", "%3d").replace("%5B", "%5b")
    return secret


PLACES = [
    "https://shop.example/a/{}/b",
    "https://shop.example/{}",
    "https://shop.example/a;user={}",
    "https://shop.example/?e={}&x=1",
    "https://shop.example/?{}=1",
    "https://shop.example/?{}",
    "https://shop.example/?next=https%3A%2F%2Fb.example%2F%3Fe%3D{}",
    "https://shop.example/?next=https://b.example/{}",
    "https://shop.example:99999/{}?utm_source={}",
    "https://{}:pass@shop.example/",
    "https://ada:{}@shop.example/",
    "https://shop.example/a#{}",
    "https://shop.example/unsubscribe/{}",
    "https://shop.example/unsubscribe?{}",
    "https://shop.example/#/unsubscribe/{}",
    "https://[{}/",
    "mailto:{}?subject=x",
    "{}",
]


@st.composite
def events(draw):
    """Draw an event and the secret in it, by which its recipient could be recognized."""
    secret = draw(secrets)
    text = _spelled(draw, secret)
    link = draw(st.sampled_from(PLACES)).replace("{}", text)
    host = draw(tokens.filter(lambda one: "." not in one))
    sender = "q7lovelace=example.com"
    event = draw(
        st.sampled_from(
            [
                ses.a_click(link=link),
                ses.a_click(link=link, subject=f"Confirm {text}"),
                ses.a_click(link=f"https://{host}.shop.example/", tags={"link": [f"for {text}"]}),
                ses.a_bounce(kind="Transient", subtype="General"),
                ses.a_delay(),
                ses.a_reject(),
                ses.a_send(),
                ses.a_send(variant=text),
                ses.a_delivery(variant=f"for {text}"),
            ]
        )
    )
    if "bounce" in event:
        event["bounce"]["reportingMTA"] = f"dns; {host}.mx.example"
        event["bounce"]["bouncedRecipients"][0] |= {
            "status": f"5.1.1 ({text})",
            "diagnosticCode": f"smtp; 550 5.1.1 <{text}>: see https://mx.example/?e={text}",
        }
    if "deliveryDelay" in event:
        event["deliveryDelay"]["delayedRecipients"][0]["diagnosticCode"] = f"451 '{text}' later"
    if "reject" in event:
        event["reject"]["reason"] = f"Bad content of {text}"
    if draw(st.booleans()):
        event["mail"]["source"] = f"bounces+7-{sender}@shop.example"
    return event, secret if host not in json.dumps(event) else host


def _recognizable(secret):
    return "q7lovelac" if "q7lovelac" in secret else secret


@given(st.lists(events(), min_size=1, max_size=4))
def test_no_recipient_can_be_recognized_in_what_is_shown(happened):
    world = World()
    early = world.subscribe(SPRING, LIST)
    world.arrive(*(event for event, _ in happened))
    world.drain()
    late = world.subscribe(SPRING, LIST)
    late.ask("listActivity", id=SPRING)

    shown = json.dumps([*early.frames, *late.frames], ensure_ascii=False)

    assert world.dead == []
    assert late.frames[-1]["action"] == "listActivity"
    for part in ("q7lovelac", *(_recognizable(secret) for _, secret in happened)):
        assert part not in shown, shown
    for word in json.dumps(shown).replace("\\", '"').replace("/", '"').split('"'):
        assert b"q7lovelac" not in _decoded(word.partition("=")[2] or word)


def _decoded(word):
    try:
        return base64.urlsafe_b64decode(word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4))
    except ValueError:
        return b""


@given(st.lists(events(), min_size=1, max_size=3))
def test_reasons_of_dead_letters_contain_no_part_of_an_event(happened):
    world = World()
    for event, _ in happened:
        event["mail"]["timestamp"] = event["mail"]["source"]
    world.arrive(*(event for event, _ in happened))

    world.drain()

    assert len(world.dead) == len(happened)
    for _, reason in world.dead:
        assert "q7lovelac" not in reason
        assert not any(secret in reason for _, secret in happened)
