"""The names of forgotten recipients are replaced by tokens, and nothing else changes."""

import pytest
from msgspec.structs import replace
from support import ses

from chalicelib.facts.fact import FactSettings, facts_of, pseudonym
from chalicelib.facts.forgotten import NOBODY, PREFIX, Forgotten, spellings
from chalicelib.facts.settle import settle
from chalicelib.recipients.pages import sent, without
from chalicelib.ses.parse import parse

ADA = "ada@example.com"
BOB = "bob@example.com"
EVERYONE = Forgotten("key")


def forgetting(*addresses):
    return Forgotten("key", frozenset(map(EVERYONE.token, addresses)))


def facts(*events, store_addresses=True):
    settings = FactSettings("key", store_addresses=store_addresses)
    return [
        fact
        for event in events
        for fact in facts_of(parse(ses.raw(event), campaign_tag="campaign"), settings)
    ]


def to(event, *addresses):
    event["mail"]["destination"] = [*addresses]
    return event


def a_bounce(address, **fields):
    event = to(ses.a_bounce(**fields), address)
    event["bounce"]["bouncedRecipients"][0]["emailAddress"] = address
    return event


def test_an_address_and_its_pseudonym_have_one_token():
    assert EVERYONE.token(ADA) == EVERYONE.token(pseudonym(ADA, "key"))
    assert EVERYONE.token(ADA).startswith(PREFIX)
    assert EVERYONE.token(ADA) != EVERYONE.token(BOB)


def test_a_token_does_not_begin_with_the_pseudonym():
    assert pseudonym(ADA, "key") not in EVERYONE.token(ADA)


def test_a_token_is_its_own():
    assert EVERYONE.token(EVERYONE.token(ADA)) == EVERYONE.token(ADA)


@pytest.mark.parametrize("store_addresses", [True, False])
def test_a_fact_of_a_forgotten_recipient_has_a_token_and_keeps_its_identity(store_addresses):
    event = to(ses.a_send(subject="Ada, your offer"), "Ada@Example.com")
    [fact] = facts(event, store_addresses=store_addresses)

    new = forgetting(ADA).fact(fact)

    assert new.recipient == EVERYONE.token(ADA)
    assert (new.reported, new.subject) == (None, None)
    assert replace(
        new, recipient=fact.recipient, reported=fact.reported, subject=fact.subject
    ) == replace(fact)
    assert forgetting(ADA).fact(new) == new


def test_a_fact_of_another_recipient_is_unchanged():
    [fact] = facts(to(ses.a_send(), BOB))

    assert forgetting(ADA).fact(fact) == fact
    assert NOBODY.fact(fact) is fact


def test_of_several_recipients_of_a_send_only_the_forgotten_one_is_replaced():
    [fact] = facts(to(ses.a_send(), ADA, BOB))

    new = forgetting(ADA).fact(fact)

    assert new.recipients == {EVERYONE.token(ADA): "example.com", BOB: "example.com"}
    assert new.count == 2


def test_an_address_that_0_1_0_stored_in_another_spelling_is_forgotten():
    [fact] = facts(to(ses.a_send(), ADA))

    new = forgetting(ADA).fact(replace(fact, recipient="Ada@Example.com", generation=1))

    assert new.recipient == EVERYONE.token("Ada@Example.com")


def test_texts_that_0_1_0_did_not_mask_are_masked():
    [fact] = facts(to(ses.a_reject(), ADA))
    old = replace(
        fact,
        generation=1,
        detail=f"Bad content for {ADA}",
        sender="bounces+ada=example.com@shop.example",
        link=f"https://shop.example/{ADA}/",
    )

    new = forgetting(ADA).fact(old)

    assert "ada" not in f"{new.detail} {new.sender} {new.link}"


def test_the_subtype_of_a_bounce_is_counted_and_stays():
    [fact] = facts(a_bounce(ADA))

    assert forgetting(ADA).fact(fact).bounce_kind == fact.bounce_kind


@pytest.mark.parametrize("view", [NOBODY, forgetting(ADA)], ids=["before", "after"])
def test_reports_of_one_bounce_count_once_though_only_one_names_a_token(view):
    first, second = facts(
        a_bounce(ADA, feedback="f-1"), a_bounce("Ada@example.com", feedback="f-2")
    )
    half_rewritten = [first, forgetting(ADA).fact(second)]

    found = settle(map(view.fact, half_rewritten), None, EVERYONE.token).state

    assert found == settle([first, second], None).state
    assert len(found.bounces) == 1


def test_bounces_of_two_forgotten_recipients_of_one_message_count_twice():
    found = map(forgetting(ADA, BOB).fact, facts(a_bounce(ADA), a_bounce(BOB)))

    assert len(settle(found, None, EVERYONE.token).state.bounces) == 2


def test_a_page_of_recipients_has_tokens_of_forgotten_ones():
    entries = [sent(fact) for fact in facts(to(ses.a_send("m-1"), ADA), to(ses.a_send("m-2"), BOB))]

    new = without(entries, forgetting(ADA))

    assert [[*one.recipients] for one in new] == [[EVERYONE.token(ADA)], [BOB]]
    assert without(new, forgetting(ADA)) == new


@pytest.mark.parametrize(
    "text",
    [
        "To: Ada <ADA@Example.COM>",
        "https://shop.example/?e=ada%40example.com",
        "https://shop.example/?e=ada%2540example.com",
        '{"Message": "{\\"to\\": \\"ada\\\\u0040example.com\\"}"}',
        '{"to": "\\r\\nada@example.com"}',
        "bounces+ada=example.com@shop.example",
    ],
)
def test_an_address_is_found_in_a_text_in_any_encoding(text):
    assert spellings("Ada@example.com").are_in(text)


@pytest.mark.parametrize(
    "other",
    ["canada@example.com", "ada@example.com.au", "ada@example.community", "x.ada@example.com"],
)
def test_an_address_that_contains_another_is_another_person(other):
    assert not spellings(ADA).are_in(f"To: {other}")


def test_an_address_with_another_tag_is_another_person():
    assert EVERYONE.token("ada+news@example.com") != EVERYONE.token(ADA)
    assert not spellings(ADA).are_in("ada+news@example.com")


def test_an_address_is_found_by_either_form_of_its_domain():
    unicode, ascii_ = "ada@bücher.example", "ada@xn--bcher-kva.example"

    assert spellings(unicode).names == spellings(ascii_).names
