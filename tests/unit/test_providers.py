"""Mailbox providers of addresses, by domain and by SES's tag."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.facts.providers import (
    _COUNTRIES,
    _DOMAINS,
    _OTHER_NAMES,
    OTHER,
    PROVIDERS,
    by_provider,
    normalised_domain,
    provider,
)
from dashboard.paths import PROJECT


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("gmail.com", "Gmail"),
        ("GMail.COM", "Gmail"),
        ("gmail.com.", "Gmail"),
        (" gmail.com ", "Gmail"),
        ("hotmail.co.uk", "Microsoft"),
        ("outlook.com.br", "Microsoft"),
        ("aol.com", "Yahoo"),
        ("cox.net", "Yahoo"),
        ("yahoo.co.jp", "Yahoo Japan"),
        ("privaterelay.appleid.com", "Apple iCloud"),
        ("web.de", "GMX and WEB.DE"),
        ("wanadoo.fr", "Orange"),
        ("virgilio.it", "Libero"),
        ("alice.it", "TIM"),
        ("yandex.com.tr", "Yandex"),
        ("nyc.rr.com", "Charter"),
        ("rr.com", "Charter"),
        ("example.com", None),
        ("mail.gmail.com", None),
        ("notgmail.com", None),
        ("gmail.com.example", None),
        ("yahoo", None),
        ("", None),
        (None, None),
    ],
)
def test_a_domain_belongs_to_the_operator_of_its_mailboxes(domain, expected):
    assert provider(domain) == expected


@pytest.mark.parametrize(
    ("domain", "isp", "expected"),
    [
        ("example.com", "Gmail", "Gmail"),
        ("example.com", "Hotmail", "Microsoft"),
        ("example.com", "AT&T", "Yahoo"),
        ("example.com", "La_Poste", "La Poste"),
        ("example.com", "UNKNOWN_ISP", None),
        ("example.com", "A provider of tomorrow", None),
        ("example.com", "other", None),
        (None, "Gmail", "Gmail"),
        # Events of one address, some with a tag: all count for the same provider.
        ("att.net", "AT&T", "Yahoo"),
        ("gmail.com", "UNKNOWN_ISP", "Gmail"),
        ("gmail.com", "Yahoo", "Gmail"),
    ],
)
def test_the_tag_decides_where_the_table_does_not_have_the_domain(domain, isp, expected):
    assert provider(domain, isp) == expected


@pytest.mark.parametrize(
    ("domain", "normalised"),
    [
        ("Example.ORG.", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example.", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ü..example", "ü..example"),  # not a domain
        (f"{'ü' * 70}.example", f"{'ü' * 70}.example"),
    ],
)
def test_a_domain_is_compared_in_ascii_without_case_and_final_dot(domain, normalised):
    assert normalised_domain(domain) == normalised


domains = st.one_of(st.text(max_size=80), st.sampled_from(" ".join(_DOMAINS.values()).split()))


@given(domains, st.one_of(st.none(), st.text(max_size=30)))
def test_any_domain_has_a_provider_of_the_table_or_none(domain, isp):
    assert provider(domain, isp) in {None, *PROVIDERS}
    assert provider(normalised_domain(domain), isp) == provider(domain, isp)


@given(st.lists(domains, max_size=50), st.one_of(st.none(), st.sampled_from(PROVIDERS)))
def test_each_address_counts_once_whatever_the_order(listed, isp):
    counts = by_provider(listed, isp)

    assert sum(counts.values()) == len(listed)
    assert counts == by_provider(listed[::-1], isp)
    assert counts.keys() <= {*PROVIDERS, OTHER}


def test_the_tag_of_an_email_to_several_addresses_is_ignored():
    assert by_provider(["example.com"], "Gmail") == {"Gmail": 1}
    assert by_provider(["example.com", "gmail.com", ""], "Gmail") == {OTHER: 2, "Gmail": 1}


def test_no_domain_and_no_name_belongs_to_two_providers():
    named = [one for domains in _DOMAINS.values() for one in domains.split()]
    named += [
        f"{label}.{ending}"
        for labels in _COUNTRIES.values()
        for label, endings in labels.items()
        for ending in endings.split()
    ]
    aliases = [one for others in _OTHER_NAMES.values() for one in others.split()]

    assert len(named) == len(set(named))
    assert len(aliases) == len(set(aliases))
    assert _COUNTRIES.keys() | _OTHER_NAMES.keys() <= set(PROVIDERS)
    assert all(normalised_domain(one) == one for one in named)


def test_the_counters_of_a_campaign_have_a_bounded_number_of_providers():
    page = (PROJECT / "docs" / "deliverability.md").read_text()

    assert len({*PROVIDERS, OTHER}) <= 50
    assert all(len(name) <= 20 for name in PROVIDERS)
    assert f"{len(PROVIDERS)} providers" in page
