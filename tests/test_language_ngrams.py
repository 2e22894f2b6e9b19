"""N-gram models: against numbers worked by hand, against the slow twin, and as distributions."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
import oracle
import pytest
from conftest import zipf_text
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.errors import CorpusError, OptionError
from glove_cli.language.ngrams import KneserNey, NgramCounts, perplexity
from glove_cli.language.text import Text, read_text, text_of

A, B, END, UNK = 0, 1, 2, 3  # of the vocabulary a, b
LINES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=8)


def text(lines: list[list[int]], V: int) -> Text:
    ids = [i for line in lines for i in (*line, V)]
    return text_of(np.array(ids, np.int32), V)


def test_a_bigram_model_has_the_probabilities_worked_by_hand() -> None:
    # The lines "a b", "a b", "a", "b b". Bigrams, with | for the beginning and . for the end: |a 3, |b 1, ab 2, a. 1,
    # bb 1, b. 3; n1 = 3, n2 = 1, so D = 3/5. Words by how many stand before them: a 1, b 3 (|, a, b), . 2 (a, b), so
    # n1 = 1, n2 = 1, D = 1/3, in all 6. p(a) = (1 - 1/3)/6 + (1/3 * 3/6) * 1/4 = 1/9 + 1/24 = 11/72.
    model = KneserNey.train(text([[A, B], [A, B], [A], [B, B]], 2), 2)
    assert model.discounts == pytest.approx((1 / 3, 3 / 5))
    p_a, p_b, p_unk = Fraction(11, 72), Fraction(8, 18) + Fraction(1, 24), Fraction(1, 24)
    # After a: (2 - 3/5)/3 for b, and 3/5 * 2/3 = 2/5 for the lower order.
    assert model.distribution([A])[B] == pytest.approx(float(Fraction(7, 15) + Fraction(2, 5) * p_b))
    assert model.distribution([A])[A] == pytest.approx(float(Fraction(2, 5) * p_a))
    assert model.distribution([])[A] == pytest.approx(float(Fraction(12, 20) + Fraction(3, 10) * p_a))
    assert model.distribution([B])[UNK] == pytest.approx(float(Fraction(3, 10) * p_unk))


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@settings(max_examples=25, deadline=None)
@given(lines=LINES, asked=LINES)
def test_every_probability_is_that_of_the_slow_twin(order: int, lines: list[list[int]], asked: list[list[int]]) -> None:
    seen = text([[i if i < 2 else 3 for i in line] for line in lines], 2)
    if len(seen) < order:
        return
    p = oracle.kneser_ney([[*(i if i < 2 else UNK for i in line), END] for line in lines], 2, order)
    lines_asked = [[*(i if i < 2 else UNK for i in line), END] for line in asked]
    found = KneserNey.train(seen, order).probabilities(text([line[:-1] for line in lines_asked], 2))
    expected = [float(p(line[:k], line[k])) for line in lines_asked for k in range(len(line))]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_probabilities_sum_to_one_after_every_context(order: int) -> None:
    seen, words = read_text(io.BytesIO(zipf_text(4000, 200, 1)), min_count=2)
    table = NgramCounts.of(seen, 5)
    model = KneserNey.of(table, order)
    rng = np.random.default_rng(1)
    contexts = [[], *([] for _ in range(3)), *(rng.integers(0, len(words) + 2, 6).tolist() for _ in range(40))]
    for begin in rng.integers(0, len(seen) - 6, 60).tolist():
        contexts.append([i for i in seen.ids[begin : begin + 6].tolist() if i != seen.V])
    for context in contexts:
        p = model.distribution(context)
        assert p.sum() == pytest.approx(1.0, abs=1e-12)
        assert p.min() > 0


def test_the_distribution_and_the_probabilities_of_a_text_agree() -> None:
    seen, _ = read_text(io.BytesIO(zipf_text(2000, 50, 1)))
    other = seen.sample(0.1, 1)
    model = KneserNey.train(seen, 3)
    found = model.probabilities(other)
    begins = other.starts[np.searchsorted(other.starts, np.arange(len(other)), side="right") - 1]
    for k in range(0, len(other), 7):
        context = other.ids[begins[k] : k].tolist()
        assert model.distribution(context)[other.ids[k]] == pytest.approx(found[k], rel=1e-12)


def test_an_order_that_no_line_reaches_changes_nothing() -> None:
    short = text([[A], [B], [A]], 2)
    longer = text([[A, B, B, A, A], [B]], 2)
    four, five = (KneserNey.train(short, order).probabilities(longer) for order in (4, 5))
    np.testing.assert_array_equal(five, four)


def test_one_table_serves_every_order() -> None:
    seen, _ = read_text(io.BytesIO(zipf_text(2000, 50, 1)))
    table = NgramCounts.of(seen, 5)
    for order in (1, 2, 3, 4, 5):
        apart = KneserNey.train(seen, order).probabilities(seen)
        np.testing.assert_array_equal(KneserNey.of(table, order).probabilities(seen), apart)


def test_a_higher_order_learns_a_text_of_two_words_that_alternate() -> None:
    seen = text([[A, B] * 200], 2)
    assert perplexity(KneserNey.train(seen, 2).probabilities(seen)) < 1.05
    assert perplexity(KneserNey.train(seen, 1).probabilities(seen)) > 1.9


def test_the_perplexity_of_a_uniform_model_is_the_number_of_outcomes() -> None:
    assert perplexity(np.full(7, 1 / 50)) == pytest.approx(50)


def test_wrong_orders_and_texts_are_refused() -> None:
    seen = text([[A, B]], 2)
    for order in (0, 6, 1.5, True, "2"):
        with pytest.raises(OptionError, match="is not an integer from 1 to 5"):
            NgramCounts.of(seen, order)  # type: ignore[arg-type]
    with pytest.raises(CorpusError, match="4 tokens are more than the 3 of the text"):
        NgramCounts.of(seen, 4)


def test_what_memory_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glove_cli.language.ngrams.allowed_memory", lambda: 0)
    with pytest.raises(CorpusError, match=r"--order: n-grams up to 2 of 4 tokens take 416 B of memory, there are 0 B"):
        NgramCounts.of(text([[0, 1, 0]], 2), 2)
