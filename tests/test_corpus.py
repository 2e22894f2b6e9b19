"""Texts to tokens: blocks, the word table, ids in chunks."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.corpus.encoder import encode_corpus
from glove_cli.corpus.reader import Source, find_sources, prepare_block, read_blocks
from glove_cli.corpus.tokenizer import WordTable
from glove_cli.errors import CorpusError

TEXT = st.lists(st.sampled_from([b" ", b"\t", b"\n", b"\r", b"\x00", b"a", b"b", b"\xc3", b"\xa9", b"\xff"])).map(
    b"".join
)


TOKENS = st.lists(st.sampled_from([b"a ", b"b ", b"c ", b"d ", b"a\n", b"b\n", b"\n"]), max_size=60).map(b"".join)


def words_of(table: WordTable) -> list[bytes]:
    return table.listed(range(table.words))


# --- blocks ---------------------------------------------------------------------------------------------------------


@given(st.lists(TEXT, min_size=1, max_size=3), st.integers(1, 30))
def test_blocks_join_to_the_text_and_end_at_separators(contents: list[bytes], size: int) -> None:
    sources = [Source("text", None, io.BytesIO(text)) for text in contents]
    blocks = list(read_blocks(sources, size))
    # A newline after each text: no token and no document goes on in the next one.
    assert b"".join(blocks) == b"".join(text + b"\n" for text in contents)
    assert all(block[-1:] in (b" ", b"\t", b"\n") for block in blocks)


def test_lower_case_is_unicodes_and_leaves_other_bytes(tmp_path: Path) -> None:
    text = "ÉCOLE Straße ΟΔΟΣ İ \u00a0X".encode() + b" \xff\xc3A "
    assert prepare_block(text, lowercase=True) == "école straße οδος i̇ \u00a0x".encode() + b" \xff\xc3a "
    assert prepare_block(b"A\r B\r\n", lowercase=False) == b"A B\n"


def test_sources_are_checked_before_reading(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"a b")
    assert find_sources(file) == [Source(str(file), 3)]
    assert [source.size for source in find_sources([str(file), file])] == [3, 3]
    with pytest.raises(CorpusError, match=r"missing\.txt: can't be read: No such file"):
        find_sources([file, tmp_path / "missing.txt"])
    with pytest.raises(CorpusError, match="is a folder"):
        find_sources(tmp_path)
    with pytest.raises(CorpusError, match="no file was named"):
        find_sources([])
    with pytest.raises(CorpusError, match="open as text"):
        find_sources(io.StringIO("a b"))


def test_an_unreadable_file_is_refused(as_ordinary_user: Path) -> None:
    file = as_ordinary_user / "text.txt"
    file.write_bytes(b"a b")
    file.chmod(0)
    with pytest.raises(CorpusError, match=r"text\.txt: can't be read: Permission denied"):
        find_sources(file)


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a b")))
    (source,) = find_sources("-")
    assert (source.name, source.size) == ("standard input", None)
    assert b"".join(read_blocks([source])) == b"a b\n"


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"a b\nc" * 1000))
    writer.start()
    (source,) = find_sources(pipe)
    assert b"".join(read_blocks([source], 64)) == b"a b\nc" * 1000 + b"\n"
    writer.join(10)


class Breaks(io.RawIOBase):
    """A file that gives some text and then fails."""

    def __init__(self) -> None:
        self.left = [b"a b c ", b""]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        if len(self.left) == 1:
            raise OSError(5, "Input/output error")
        return self.left.pop(0)


def test_a_text_that_breaks_off_is_an_error() -> None:
    (source,) = find_sources(Breaks())
    with pytest.raises(CorpusError, match="can't be read: Input/output error"):
        list(read_blocks([source]))


# --- the word table -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(TEXT)
def test_tokens_equal_the_oracle(text: bytes) -> None:
    table = WordTable()
    ids = table.tokenize(prepare_block(text + b"\n", lowercase=False))
    documents = oracle.tokenize(text)
    words = words_of(table)
    assert len(set(words)) == len(words)
    separated = [token for document in documents for token in (*document, None)]
    got = [None if i < 0 else words[i] for i in ids.tolist()]
    # A blank line may or may not leave a mark; two marks in a row mean no more than one.
    assert [t for k, t in enumerate(got) if t or (k and got[k - 1])] == separated
    flat = [token for document in documents for token in document]
    assert {word: int(table.counts[i]) for i, word in enumerate(words)} == {word: flat.count(word) for word in flat}
    assert words == list(dict.fromkeys(flat))  # in order of first appearance


def test_the_table_grows() -> None:
    table = WordTable()
    many = [b"%d" % i for i in range(150_000)]
    ids = table.tokenize(b" ".join(many) + b" ")
    assert np.array_equal(ids, np.arange(150_000))
    assert np.array_equal(table.tokenize(b" ".join(reversed(many)) + b"\t"), np.arange(150_000)[::-1])
    assert set(table.counts[:150_000].tolist()) == {2}
    assert table.listed([149_999, 0]) == [b"149999", b"0"]


def test_very_long_words_are_kept_whole() -> None:
    table = WordTable()
    long = [b"x" * 1_000_000, b"x" * 999_999, b"x" * 999_999 + b"y"]
    assert table.tokenize(b" ".join(long) + b" ").tolist() == [0, 1, 2]
    assert words_of(table) == long


@pytest.mark.parametrize("length", [*range(1, 27), 63, 64, 65])
def test_words_that_differ_in_one_byte_or_in_length_are_told_apart(length: int) -> None:
    word = bytes(97 + k % 26 for k in range(length))
    others = [word[:k] + bytes([other]) + word[k + 1 :] for k in range(length) for other in (0, 33, 255)]
    words = [word, *others, word + b"\x00", word + b"a"]
    table = WordTable()
    for end in (b" ", b"\t", b"\n"):
        ids = table.tokenize(b"".join(token + end for token in words) * 2)
        assert ids[ids >= 0].tolist() == [*range(len(words))] * 2
    assert words_of(table) == words


@pytest.mark.parametrize("second", [b"b-long-word", b"a-long-worm", b"a-long-words", b"a-long-w"])
def test_words_of_equal_hash_are_told_apart(second: bytes) -> None:
    first = b"a-long-word"
    table, other = WordTable(), WordTable()
    table.tokenize(first + b" ")
    other.tokenize(second + b" ")
    place = np.flatnonzero(other.slots[:, 1] >= 0)[0]
    assert place != np.flatnonzero(table.slots[:, 1] >= 0)[0]
    table.slots[place] = [other.slots[place, 0], 0]  # where `second` is looked for, `first` stands with its hash
    assert table.tokenize(b" ".join([second, second, first, b""])).tolist() == [1, 1, 0]
    assert words_of(table) == [first, second]


@settings(deadline=None)
@given(TEXT, TEXT)
def test_absorbing_a_table_is_counting_both_texts(first: bytes, second: bytes) -> None:
    a, b, both = WordTable(), WordTable(), WordTable()
    a.tokenize(first + b" ")
    b.tokenize(second + b" ")
    both.tokenize(first + b" " + second + b" ")
    translation = a.absorb(b)
    assert [words_of(a)[i] for i in translation.tolist()] == words_of(b)
    assert words_of(a) == words_of(both)
    assert np.array_equal(a.counts[: a.words], both.counts[: both.words])


# --- ids in chunks --------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(TOKENS, st.integers(1, 3), st.integers(1, 40), st.integers(1, 6), st.integers(1, 12))
def test_chunks_cover_every_known_token_once_with_its_neighbours(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, threads: int, block: int, margin: int, size: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    documents = oracle.tokenize(text)
    seen, right = [], []
    source = Source("text", None, io.BytesIO(text))
    with encode_corpus([source], folder, threads=threads, block_bytes=block) as encoded:
        words = words_of(encoded.table)
        known = sorted(set(words))[::2]  # every other word has a final id
        V = len(known)
        final = np.array([known.index(word) if word in known else -1 for word in words], np.int32)
        for chunk in encoded.chunks(final, V, margin, size):
            assert chunk.end - chunk.begin <= size + margin
            seen += chunk.ids[chunk.begin : chunk.end].tolist()
            right.append((len(seen), chunk.ids[chunk.end : chunk.end + margin].tolist()))
            left = chunk.ids[chunk.begin - margin : chunk.begin].tolist()
            before = [V] * margin + seen[: len(seen) - (chunk.end - chunk.begin)]
            assert left == before[len(before) - margin :]
    for position, neighbours in right:
        assert neighbours == (seen[position:] + [V] * margin)[:margin]
    ids = [[known.index(token) for token in document if token in known] for document in documents]
    got: list[list[int]] = [[]]
    for i in seen:
        if i == V:
            got.append([])
        else:
            got[-1].append(i)
    assert [document for document in got if document] == [document for document in ids if document]
    assert (encoded.tokens, encoded.documents) == (sum(map(len, documents)), len(documents))
    assert encoded.kept == sum(map(len, ids))
    assert os.listdir(folder) == []
