"""Vocabularies: order, cut, files, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import oracle
import pytest
from conftest import SharedData
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli import inputs
from glove_cli import vocab as vocab_module
from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.vocab import Vocab, word_from_bytes, word_to_bytes

# What a corpus can hold as a word: any bytes but the separators and the carriage return.
WORD = st.binary(min_size=1, max_size=8).filter(lambda word: not set(word) & set(b" \t\n\r"))
ALIKE = st.builds(lambda begin, word: begin + word, st.sampled_from([b"", b"\xff", b"1234567", b"12345678"]), WORD)


@given(st.binary())
def test_any_bytes_survive_as_a_word(data: bytes) -> None:
    assert word_to_bytes(word_from_bytes(data)) == data


@settings(deadline=None)
@given(
    st.dictionaries(ALIKE, st.integers(1, 4), min_size=1, max_size=20),
    st.integers(1, 4),
    st.none() | st.integers(1, 20),
    st.randoms(use_true_random=False),
)
def test_order_and_cut_equal_the_oracle(counts: dict, min_count: int, max_vocab: int | None, random: object) -> None:
    words = list(counts)
    random.shuffle(words)
    numbers = np.array([counts[word] for word in words], np.int64)
    vocab, order = Vocab.from_counts(words, numbers, min_count=min_count, max_vocab=max_vocab)
    documents = [[word] * n for word, n in counts.items()]
    expected = oracle.vocabulary(documents, min_count, max_vocab)
    assert [(word_to_bytes(w), n) for w, n in zip(vocab.words, vocab.counts.tolist(), strict=True)] == expected
    assert [words[i] for i in order.tolist()] == [word for word, _ in expected]


@settings(deadline=None)
@given(st.dictionaries(WORD, st.integers(1, 2**63 - 1), min_size=1, max_size=20))
def test_loading_what_was_saved_gives_the_same(tmp_path_factory: pytest.TempPathFactory, counts: dict) -> None:
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    vocab = Vocab([word_from_bytes(word) for word in counts], np.array(list(counts.values()), np.int64))
    vocab.save(path)
    lines = b"".join(b"%s %d\n" % pair for pair in counts.items())
    mark = b"\xef\xbb\xbf" if lines.startswith(b"\xef\xbb\xbf") else b""  # for readers, who take one away
    assert path.read_bytes() == mark + lines
    assert Vocab.load(path) == vocab


def test_a_first_word_that_begins_with_a_byte_order_mark_keeps_it(tmp_path: Path) -> None:
    for word in ("\ufeff", "\ufeffthe"):
        vocab = Vocab([word, "a"], np.array([2, 1]))
        vocab.save(tmp_path / "vocab.txt", force=True)
        assert Vocab.load(tmp_path / "vocab.txt") == vocab


def test_words_are_found_by_name() -> None:
    vocab = Vocab(["the", "cat"], np.array([5, 2]))
    assert vocab.index == {"the": 0, "cat": 1}
    assert len(vocab) == 2


def test_vocabularies_are_equal_by_words_and_counts() -> None:
    assert Vocab(["a"], np.array([1])) == Vocab(("a",), np.array([1]))
    assert Vocab(["a"], np.array([1])) != Vocab(["a"], np.array([2]))
    assert Vocab(["a"], np.array([1])) != Vocab(["b"], np.array([1]))
    assert Vocab(["a"], np.array([1])) != "a"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"the 5\nthe 4\n", "line 2 repeats the word of line 1"),
        (b"the 5\ncat\n", "line 2 is not `word count`: 'cat'"),
        (b"the 5\ncat x\n", "line 2 is not"),
        (b"the 5\n\ncat 2\n", "line 2 is not"),
        (b"the 0\n", "line 1 is not"),
        (b"the -1\n", "line 1 is not"),
        (b"the 1.5\n", "line 1 is not"),
        (b" 5\n", "line 1 is not"),
        (b"the 9223372036854775808\n", "line 1 is not"),
        (b"\xff\xfe\n", "line 1 is not"),
    ],
)
def test_bad_vocabulary_files_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=f"vocab.txt: {message}"):
        Vocab.load(path)


def test_a_missing_or_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nothing\.txt: can't be read: No such file"):
        Vocab.load(tmp_path / "nothing.txt")
    with pytest.raises(FormatError, match="can't be read: Is a directory"):
        Vocab.load(tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs /dev/zero")
def test_what_never_ends_a_line_is_no_vocabulary() -> None:
    with pytest.raises(FormatError, match=r"^/dev/zero: has a line of more than 16 MiB. Give a vocabulary file.$"):
        Vocab.load("/dev/zero")


def test_long_files_have_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "LONGEST_LINE", 8)
    monkeypatch.setattr(inputs, "_PIECE", 5)
    (tmp_path / "v").write_bytes(b"".join(b"w%d %d\n" % (i, 100 - i) for i in range(50)))
    assert len(Vocab.load(tmp_path / "v")) == 50
    (tmp_path / "v").write_bytes(b"a 1\n" + b"b" * 20 + b" 1\n")
    with pytest.raises(FormatError, match="has a line of more"):
        Vocab.load(tmp_path / "v")


def test_a_last_line_without_an_end_and_dos_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(b"the 5\r\ncat 2")
    assert Vocab.load(path) == Vocab(["the", "cat"], np.array([5, 2]))


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="already exists"):
        Vocab(["a"], np.array([1])).save(path)
    assert path.read_bytes() == b"mine"
    Vocab(["a"], np.array([1])).save(path, force=True)
    assert path.read_bytes() == b"a 1\n"


def test_more_words_than_ids_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert vocab_module.MAX_WORDS == 2**31 - 1
    monkeypatch.setattr(vocab_module, "MAX_WORDS", 2)
    with pytest.raises(OptionError, match="3 words, at most 2 are possible"):
        Vocab(["a", "b", "c"], np.array([1, 1, 1]))
    with pytest.raises(OptionError, match="3 words, at most 2 are possible"):
        Vocab.from_bytes(b"a 1\nb 1\nc 1\n")


def test_as_many_counts_as_words_are_needed() -> None:
    with pytest.raises(FormatError, match="2 words but 1 counts"):
        Vocab(["a", "b"], np.array([1]))


def test_the_reference_vocabulary_is_read(shared_data: SharedData) -> None:
    path = shared_data.path("stanford/vocab.txt")
    vocab = Vocab.load(path)
    assert len(vocab) == path.read_bytes().count(b"\n")
    assert (vocab.words[0], vocab.counts[0]) == ("the", 16_960)
    assert vocab.to_bytes() == path.read_bytes()
