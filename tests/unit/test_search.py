"""Search finds campaigns by words of what users see of them."""

import unicodedata

import pytest

from chalicelib.stats.search import mismatch, query_words

TEXTS = ("spring_sale-2", "Green Äpfel for you", "Shop <news@shop.example>")
AT = "2026-11-23T10:00:00Z"


def search(query):
    return mismatch(query_words(query), TEXTS, AT)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "spring-sale",
        "sale spring",
        "you GREEN",
        "äpf",
        "pring",
        "news@shop.example",
        "2026",
        "2026-11",
        "2026-11-23",
        "november",
        "nov sale",
        "grene",
        "gren",
        "greeen",
        "graen",
        "@",
    ],
)
def test_a_campaign_is_found(query):
    assert search(query) is not None


@pytest.mark.parametrize(
    "query",
    ["winter", "spring winter", "grnee", "yuo", "2026-12", "2026-11-2023", "2026-1123", "%"],
)
def test_a_campaign_is_not_found(query):
    assert search(query) is None


@pytest.mark.parametrize("query", ["NFC", "NFD"])
@pytest.mark.parametrize("subject", ["NFC", "NFD"])
def test_accents_are_found_however_they_are_encoded(query, subject):
    texts = ("spring", unicodedata.normalize(subject, "Große Größen für 한국"), None)

    for one in ("Größen", "für", "한국", "grö"):
        words = query_words(unicodedata.normalize(query, one))
        assert mismatch(words, texts, AT) in (0, 1)


def test_whole_words_match_best_then_beginnings_parts_and_typing_errors():
    ranks = [search(query) for query in ("green", "gree", "reen", "grene")]
    assert ranks == sorted(set(ranks))


def test_a_date_is_not_found_by_its_day_as_a_month():
    assert mismatch(query_words("2026-03"), ("a",), "2026-11-03T10:00:00Z") is None


def test_a_campaign_without_events_and_subject_is_found_by_its_id():
    assert mismatch(query_words("spring"), ("spring", None, None), None) == 0
