"""The subject of a campaign is a function of the set of its emails, from a sample of bounded size."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.stats.subjects import SubjectSample, sample_from_item, sample_to_map

emails = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["Spring", "Sommer", "Ada, spring", "=?"])),
    min_size=1,
    max_size=300,
)


def sample(emails):
    found = SubjectSample()
    for number, subject in emails:
        found.add(f"m-{number}", subject)
    return found.merged(SubjectSample())


@given(emails, st.randoms(use_true_random=False), st.integers(1, 7))
def test_the_order_and_the_batches_of_emails_change_no_sample(emails, rng, size):
    shuffled = emails * 2
    rng.shuffle(shuffled)
    batches = [sample(shuffled[start : start + size]) for start in range(0, len(shuffled), size)]

    merged = reduce(SubjectSample.merged, batches)

    assert merged == sample(emails)
    assert merged.field() == sample(emails).field()
    assert len(merged.subjects) <= 100


@given(emails, emails)
def test_an_email_that_enters_the_sample_lowers_the_rank_of_the_subject(some, more):
    before = sample(some)

    after = before.merged(sample(more))

    if after == before:
        assert after.field() == before.field()
    else:
        assert after.field().rank < before.field().rank


@given(emails)
def test_a_stored_sample_is_read_unchanged(emails):
    found = sample(emails)

    assert sample_from_item({"subjects": sample_to_map(found)}) == found


def test_a_subject_of_most_emails_is_that_of_most_sampled_emails():
    most = [(number, "Spring") for number in range(900)]
    few = [(number, f"No. {number}") for number in range(900, 1_500)]

    assert sample([*few, *most]).field().values == {"subject": "Spring"}


def test_of_equally_frequent_subjects_the_least_is_shown():
    assert sample([(1, "b"), (2, "a")]).field().values == {"subject": "a"}
