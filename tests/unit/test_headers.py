"""Header values of any kind become text, and addresses have one form.

Comments name the public reports from which values are taken.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ses

from chalicelib.ses.headers import decoded, domain, mailbox, normalised_address
from chalicelib.ses.parse import parse


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # andrewferrier/email2pdf#74
        ("Giesestra=?utf-8?B?w58=?=e 5", "Giesestraße 5"),
        ("=?GB2312?B?0rvSubzk?=", "一夜间"),
        # mailgun/flanker#203: a character that is split between two words
        ("=?utf-8?B?8J+O?=\r\n =?utf-8?B?iQ==?=", "🎉"),
        # python/cpython#143712: raw text beside encoded words
        ("Café € =?utf-8?Q?sale?=", "Café € sale"),
        ("=?utf-8?Q?a?= é =?utf-8?Q?b?=", "a é b"),
        # modoboa/modoboa#944
        ("=?windows-874?Q?=A1?=", "ก"),
        # odysseus-dev/odysseus#1354, odysseus-dev/odysseus#4946
        ("=?x-unknown-charset?B?SGVsbG8=?= you", "Hello you"),
        ("=?x-unknown?Q?=E9?= =?utf-8?Q?=E9=80=80?=", "=?x-unknown?Q?=E9?=退"),
        ("=?idna?B?gA==?=", "=?idna?B?gA==?="),
        ("=?unicode_escape?Q?=5Cq?=", "\\q"),
        # NousResearch/hermes-agent#55382
        ("Sale =?utf-8?B?a?=", "Sale"),
        # DockYard/elixir-mail#157
        ('=?UTF-8?Q?"Hyperdrive:_ma?= =?UTF-8?Q?king=E2=80=99s"?=', '"Hyperdrive: making\u2019s"'),
        # networktocode/circuit-maintenance-parser#124
        ("=?UTF-8?Q?TT_6543?=\r\n      =?UTF-8?Q?0619_=E2=80=93_New?=\r", "TT 65430619 \u2013 New"),
        ("=?utf-8?Q?Ready??=", "Ready?"),
        ("=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?iso-8859-1?Q?=80_off?=", "€ off"),
        ("=?shift_jis?B?h0A=?=", "①"),
        ("=?iso-8859-8-i?Q?=F9?=", "ש"),
        ("=?us-ascii?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?Q?a=0D=0Ab=00c?=", "a  b c"),
        ("\u202egnp.elas", "gnp.elas"),
        ("=?utf-8?q?abc", "=?utf-8?q?abc"),
        ("50 =?% off", "50 =?% off"),
    ],
)
def test_encoded_words_are_decoded_as_far_as_possible(value, text):
    assert decoded(value) == text


@pytest.mark.parametrize(
    "value",
    [
        # mozilla/fxa-auth-server#2090, RIPE-NCC/whois#1592, justingit/dada-mail#5
        "<ada@example.com>",
        "<<ada@example.com>>",
        "ada@example.com>",
        "Ada <ada@example.com",
        # bulwarkmail/webmail#973
        "<Ada Lovelace <ada@example.com",
        "'ada@example.com'",
        '"ada@example.com"',
        "\"'ada@example.com'\"",
        "ada@example.com (Ada)",
        "Ada <ada@example.com> (office)",
        '"Lovelace, Ada <x>" <ada@example.com>',
        "rfc822;ada@example.com",
        "rfc822; ADA@Example.com",
        "<mailto:ada@example.com>",
        "ada@example.com.",
        "ada@example.com;",
        " ada @ example.com\r\n",
        "\u200bada@example.com\xa0",
        "=?utf-8?Q?ada=40example.com?=",
        "=?utf-8?B?QWRhIDxhZGFAZXhhbXBsZS5jb20+?=",
    ],
)
def test_a_recipient_has_one_address_however_servers_write_it(value):
    assert normalised_address(value) == "ada@example.com"


@pytest.mark.parametrize(
    ("value", "address", "of"),
    [
        ('"ada lovelace"@b.org', '"ada lovelace"@b.org', "b.org"),
        ("ada@[IPv6:2001:db8::1]", "ada@[ipv6:2001:db8::1]", "[ipv6:2001:db8::1]"),
        ("ada%b.org@relay.org", "ada%b.org@relay.org", "relay.org"),
        ("ÜSER@xn--mnchen-3ya.example", "üser@xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("undisclosed-recipients:;", "undisclosed-recipients:", ""),
        ("<>", "", ""),
        ("();", "();", ""),
    ],
)
def test_unusual_addresses_are_kept(value, address, of):
    assert (normalised_address(value), domain(address)) == (address, of)


@pytest.mark.parametrize(
    ("source", "sender"),
    [
        ('"Ada \\"The\\" Shop" <news@example.com>', 'Ada "The" Shop'),
        ('"=?utf-8?Q?Caf=C3=A9?=" <news@example.com>', "Café"),
        ("=?utf-8?Q?Caf=C3=A9_<x@y>?= <news@example.com>", "Café <x@y>"),
        ("Shop", "Shop"),
        ("<news@example.com>", "news@example.com"),
    ],
)
def test_the_sender_is_the_display_name_or_the_address(source, sender):
    event = ses.a_send()
    event["mail"]["source"] = source

    assert parse(ses.raw(event), campaign_tag="campaign").sender == sender


def test_a_subject_may_be_in_the_headers_only():
    event = ses.a_send(subject=None)
    event["mail"]["headers"] = [{"name": "SUBJECT", "value": "=?utf-8?Q?Caf=C3=A9?=\r\n now"}]

    assert parse(ses.raw(event), campaign_tag="campaign").subject == "Café now"


values = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(
            [
                *("=?", "?=", "?", "utf-8", "gb2312", "iso-2022-jp", "utf-16", "utf_7", "hex", "b"),
                *("q", "B", "Q", "=E9", "=", "w4k", "_", " ", "\r\n", "*en", "<", ">", '"', "'"),
                *("(", ")", "@", ".", ";", ":", "ada", "\\", "\ud800", "\x00", "é", "mailto:"),
                *("rfc822;", "unicode_escape", "punycode", "undefined", "İ", "\u200b"),
            ]
        ),
        max_size=12,
    ).map("".join),
)


@given(values)
def test_any_value_becomes_a_text_and_an_address(value):
    text, (name, _), address = decoded(value), mailbox(value), normalised_address(value)

    for one in (text, name):
        assert one == one.strip()
        assert not set(one) & set("\r\n\x00\u202e")
    assert domain(address) == domain(address).lower()
    if "=?" not in value:
        assert decoded(text) == text
    if "=?" not in address:
        assert normalised_address(address) == address
