"""The identity of links: personal parts are masked, and links that differ for readers stay apart.

Comments name the public reports from which URLs are taken, with other addresses.
"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.facts.links import MAX_URL, kind, normalised

SHOP = "https://shop.example"
TOKEN = "4f3a2b1c9d8e7f60"


def in_base64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        # Foundry376/Mailspring#480
        (
            f"{SHOP}/link/local-334cc142-62a9@example.com/0?redirect=mailto%3Aada%40example.com",
            f"{SHOP}/link/*/0?redirect=mailto:*",
        ),
        # coa0329/BhaangWeb#182
        (
            f"{SHOP}/a/?campaignID=dffb7af45eee08a6ab70be4489d89a5a&utm_term=x&e=ada@example.com",
            f"{SHOP}/a/?campaignID=*&e=*",
        ),
        # sublime-security/sublime-rules#4291
        (f"{SHOP}/?e={in_base64('ada@b.org')}", f"{SHOP}/?e=*"),
        (f"{SHOP}/?e={in_base64('jane@doe.io').rstrip('=')}%3D", f"{SHOP}/?e=*"),
        (f"{SHOP}/{in_base64('ada.lovelace@gmail.com')}", f"{SHOP}/*"),
        (f"{SHOP}/{b'ada@b.org'.hex()}", f"{SHOP}/*"),
        # webcompat/webcompat.com#1071
        (
            f"{SHOP}/sao-paulo-all-inclusive-6378.html?code=Mzg0MjkwOjk2ZDA5M2U2MWI0Yz&utm_source=x",
            f"{SHOP}/sao-paulo-all-inclusive-6378.html?code=*",
        ),
        # apparition47/MailTrackerBlocker#154
        (
            f"{SHOP}/click/d604409c-9fff-4d18-b67e-84185995f3f1?r=aHR0cHM6Ly9wdWxsZXkuY29t",
            f"{SHOP}/click/*?r=aHR0cHM6Ly9wdWxsZXkuY29t",
        ),
        # AdguardTeam/AdguardBrowserExtension#1397
        (
            f"{SHOP}/a?utm_campaign&continue=https%3A%2F%2Fb.example%2Fc%3Futm_campaign%3Dx",
            f"{SHOP}/a?continue=https://b.example/c",
        ),
        # Foundry376/Mailspring#445
        (
            f"{SHOP}/?payment=F0&amp%3Bkey=d0000000000000000000000000000000&recipient=a%40b.org",
            f"{SHOP}/?payment=F0&amp%3Bkey=*&recipient=*",
        ),
        # foundation/foundation-emails#711, mautic/mautic#1702
        (f"{SHOP}/?id=1&amp;utm_source=x&amp;mc_eid=5d1f", f"{SHOP}/?id=1"),
        ("https://a.example/?sdata=Hn4PkTlUgiKHv4lzmUpvHoPdB%2FQ4%2BTY0dBGu7fWzRXY%3D", None),
        (f"{SHOP}/a;jsessionid={TOKEN * 2}", f"{SHOP}/a;jsessionid%3D*"),
        (f"{SHOP}/{'%25' * 30}40".replace("/%", "/ada%") + "b.org", f"{SHOP}/*"),
        (f"https://ada:pass@shop.example:99999/{TOKEN}", "https://*@shop.example:99999/*"),
        (f"https://user{TOKEN}.shop.example/a", "https://*.shop.example/a"),
        ("http://[2001:DB8::1]/a", "http://[2001:db8::1]/a"),
        ("http://[", "http://[/"),
        ("file:///a", "file:///a"),
        ("A:////", "a:////"),
        ("http://[::1]:80/a", "http://[::1]/a"),
        ("//::", "//::"),
        ("0 #", "0"),
        ("TEL:+1555", "tel:*"),
        ("facetime:ada@example.com", "facetime:*"),
        (f"{SHOP}/join/ABCD-1234-EFGH-5678", f"{SHOP}/join/*"),
    ],
)
def test_personal_parts_and_tracking_parameters_are_no_part_of_a_link(url, identity):
    assert normalised(url) == (identity or "https://a.example/?sdata=*")


@pytest.mark.parametrize(
    "path",
    [
        "news/world-europe-66754321",
        "products/nike-air-max-90-ct2302-100",
        "blackfriday2026sale",
        "BLACK-FRIDAY-2026-SALE",
        "2026/11/23/how-we-cut-costs-by-30-percent",
        "blog/2026-11-23-our-release-v2-10-3",
        "dp/9783161484100",
        "watch?v=dQw4w9WgXcQ",
        "a;color=red",
        "a?x",
        "a?x=",
        "a?x=1&x=2",
        "a?date=2026-11-23T10:00:00",
        "a?name=Ada+Lovelace",
        "a?redirect=/products/summer/shoes",
        "%C3%A4%2Fb",
        "%FF%",
    ],
)
def test_ordinary_paths_and_parameters_are_kept(path):
    assert normalised(f"{SHOP}/{path}") == f"{SHOP}/{path}"


def test_numbers_of_articles_are_masked_without_the_words_of_their_slug():
    """Otherwise all articles of a publisher were one link."""
    posts = [f"{SHOP}/@acme/{slug}-4f3a2b1c9d8e" for slug in ("cut-costs-by-30", "hire-more")]

    assert len(set(map(normalised, posts))) == 2
    assert not any("4f3a2b1c9d8e" in normalised(post) for post in posts)


@pytest.mark.parametrize(
    "spelling",
    [
        "HTTPS://Shop.Example",
        f"{SHOP}/",
        f"{SHOP}:443/",
        f"{SHOP}/?",
        f"{SHOP}/?&&utm_id=7",
        f"{SHOP}#top",
        f" {SHOP}\r\n",
    ],
)
def test_a_link_may_be_spelled_differently(spelling):
    assert normalised(spelling) == normalised(SHOP)


def test_percent_encodings_may_have_either_case():
    assert normalised(f"{SHOP}/a%2fb%c3%a4") == normalised(f"{SHOP}/a%2Fb%C3%A4")


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        # freeCodeCamp/mail-for-good#240
        ("http://unsubscribe/0fbce038-124a-41f5-9c43-6cfec8df01f2", "http://unsubscribe/*"),
        (f"{SHOP}/unsubscribe-{TOKEN}", f"{SHOP}/unsubscribe*"),
        (f"{SHOP}/unsubscribe{TOKEN}", f"{SHOP}/unsubscribe*"),
        (f"{SHOP}/unsubscribe/ada@example.com/7", f"{SHOP}/unsubscribe/*/*"),
        (f"{SHOP}/unsubscribe-4711", f"{SHOP}/unsubscribe*"),
        (f"{SHOP}/unsubscribe.php?u=4711", f"{SHOP}/unsubscribe.php?u=*"),
        (f"{SHOP}/?mailster_unsubscribe=4711&x=1", f"{SHOP}/?mailster_unsubscribe=*&x=*"),
        (f"{SHOP}/?next=%2Funsubscribe%2F4711", f"{SHOP}/?next=/unsubscribe/*"),
        (f"{SHOP}/?next=%2funsubscribe%2fada%40b.org", f"{SHOP}/?next=/unsubscribe/*"),
        (f"{SHOP}/?u=4711#/unsubscribe/{TOKEN}", f"{SHOP}/?u=*#unsubscribe"),
        (f"{SHOP}/unsub.ada@example.com", f"{SHOP}/unsubscribe*"),
    ],
)
def test_unsubscribe_links_stay_recognizable_without_their_recipient(url, identity):
    assert normalised(url) == identity
    assert kind(identity) == "unsubscribe"


hosts = st.sampled_from(["shop.example", "SHOP.example", "münchen.example", "shop.example:8443"])
words = st.sampled_from(["sale", "a-b", "Ä", "%C3%A4", "50%25", "x_y", "v1.2", "2026"])
paths = st.lists(words, max_size=3).map("/".join)
parameters = st.lists(st.builds("{}={}".format, words, words), max_size=3)
recipients = st.sampled_from(
    ["ada@example.com", "o'brien+x@b.org", TOKEN, "0fbce038-124a-41f5-9c43-6cfec8df01f2"]
)


@st.composite
def spellings(draw):
    """Draw two URLs of one link, as two recipients get them."""
    host, path, query = draw(hosts), draw(paths), draw(parameters)

    def spelled():
        scheme = draw(st.sampled_from(["https", "HTTPS"]))
        name = draw(st.sampled_from([str.lower, str.upper]))(host)
        tracking = draw(st.sampled_from(["utm_source=", "GCLID=", "mc_eid=", "amp;utm_id="]))
        all_of_it = [f"who={draw(recipients)}", *query]
        all_of_it.insert(draw(st.integers(0, len(all_of_it))), tracking + draw(words))
        fragment = draw(st.sampled_from(["", "#top", "#ada@example.com"]))
        return f"{scheme}://{name}/{path}/{draw(recipients)}?{'&'.join(all_of_it)}{fragment}"

    return spelled(), spelled()


@given(spellings())
def test_the_links_of_all_recipients_have_one_identity_and_kind(urls):
    first, second = map(normalised, urls)

    assert first == second
    assert kind(first) == kind(urls[0]) == "link"


@given(hosts, paths, parameters, words)
def test_links_that_differ_in_path_or_parameter_differ(host, path, query, word):
    url = f"https://{host}/{path}?{'&'.join(query)}"
    others = [f"{url}&{word}=1", f"https://{host}/{path}/{word}?{'&'.join(query)}"]

    assert len(set(map(normalised, [url, *others]))) == 3


urls = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                *("https://", "http:", "//", "/", "?", "&", "=", "#", "%", "%25", "25", "40", "@"),
                *("ada", "b.org", TOKEN, "unsubscribe", "optout", "utm_x", "[", "]", ":", ";", "*"),
                *("Ä", "\ud800", "\x00", " ", "\n", '"', "mailto:", "%3D", "+", "-", "_"),
            ]
        ),
        max_size=15,
    ).map("".join),
)


@given(urls, st.integers(0, 3))
def test_any_text_has_an_identity_that_is_its_own_identity(text, length):
    url = text + "é/" * length * MAX_URL
    once = normalised(url)

    assert normalised(once) == once
    assert 1 <= len(once) <= MAX_URL
    assert kind(once) in {"link", "unsubscribe", "mailto", "tel"}
    once.encode()
