"""Laws of search: the order of words does not matter, and one typing error is forgiven."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.stats.search import differ_by_one_error, mismatch, query_words

WORDS = st.text("abc", max_size=7)
SENTENCES = st.lists(st.text("abcdefgh", min_size=1), min_size=1, max_size=5)


def distance(a, b):
    """Compute the Damerau-Levenshtein distance (optimal string alignment) by its definition."""
    table = {}
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            costs = [i + j] if not i or not j else []
            if i and j:
                costs += [
                    table[i - 1, j] + 1,
                    table[i, j - 1] + 1,
                    table[i - 1, j - 1] + (a[i - 1] != b[j - 1]),
                ]
            if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
                costs.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(costs)
    return table[len(a), len(b)]


@given(WORDS, WORDS)
def test_one_error_is_a_distance_of_one(a, b):
    assert differ_by_one_error(a, b) == (distance(a, b) == 1)


@given(st.text("abcdef", min_size=4, max_size=8), st.sampled_from("abcx"), SENTENCES)
def test_a_word_is_found_wherever_it_has_one_error(word, letter, sentence):
    for at in range(len(word)):
        before, after = word[:at], word[at + 1 :]
        for other in (
            before + after,
            before + letter + word[at:],
            before + letter + after,
            before + after[:1] + word[at] + after[1:],
        ):
            assert mismatch([word], (" ".join([*sentence, other]),), None) is not None


@given(SENTENCES.flatmap(lambda words: st.tuples(st.just(words), st.permutations(words))))
def test_words_are_found_in_any_order(words_and_order):
    words, order = words_and_order
    assert mismatch(query_words(" ".join(order)), (" ".join(words),), None) == 0
