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

from glove_cli.corpus import encoder
from glove_cli.corpus.chunks import Translator
from glove_cli.corpus.config import TextConfig
from glove_cli.corpus.encoder import encode_corpus
from glove_cli.corpus.reader import prepare_block, read_blocks
from glove_cli.corpus.sources import Source, find_sources
from glove_cli.corpus.tokenizer import WordTable
from glove_cli.errors import CorpusError, OutputError

TEXT = st.lists(st.sampled_from([b" ", b"\t", b"\n", b"\r", b"\x00", b"a", b"b", b"\xc3", b"\xa9", b"\xff"])).map(
    b"".join
)


TOKENS = st.lists(st.sampled_from([b"a ", b"b ", b"c ", b"d ", b"a\n", b"b\n", b"\n"]), max_size=60).map(b"".join)


def words_of(table: WordTable) -> list[bytes]:
    return table.listed(range(table.words))


# --- blocks ---------------------------------------------------------------------------------------------------------
# More of them, and all that can be named as a corpus, in test_sources.py.


@given(st.lists(TEXT.map(lambda text: text.replace(b"\x00", b"\x0b")), min_size=1, max_size=3), st.integers(1, 30))
def test_blocks_join_to_the_text_and_end_at_separators(contents: list[bytes], size: int) -> None:
    sources = [Source("text", None, file=io.BytesIO(text)) for text in contents]
    blocks = list(read_blocks(sources, size))
    assert b"".join(block.data for block in blocks) == b"".join(contents)
    prepared = [prepare_block(block, "line") for block in blocks]
    # A newline after each text: no token and no document goes on in the next one.
    assert b"".join(prepared) == b"".join(text.replace(b"\r", b"") + b"\n" for text in contents)
    assert all(data[-1:] in (b" ", b"\t", b"\n") for data in prepared)


def test_sources_are_checked_before_reading(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"a b")
    assert find_sources(file) == [Source(str(file), 3, file.stat().st_mtime_ns)]
    assert [source.size for source in find_sources([str(file), file])] == [3, 3]
    with pytest.raises(CorpusError, match=r"missing\.txt: can't be read: No such file"):
        find_sources([file, tmp_path / "missing.txt"])
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
    assert b"".join(block.data for block in read_blocks([source])) == b"a b"


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"a b\nc" * 1000))
    writer.start()
    (source,) = find_sources(pipe)
    assert b"".join(block.data for block in read_blocks([source], 64)) == b"a b\nc" * 1000
    writer.join(10)


# --- the word table -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(TEXT)
def test_tokens_equal_the_oracle(text: bytes) -> None:
    table = WordTable()
    ids = table.tokenize(text.replace(b"\r", b"") + b"\n")
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


def test_words_are_joined_by_separators_that_follow_them() -> None:
    table = WordTable()
    table.tokenize(b"a bc a d ")
    assert table.joined(0, 3) == b"a bc d "
    assert table.joined(1, 2, b"\n") == b"bc\n"
    assert table.joined(3, 3) == b""


def test_a_table_knows_its_memory() -> None:
    table = WordTable()
    table.tokenize(b"".join(b"%d " % i for i in range(70_000)))
    words = 1 << 17  # there is room for
    assert table.memory == 2 * words * 16 + len(table.arena) + words * 8 + (words + 1) * 8


# --- ids in chunks --------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    TOKENS,
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(1, 6),
    st.integers(1, 12),
    st.integers(1, 4),
    st.booleans(),
)
def test_chunks_cover_every_known_token_once_with_its_neighbours(
    tmp_path_factory: pytest.TempPathFactory,
    text: bytes,
    threads: int,
    block: int,
    margin: int,
    size: int,
    shards: int,
    on_disk: bool,
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    documents = oracle.tokenize(text)
    source = Source("text", None, file=io.BytesIO(text))
    spool = 0 if on_disk else 1 << 20
    seen, right, tokens, ended, kept = [], [], 0, 0, 0
    with encode_corpus(
        [source], folder, TextConfig(), threads=threads, block_bytes=block, spool_memory=spool, margin=margin
    ) as encoded:
        table = encoded.words().table
        words = words_of(table)
        known = sorted(set(words))[::2]  # every other word has a final id
        V = len(known)
        final = [np.array([known.index(word) if word in known else -1 for word in words], np.int32)]
        assert (encoded.spool.in_memory, encoded.tokens) == (not on_disk, sum(map(len, documents)))
        shards = min(shards, encoded.tokens or 1)
        for i in range(shards):
            own = (encoded.tokens * i // shards, encoded.tokens * (i + 1) // shards)
            translator = Translator(encoded, final, V, margin, own=own)
            for chunk in translator.chunks(size):
                own_ids = chunk.ids[chunk.begin : chunk.end].tolist()
                left = chunk.ids[chunk.begin - margin : chunk.begin].tolist()
                assert without_ends(left, V) == without_ends(([V] * margin + seen)[-margin:], V)
                seen += own_ids
                right.append((len(seen), chunk.ids[chunk.end : chunk.end + margin].tolist()))
            assert translator.finished
            tokens += translator.cursor.tokens
            ended += translator.cursor.documents
            kept += translator.cursor.kept
    for position, neighbours in right:
        assert without_ends(neighbours, V) == without_ends((seen[position:] + [V] * margin)[:margin], V)
    ids = [[known.index(token) for token in document if token in known] for document in documents]
    got: list[list[int]] = [[]]
    for i in seen:
        if i == V:
            got.append([])
        else:
            got[-1].append(i)
    assert [document for document in got if document] == [document for document in ids if document]
    assert (tokens, ended, kept) == (sum(map(len, documents)), len(documents), sum(map(len, ids)))


def without_ends(ids: list[int], V: int) -> list[int]:
    """Return a window's ids up to its documents' ends, of which several in a row mean no more than one."""
    return [i for k, i in enumerate(ids) if i != V or (k and ids[k - 1] != V)]


def test_reading_goes_on_where_it_was_written_down(tmp_path: Path) -> None:
    text = b"".join(b"w%d%s" % (i % 97, b"\n" if i % 10 == 9 else b" ") for i in range(2000))
    (tmp_path / "a.txt").write_bytes(text[:5001])
    (tmp_path / "b.txt").write_bytes(text[5001:])
    sources = find_sources([tmp_path / "a.txt", tmp_path / "b.txt"])
    how = {"threads": 2, "block_bytes": 100, "spool_memory": 0, "segment_bytes": 1000}

    def ids_of(folder: Path) -> tuple[list[bytes], int]:
        with encode_corpus(sources, folder, TextConfig(), **how) as encoded:
            words = encoded.words()
            translator = Translator(encoded, words.numbers, words.table.words, 1)
            assert len(encoded.segments) > 3
            listed = words_of(words.table)
            ids = [i for c in translator.chunks(1 << 20) for i in c.ids[c.begin : c.end].tolist()]
            return [listed[i] for i in ids if i < len(listed)], encoded.tokens

    (tmp_path / "whole").mkdir()
    expected = ids_of(tmp_path / "whole")
    assert expected[0] == text[:5001].split() + text[5001:].split()
    for stop in range(1, 9):
        folder = tmp_path / str(stop)
        folder.mkdir()
        left = stop

        def interrupt(*step: object) -> None:
            nonlocal left
            left -= 0 if encoder.reading_state(folder) is None else 1  # noqa: B023
            if left < 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            encode_corpus(sources, folder, TextConfig(), progress=interrupt, **how)
        assert encoder.reading_state(folder) is not None
        assert ids_of(folder) == expected


def test_a_damaged_spool_is_found_out(tmp_path: Path) -> None:
    source = Source("text", None, file=io.BytesIO(b"a b c " * 100))
    with encode_corpus([source], tmp_path, TextConfig(), threads=1, spool_memory=0) as encoded:
        words = encoded.words()
        (tmp_path / "ids").write_bytes(b"\x7f" * 1200)
        with pytest.raises(OutputError, match="is damaged"):
            list(Translator(encoded, words.numbers, 3, 2).chunks(1000))
        (tmp_path / "ids").write_bytes(b"\x00" * 8)
        with pytest.raises(OutputError, match="was cut short"):
            list(Translator(encoded, words.numbers, 3, 2).chunks(1000))


@pytest.mark.parametrize("block", [7, 1 << 20])
def test_strict_names_the_file_and_the_byte(tmp_path: Path, block: int) -> None:
    # The same bytes stand within a good word before, and the bad one is torn by a carriage return.
    (tmp_path / "text").write_bytes(b"good \xc3\xa9s\r\nand \xff\xfeb\rad \xa9s\n")
    config = TextConfig(encoding_errors="strict")
    with pytest.raises(CorpusError, match=r"text: is not UTF-8 at byte 14: b'\\xff\\xfebad'"):
        encode_corpus(find_sources(tmp_path / "text"), tmp_path, config, threads=2, block_bytes=block)
