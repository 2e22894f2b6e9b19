"""Reading any corpus: what is named, how it is stored, and its blocks and documents."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import re
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glove_cli.corpus import compression, reader, records
from glove_cli.corpus.reader import BLOCK_BYTES, Block, prepare_block, read_blocks
from glove_cli.corpus.sources import Source, find_sources
from glove_cli.corpus.stream import Stream
from glove_cli.errors import CorpusError, OptionError

DOCUMENTS = ("line", "paragraph", "file", "none")
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": partial(lzma.compress, preset=1),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
KINDS = list(COMPRESS)
PIECES = st.sampled_from([b" ", b"\t", b"\n", b"\n", b"\r", b"a", b"b", b"\xc3", b"\xa9", b"\x0b", b"\x0c"])
TEXT = st.lists(PIECES, max_size=40).map(b"".join)


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def text_of(corpus: Any, size: int = BLOCK_BYTES, **options: Any) -> bytes:
    """Return all texts of a corpus, each with a bar after it."""
    blocks = list(read_blocks(find_sources(corpus, **options), size))
    return b"".join(block.data + b"|" * block.ends_text for block in blocks)


def documents_of(blocks: list[Block], document: str) -> list[list[bytes]]:
    """Return documents of tokens, without those that have none, as the tokenizer sees them."""
    prepared = [prepare_block(block, document) for block in blocks]
    assert all(data[-1:] in (b"", b" ", b"\t", b"\n") for data in prepared)
    lines = b"".join(prepared).split(b"\n")
    return [tokens for tokens in ([t for t in re.split(rb"[ \t]+", line) if t] for line in lines) if tokens]


def naive_documents(texts: list[bytes], document: str) -> list[list[bytes]]:
    """Return what `documents_of` should, straight from the definitions."""
    documents: list[list[bytes]] = [[]]
    for text in texts:
        for line in text.replace(b"\r", b"").split(b"\n"):
            tokens = [token for token in line.replace(b"\t", b" ").split(b" ") if token]
            if document == "line" or (document == "paragraph" and not tokens):
                documents.append([])
            documents[-1] += tokens
        if document != "none":
            documents.append([])
    return [tokens for tokens in documents if tokens]


def open_texts(texts: list[bytes]) -> list[Source]:
    return [Source("text", None, file=io.BytesIO(text)) for text in texts]


# --- blocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS)
@given(st.lists(TEXT, min_size=1, max_size=3), st.integers(1, 12))
@settings(max_examples=300, deadline=None)
@example([b"a\n \r\n\n b", b"", b"c\n"], 1)
def test_blocks_join_to_the_text_and_end_at_separators(document: str, texts: list[bytes], size: int) -> None:
    blocks = list(read_blocks(open_texts(texts), size, document=document))
    assert [b"".join(b.data for b in blocks if b.source == i) for i in range(len(texts))] == texts
    assert [b.source for b in blocks if b.ends_text] == list(range(len(texts)))
    ends = [0] * len(texts)
    for block in blocks:
        assert block.ends_text or block.data[-1:] in (b" ", b"\t", b"\n")
        ends[block.source] += len(block.data)
        assert block.end == ends[block.source]
    assert blocks[-1].stored == sum(map(len, texts))
    assert [b.stored for b in blocks] == sorted(b.stored for b in blocks)


@pytest.mark.parametrize("document", DOCUMENTS)
@given(st.lists(TEXT, min_size=1, max_size=3), st.integers(1, 12), st.randoms())
@settings(max_examples=300, deadline=None)
@example([b"a\n \nb \n \t \n\n c\r\n\r\nd\n e"], 2, random.Random(1))
def test_documents_depend_neither_on_the_size_of_blocks_nor_on_a_break(
    document: str, texts: list[bytes], size: int, chance: random.Random
) -> None:
    wanted = naive_documents(texts, document)
    assert documents_of(list(read_blocks(open_texts(texts), document=document)), document) == wanted
    blocks = list(read_blocks(open_texts(texts), size, document=document))
    assert documents_of(blocks, document) == wanted
    k = chance.randrange(len(blocks))
    rest = list(read_blocks(open_texts(texts), size + 1, document=document, start=(blocks[k].source, blocks[k].end)))
    assert documents_of(blocks[: k + 1] + rest, document) == wanted


def test_what_documents_are() -> None:
    text = b"a b\nc\r\n \t\r\nd\n\n\n"
    for document, wanted in [
        ("line", [[b"a", b"b"], [b"c"], [b"d"], [b"e"]]),
        ("paragraph", [[b"a", b"b", b"c"], [b"d"], [b"e"]]),
        ("file", [[b"a", b"b", b"c", b"d"], [b"e"]]),
        ("none", [[b"a", b"b", b"c", b"d", b"e"]]),
    ]:
        assert documents_of(list(read_blocks(open_texts([text, b"", b"e"]), document=document)), document) == wanted


def test_the_tokens_of_two_files_are_never_glued_together() -> None:
    for document in DOCUMENTS:
        data = b"".join(prepare_block(b, document) for b in read_blocks(open_texts([b"a", b"b"]), document=document))
        assert data.split() == [b"a", b"b"]


def test_only_space_tab_and_newline_are_separators() -> None:
    text = "a\x0bb\x0cc\u2028d\u0085e\u00a0f\x1cg h".encode()
    assert documents_of(list(read_blocks(open_texts([text]), 1)), "line") == [[text[:-2], b"h"]]


@pytest.mark.parametrize("separator", [b" ", b"\t", b"\n"])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_blocks_are_cut_after_each_kind_of_separator(separator: bytes, document: str) -> None:
    blocks = list(read_blocks(open_texts([(b"a" + separator) * 1000]), 10, document=document))
    assert max(len(block.data) for block in blocks) <= 20


def test_a_million_empty_lines_are_read() -> None:
    text = b"a\n" + b"\r\n" * 1_000_000 + b"b"
    for document in DOCUMENTS:
        blocks = list(read_blocks(open_texts([text]), 1 << 16, document=document))
        assert len(blocks) > 10, "a run of blank lines is no reason to hold everything"
        wanted = [[b"a", b"b"]] if document in ("file", "none") else [[b"a"], [b"b"]]
        assert documents_of(blocks, document) == wanted


def test_a_megabyte_of_one_token_is_kept_whole() -> None:
    text = b"a " + b"x" * 1_000_000 + b" b"
    for document in DOCUMENTS:
        blocks = list(read_blocks(open_texts([text]), 4096, document=document))
        assert documents_of(blocks, document)[0][1] == b"x" * 1_000_000


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_stretch_without_separators_has_a_limit(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_STRETCH", 100)
    for size in (1, 7, 64, 1000):
        fits = b"a" * 9 + b" " + b"x" * 100 + b"\n" + b"y" * 100
        assert documents_of(list(read_blocks(open_texts([fits]), size, document=document)), document)
        for text in (b"a " + b"x" * 101, b"x" * 101 + b" a", b"a\n" + b"x" * 101 + b"\nb"):
            with pytest.raises(CorpusError, match="text: holds more than 100 bytes without a space, tab or line end"):
                list(read_blocks(open_texts([text]), size, document=document))


def test_memory_is_bounded_for_lines_that_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each piece is a line and ends with the only separator in it: a cut must be found before the next one.
    text = b"a\n" * 1000
    blocks = list(read_blocks(open_texts([text]), 2, document="paragraph"))
    assert max(len(block.data) for block in blocks) <= 4
    monkeypatch.setattr(reader, "MAX_STRETCH", 100)
    with pytest.raises(CorpusError, match="holds a line of more than 100 blanks"):
        list(read_blocks(open_texts([b"a\n" + b" " * 1000 + b"\nb"]), 8, document="paragraph"))


def test_pieces_without_separators_take_no_quadratic_time(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = 0
    real = reader._Cutter.rest

    def rest(self: Any) -> bytes:
        nonlocal copied
        copied += 1
        return real(self)

    monkeypatch.setattr(reader._Cutter, "rest", rest)
    blocks = list(read_blocks(open_texts([b"x" * 200_000]), 1))
    assert (len(blocks), copied) == (1, 1)


def test_a_mark_of_utf8_at_the_very_start_is_removed(tmp_path: Path) -> None:
    mark = "\ufeff".encode()
    file = written(tmp_path, "a", mark + b"a " + mark + b"b")
    packed = written(tmp_path, "b", gzip.compress(mark + b"c"))
    assert text_of([file, packed], 1) == b"a " + mark + b"b|c|"
    assert [b.end for b in read_blocks(find_sources(file))] == [2, 6]


# --- what is named --------------------------------------------------------------------------------------------------


def test_a_folder_stands_for_its_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z", "a-b/y", "a/k/x", "B", ".hidden", ".git/config", "a/.DS_Store"):
        written(tmp_path, name, name.encode())
    (tmp_path / "a" / "circle").symlink_to(tmp_path)
    (tmp_path / "a" / "k" / "self").symlink_to(".")
    assert text_of(tmp_path) == b"B|a-b/y|a/k/x|a/z|b.txt|"
    assert find_sources(tmp_path)[1].name == str(tmp_path / "a-b" / "y")


def test_links_in_folders_are_followed_once(tmp_path: Path) -> None:
    written(tmp_path, "elsewhere/deep/c", b"c")
    written(tmp_path, "corpus/a", b"a")
    for name in ("l1", "l2"):
        (tmp_path / "corpus" / name).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus" / "b").symlink_to(tmp_path / "corpus" / "a")
    assert text_of(tmp_path / "corpus") == b"a|a|c|"
    (tmp_path / "corpus" / "z").symlink_to("own")
    own = written(tmp_path, "corpus/own/d", b"d")
    assert find_sources(tmp_path / "corpus")[-1].name == str(own), "a folder goes by its own name, not by a link's"
    (tmp_path / "corpus" / "lost").symlink_to(tmp_path / "nothing")
    with pytest.raises(CorpusError, match="lost: can't be read: No such file"):
        find_sources(tmp_path / "corpus")


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    written(tmp_path, ".hidden", b"a")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match=f"{re.escape(str(tmp_path))}: is a folder without files"):
        find_sources(tmp_path)


def test_patterns_match_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.txt", "a.txt", "a.md", "d/c.txt", "d/e/f.txt", ".h.txt", ".g/i.txt", "x.txt/y"):
        written(tmp_path, name, name.encode())
    (tmp_path / "d" / "circle").symlink_to(tmp_path / "d")
    monkeypatch.chdir(tmp_path)
    assert text_of("*.txt") == b"a.txt|b.txt|"
    assert text_of("[ab].?d") == b"a.md|"
    assert text_of("**/*.txt") == b"a.txt|b.txt|d/c.txt|d/e/f.txt|"
    assert text_of("d/**") == b"d/c.txt|d/e/f.txt|"
    assert text_of("**/e/*") == b"d/e/f.txt|"
    assert text_of("[cd]/**/f*") == b"d/e/f.txt|"
    assert text_of(f"{tmp_path}/**/c.txt") == b"d/c.txt|"
    assert [source.name for source in find_sources("**/*.md")] == ["a.md"]
    assert [source.name for source in find_sources("./**/*.md")] == ["./a.md"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    file = written(tmp_path, "a[1]*.txt", b"this one")
    written(tmp_path, "a1b.txt", b"other")
    assert text_of(file) == b"this one|"


@pytest.mark.parametrize("pattern", ["*.txt", "**/*.txt", "no*/**"])
def test_a_pattern_that_matches_nothing_is_an_error(tmp_path: Path, pattern: str) -> None:
    written(tmp_path, "a.md", b"")
    with pytest.raises(CorpusError, match=r"\*: is no file, and as a pattern it matches none|txt: is no file, and as"):
        find_sources(tmp_path / pattern)


def test_everything_can_be_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bz2.compress(b"standard"))))
    file = written(tmp_path, "a.txt", b"file")
    written(tmp_path, "f/x", b"folder")
    assert text_of([file, "-", tmp_path / "f", str(tmp_path / "*.txt"), io.BytesIO(b"open"), file]) == (
        b"file|standard|folder|file|open|file|"
    )


def test_sources_tell_size_time_and_whether_they_can_be_read_again(tmp_path: Path) -> None:
    file = written(tmp_path, "a", b"abc")
    os.mkfifo(tmp_path / "pipe")
    fsspec.filesystem("memory").pipe("/again/a", b"ab")
    a, b, c, d = find_sources([file, tmp_path / "pipe", io.BytesIO(b"a"), "memory://again/a"])
    assert (a.name, a.size, a.mtime_ns, a.replayable) == (str(file), 3, file.stat().st_mtime_ns, True)
    assert (b.size, b.mtime_ns, b.replayable) == (None, None, False)
    assert (c.size, c.mtime_ns, c.replayable) == (None, None, False)
    assert (d.size, d.mtime_ns, d.replayable) == (2, None, True)


@pytest.mark.parametrize("item", [None, 3, b"bytes"])
def test_what_is_no_corpus_is_refused(item: Any) -> None:
    with pytest.raises(CorpusError, match="is neither a path nor an open file"):
        find_sources([item])


def test_what_can_be_read_once_can_be_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a")))
    with pytest.raises(CorpusError, match="standard input: is named twice"):
        find_sources(["-", "-"])
    closed = io.BytesIO(b"a")
    closed.close()
    with pytest.raises(CorpusError, match="stream: can't be read: I/O operation on closed file"):
        find_sources(closed)


def test_an_unreadable_second_file_is_refused_before_the_first_is_read(as_ordinary_user: Path) -> None:
    first = written(as_ordinary_user, "a", b"a")
    second = written(as_ordinary_user, "d/b", b"b")
    second.chmod(0)
    for corpus in ([first, second], as_ordinary_user, as_ordinary_user / "d" / "*"):
        with pytest.raises(CorpusError, match="d/b: can't be read: Permission denied"):
            find_sources(corpus)
    (as_ordinary_user / "d").chmod(0)
    with pytest.raises(CorpusError, match="/d: can't be read: Permission denied"):
        find_sources(as_ordinary_user)
    (as_ordinary_user / "d").chmod(0o700)


def test_a_file_that_vanishes_is_an_error(tmp_path: Path) -> None:
    sources = find_sources([written(tmp_path, "a", b"a"), written(tmp_path, "b", b"b")])
    (tmp_path / "b").unlink()
    with pytest.raises(CorpusError, match="/b: can't be read: No such file"):
        list(read_blocks(sources))


@pytest.mark.parametrize("pack", [bytes, *COMPRESS.values()], ids=["plain", *KINDS])
def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    file = written(tmp_path, "a", pack(b"a b " * 50_000))
    sources = find_sources(file)
    assert list(read_blocks(sources))
    blocks = read_blocks(sources, 1000)
    next(blocks)
    with file.open("ab") as more:
        more.write(b"more")
    with pytest.raises(CorpusError, match=r"a: changed while it was read. Start again when nothing writes to it"):
        list(blocks)
    with pytest.raises(CorpusError, match="changed while it was read"):  # at once, before a block is given out
        next(read_blocks(sources))


def test_a_file_written_again_in_the_same_size_has_changed(tmp_path: Path) -> None:
    file = written(tmp_path, "a", b"a b ")
    sources = find_sources(file)
    os.utime(file, ns=(0, 0))
    with pytest.raises(CorpusError, match="changed while it was read"):
        list(read_blocks(sources))


def test_the_last_block_comes_only_after_the_check_for_changes(tmp_path: Path) -> None:
    file = written(tmp_path, "a", b"a b")
    blocks = read_blocks(find_sources(file))
    assert not next(blocks).ends_text
    os.utime(file, ns=(0, 0))
    with pytest.raises(CorpusError, match="changed while it was read"):
        next(blocks)


# --- compressed files -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_text() -> bytes:
    """Give a text that takes several pieces to read, of which a part can't be compressed."""
    chance = random.Random(1)
    numbers = b" ".join(b"%d" % chance.randrange(10**9) for _ in range(120_000))
    noise = chance.randbytes(1_200_000).replace(b"\x00", b" ")
    return numbers + b"\n" + b"a" * 1_000_000 + b" " + noise + b"\nend"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
def test_compressed_files_are_known_by_their_content(tmp_path: Path, kind: str, name: str, long_text: bytes) -> None:
    file = written(tmp_path, name, COMPRESS[kind](long_text))
    blocks = list(read_blocks(find_sources(file), 1 << 20))
    assert b"".join(block.data for block in blocks) == long_text
    assert blocks[-1].stored == file.stat().st_size
    assert blocks[0].stored < file.stat().st_size
    assert blocks[-1].end == len(long_text)


def test_a_thread_that_unpacks_ahead_ends_with_the_reading(tmp_path: Path, long_text: bytes) -> None:
    path = tmp_path / "text.xz"
    path.write_bytes(lzma.compress(long_text))
    before = threading.active_count()
    (source,) = find_sources(path)
    with source.open() as stream:
        assert stream.read(100) == long_text[:100]
        assert threading.active_count() == before + 1
        assert 0 < stream.stored <= path.stat().st_size
    assert threading.active_count() == before


def test_a_file_that_is_only_called_compressed_is_read_as_it_is(tmp_path: Path) -> None:
    assert text_of(written(tmp_path, "a.gz", b"BZh text")) == b"BZh text|"
    assert text_of(written(tmp_path, "b.bz2", b"BZh9 text")) == b"BZh9 text|"
    assert text_of(written(tmp_path, "c.zst", b"(")) == b"(|"


@pytest.mark.parametrize("kind", KINDS)
def test_all_members_are_read(tmp_path: Path, kind: str, long_text: bytes) -> None:
    pack = COMPRESS[kind]
    texts = [b"", b"a b", b"", long_text, b"x" * 1000, b""]
    file = written(tmp_path, "a", b"".join(map(pack, texts)) + pack(b"c") * 5000)
    for size in (1 << 22, 9_999):
        assert text_of(file, size) == b"".join(texts) + b"c" * 5000 + b"|"
    assert text_of(written(tmp_path, "empty", pack(b""))) == b"|"


@pytest.mark.parametrize("kind", KINDS)
def test_a_compressed_pipe_is_read(tmp_path: Path, kind: str, long_text: bytes) -> None:
    os.mkfifo(tmp_path / "pipe")
    packed = COMPRESS[kind](b"a ") + COMPRESS[kind](long_text)
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(packed,))
    writer.start()
    assert text_of(tmp_path / "pipe") == b"a " + long_text + b"|"
    writer.join(10)


class Slow(io.RawIOBase):
    """A file that gives few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self.file, self.step = io.BytesIO(data), step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self.file.read(min(size, self.step))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", [1, 3, 11])
def test_compressed_bytes_may_come_in_any_pieces(kind: str, step: int) -> None:
    pack = COMPRESS[kind]
    text = b"a b c " * 3000
    assert text_of(Slow(pack(text) + pack(b"") + pack(b"end"), step)) == text + b"end|"


@pytest.mark.parametrize("kind", KINDS)
def test_a_compressed_file_cut_short_anywhere_is_an_error(kind: str) -> None:
    packed = COMPRESS[kind](b"a b c d e f g " * 20 + bytes(range(33, 127)))
    shortest = {"gzip": 2, "bzip2": 4, "xz": 2, "zstd": 2}[kind]  # fewer bytes might be a text
    for size in range(shortest, len(packed)):
        for before in (b"", COMPRESS[kind](b"whole ")):
            if before and size < shortest:
                continue
            with pytest.raises(
                CorpusError, match=rf"stream: is (cut short|damaged): .*{kind} data.*\. Get it again\.$"
            ):
                text_of(io.BytesIO(before + packed[:size]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_compressed_file_cut_short_late_is_an_error(tmp_path: Path, kind: str, long_text: bytes) -> None:
    packed = COMPRESS[kind](long_text)
    for size in (len(packed) // 3, len(packed) - 1000, len(packed) - 1):
        with pytest.raises(CorpusError, match=f"a: is cut short: its {kind} data have no end. Get it again"):
            text_of(written(tmp_path, "a", packed[:size]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_compressed_file_is_an_error(tmp_path: Path, kind: str, long_text: bytes) -> None:
    packed = bytearray(COMPRESS[kind](long_text))
    packed[len(packed) // 2] ^= 0x10
    with pytest.raises(
        CorpusError, match=rf"a: is damaged: its {kind} data can't be unpacked \(.+\)\. Get it again\.$"
    ):
        text_of(written(tmp_path, "a", bytes(packed)))


@pytest.mark.parametrize("kind", KINDS)
def test_other_bytes_after_compressed_data_are_an_error(tmp_path: Path, kind: str) -> None:
    packed = COMPRESS[kind](b"a b c")
    other = COMPRESS[KINDS[KINDS.index(kind) - 1]](b"d")
    for garbage in (b"x", b"\n", b"garbage" * 1000, other, packed[:1], b"\x00x", b"\x00" * 3 + packed[:1]):
        with pytest.raises(CorpusError, match=f"a: is damaged: other bytes follow its {kind} data. Get it again"):
            text_of(written(tmp_path, "a", packed + garbage))


def test_zeros_may_pad_what_the_formats_let_them_pad(tmp_path: Path) -> None:
    for zeros in (1, 512, 3_000_000):
        assert text_of(written(tmp_path, "a", gzip.compress(b"a ") + bytes(zeros) + gzip.compress(b"b"))) == b"a b|"
        assert text_of(written(tmp_path, "a", gzip.compress(b"a ") + bytes(zeros))) == b"a |"
    assert text_of(written(tmp_path, "b", lzma.compress(b"a ") + bytes(8) + lzma.compress(b"b") + bytes(4))) == b"a b|"
    with pytest.raises(CorpusError, match="other bytes follow its xz data"):
        text_of(written(tmp_path, "b", lzma.compress(b"a ") + bytes(7)))
    for kind in ("bzip2", "zstd"):
        with pytest.raises(CorpusError, match=f"other bytes follow its {kind} data"):
            text_of(written(tmp_path, "c", COMPRESS[kind](b"a ") + bytes(4)))


@pytest.mark.parametrize("level", [-5, 1, 19])
@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_frames_of_zstd_of_every_shape_are_read(level: int, checksum: bool, known: bool, long_text: bytes) -> None:
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=checksum, write_content_size=known)
    skippable = b"\x5a\x2a\x4d\x18" + (70_000).to_bytes(4, "little") + bytes(70_000)
    packed = skippable
    text = b""
    for size in (0, 1, 255, 256, 65_791, 65_792, 131_072, 1_500_000):  # around the sizes where headers grow
        for part in (long_text[:size], long_text[-size or len(long_text) :], b"a" * size):
            if known:
                packed += compressor.compress(part)
            else:
                stream = compressor.compressobj()
                packed += stream.compress(part) + stream.flush()
            text += part
        packed += skippable + skippable[:4] + bytes(4)
    assert b"".join(block.data for block in read_blocks(find_sources(io.BytesIO(packed)))) == text


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_file_with_a_huge_text_takes_little_memory(tmp_path: Path, kind: str) -> None:
    file = written(tmp_path, "a", COMPRESS[kind](b"a" * (1 << 22) + b" " * (60 << 20)))
    assert file.stat().st_size < 100_000
    tracemalloc.start()
    try:
        size = sum(len(block.data) for block in read_blocks(find_sources(file), 1 << 20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 64 << 20
    assert peak < 24 << 20  # xz has a dictionary of 8 MiB


def test_small_members_are_not_copied_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given = 0

    class Counting(compression._Gzip):
        def decompress(self, data: Any, max_length: int) -> bytes:
            nonlocal given
            given += len(data)
            return super().decompress(data, max_length)

    monkeypatch.setattr(compression, "_Gzip", Counting)
    packed = gzip.compress(b"a ") * 30_000
    assert text_of(io.BytesIO(packed)) == b"a " * 30_000 + b"|"
    assert given < 60 * len(packed)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_compressed_twice_is_an_error(kind: str) -> None:
    with pytest.raises(CorpusError, match=f"stream: is compressed twice, the second time by {kind}. Unpack it once"):
        text_of(io.BytesIO(COMPRESS[kind](gzip.compress(b"a b"))))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="zstd is part of Python")
def test_a_missing_zstandard_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(CorpusError, match=r"a: needs the package zstandard.*pip install 'glove-cli\[zstd\]'"):
        find_sources(written(tmp_path, "a", COMPRESS["zstd"](b"a")))


# --- what is no text ------------------------------------------------------------------------------------------------


def test_a_nul_byte_at_the_beginning_is_refused(tmp_path: Path) -> None:
    for data in (b"a\x00b", b"a" * 7999 + b"\x00"):
        for pack in (bytes, *COMPRESS.values()):
            with pytest.raises(CorpusError, match=rf"a: is no plain text \(NUL byte at byte {data.index(0) + 1}\)"):
                find_sources(written(tmp_path, "a", pack(data)))
    later = b"a" * 8000 + b"\x00 b\x00"
    assert text_of(written(tmp_path, "a", later)) == later + b"|"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    text = ("" if encoding in ("utf-16", "utf-32") else "\ufeff") + "École"
    with pytest.raises(
        CorpusError, match=rf"a: is no plain text \({encoding[:6].upper()}\). Convert it to UTF-8 first"
    ):
        find_sources(written(tmp_path, "a", text.encode(encoding)))


def test_archives_and_documents_are_refused_by_what_they_are(tmp_path: Path) -> None:
    import tarfile
    import zipfile

    file = written(tmp_path, "text", b"a b c")
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.write(file)
    with tarfile.open(tmp_path / "b", "w:gz") as tar:
        tar.add(file)
    with tarfile.open(tmp_path / "c", "w") as tar:
        tar.add(file)
    written(tmp_path, "d", b"7z\xbc\xaf\x27\x1c\x00\x04")
    written(tmp_path, "e", b"%PDF-1.7\n")
    for name, what in [
        ("a.docx", "a ZIP archive or an office document. Unpack it"),
        ("b", "a tar archive, within gzip. Unpack it"),
        ("c", "a tar archive. Unpack it"),
        ("d", "a 7z archive. Unpack it"),
        ("e", "a PDF document. Extract its text"),
    ]:
        with pytest.raises(CorpusError, match=f"{name}: is {what}"):
            find_sources(tmp_path / name)


class Breaks(io.RawIOBase):
    """A file that gives some bytes and then fails."""

    def __init__(self, data: bytes, error: Exception) -> None:
        self.left, self.error = [data], error

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        if not self.left:
            raise self.error
        return self.left.pop()


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), EOFError("too early"), RuntimeError("broken")])
def test_whatever_goes_wrong_in_reading_names_the_file(error: Exception) -> None:
    for data in (b"a b c " * 5000, gzip.compress(os.urandom(9000))[:5000], COMPRESS["zstd"](b"a " * 8000)[:10]):
        with pytest.raises(CorpusError, match=r"stream: can't be read: (Input/output error|too early|broken)"):
            text_of(Breaks(data, error))


def test_who_has_said_once_that_there_is_no_more_is_not_asked_again() -> None:
    # At a terminal, one end of input is enough.
    left = [b"second", b"", b"a "]

    class Terminal(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"" if size == 0 else left.pop()

    assert text_of(Terminal()) == b"a |"


def test_a_file_that_does_not_wait_is_no_end() -> None:
    class Waits(io.RawIOBase):
        def read(self, size: int = -1) -> bytes | None:
            return b"" if size == 0 else None

    with pytest.raises(CorpusError, match="stream: has no bytes ready"):
        text_of(Waits())


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory() -> Iterator[Any]:
    """Give the file system memory:// with some files."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    for name in ("c/b.txt", "c/a.txt.gz", "c/d/e.txt", "c/.hidden", "c/.git/x.txt", "c/f.md"):
        text = f"{name} "
        system.pipe(f"/{name}", gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    yield system
    system.store.clear()


def test_addresses_name_files_folders_and_patterns(memory: Any) -> None:
    assert text_of("memory://c/b.txt") == b"c/b.txt |"
    assert text_of("memory://c") == b"c/a.txt.gz |c/b.txt |c/d/e.txt |c/f.md |"
    assert text_of("memory://c/*.txt*") == b"c/a.txt.gz |c/b.txt |"
    assert text_of("memory://c/**/*.txt") == b"c/b.txt |c/d/e.txt |"
    assert text_of("memory://c/.git/*") == b"c/.git/x.txt |"
    source = find_sources("memory://c/*.md")[0]
    assert (source.name, source.size) == ("memory:///c/f.md", 7)
    # A file that is read twice comes twice, though it is one object in this file system.
    assert text_of(["memory://c/b.txt"] * 2) == b"c/b.txt |c/b.txt |"


def test_a_package_that_a_kind_of_address_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(address: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(CorpusError, match=r"s3://a/b: needs another package: Install s3fs .*\. Install it with pip"):
        find_sources("s3://a/b")


def test_addresses_that_lead_nowhere_are_errors(memory: Any) -> None:
    memory.makedirs("/empty")
    for address, message in [
        ("memory://c/none.txt", "memory://c/none.txt: can't be read: "),
        ("memory://c/*.csv", r"memory://c/\*.csv: is no file, and as a pattern it matches none"),
        ("memory://empty", "memory://empty: is a folder without files"),
        ("nothing://a:secret@b/c", r"nothing://a:\*\*\*@b/c: can't be read: Protocol not known: nothing"),
    ]:
        with pytest.raises(CorpusError, match=message):
            find_sources(address)


def test_an_address_goes_away_between_finding_and_reading(memory: Any) -> None:
    sources = find_sources("memory://c/b.txt")
    memory.rm("/c/b.txt")
    with pytest.raises(CorpusError, match=r"memory:.*/c/b\.txt: can't be read"):
        list(read_blocks(sources))


def test_a_transfer_that_ends_too_early_is_an_error(memory: Any) -> None:
    sources = find_sources("memory://c/b.txt")
    memory.pipe("/c/b.txt", b"c/b")
    with pytest.raises(CorpusError, match=r"c/b\.txt: is cut short after 3 of 8 bytes. Get it again"):
        list(read_blocks(sources))


def test_a_missing_fsspec_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(CorpusError, match=r"s3://b/c: needs the package fsspec.*pip install 'glove-cli\[remote\]'"):
        find_sources("s3://b/c")


def test_a_local_file_needs_no_further_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("fsspec", "fsspec.core", "zstandard", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, package, None)
    data = json.dumps({"text": "b"}).encode()
    assert text_of(written(tmp_path, "a", gzip.compress(b"a"))) == b"a|"
    assert text_of(written(tmp_path, "b", data), json_field="text") == b"b\n|"


# --- records --------------------------------------------------------------------------------------------------------


def json_lines(texts: list[str]) -> bytes:
    return "".join(json.dumps({"id": 1, "text": text}) + "\n" for text in texts).encode()


def parquet(texts: list[str | None], kind: Any = None, **options: Any) -> bytes:
    file = io.BytesIO()
    table = pa.table({"id": list(range(len(texts))), "text": pa.array(texts, kind or pa.string())})
    pq.write_table(table, file, **options)
    return file.getvalue()


RECORDS: list[tuple[Callable[[list[str]], bytes], dict[str, str]]] = [
    (json_lines, {"json_field": "text"}),
    (parquet, {"column": "text"}),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("make", "options"), RECORDS, ids=["jsonl", "parquet"])
@pytest.mark.parametrize("document", DOCUMENTS)
@given(
    st.lists(st.lists(st.sampled_from(list(" \t\n\n\rabé")), max_size=12).map("".join)), st.integers(1, 9), st.randoms()
)
@settings(max_examples=60, deadline=None)
@example(["a\n\nb\nc", "", "\n", "d\n", "\n\ne"], 1, random.Random(1))
def test_a_record_is_a_text_for_documents(
    make: Callable[..., bytes], options: dict[str, str], document: str, texts: list[str], size: int, chance: Any
) -> None:
    data = make(texts)
    wanted = naive_documents([text.encode() for text in texts], document)

    def blocks(size: int, start: tuple[int, int] = (0, 0)) -> list[Block]:
        return list(read_blocks(find_sources(io.BytesIO(data), **options), size, document=document, start=start))

    assert documents_of(blocks(BLOCK_BYTES), document) == wanted
    small = blocks(size)
    assert documents_of(small, document) == wanted
    assert [block.ends_text for block in small] == [False] * (len(small) - 1) + [True]
    k = chance.randrange(len(small))
    assert documents_of(small[: k + 1] + blocks(size + 1, (0, small[k].end)), document) == wanted


@pytest.mark.parametrize("pack", [bytes, *COMPRESS.values()], ids=["plain", *KINDS])
def test_json_lines_are_read_from_any_file(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    data = "\ufeff".encode() + b'{"text": "a"}\r\n\n  \t\n' + b'{"x": 1, "text": "b\\n\\u00e9\\u2028\\u0000"}'
    file = written(tmp_path, "a", pack(data))
    assert text_of(file, json_field="text") == "a\nb\né\u2028\x00\n|".encode()
    assert list(read_blocks(find_sources(file, json_field="text")))[-1].stored == file.stat().st_size


def test_many_json_lines_are_read_across_pieces() -> None:
    texts = [f"text {i} " * (i % 50) for i in range(20_000)]
    assert text_of(io.BytesIO(json_lines(texts)), 100_000, json_field="text").decode() == "\n".join(texts) + "\n|"


def test_a_field_within_an_object_is_named_by_a_path() -> None:
    data = b'{"a": {"b": "within"}}\n{"a.b": "literal", "a": {"b": "within"}}'
    assert text_of(io.BytesIO(data), json_field="a.b") == b"within\nliteral\n|"


def test_lone_surrogates_are_kept_as_bytes_that_are_not_utf8() -> None:
    assert text_of(io.BytesIO(b'{"text": "a\\ud800b"}'), json_field="text") == b"a\xed\xa0\x80b\n|"


def test_a_long_number_or_another_field_is_no_matter() -> None:
    data = b'{"n": %s, "text": "a", "x": [null, {}]}' % (b"9" * 10_000)
    assert text_of(io.BytesIO(data), json_field="text") == b"a\n|"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "a"', "is no JSON: Expecting ',' delimiter"),
        (b"just text", "is no JSON: Expecting value"),
        (b'{"text": "\x00"}', "is no JSON: Invalid control character"),
        (b'{"text": "\xff"}', "is no JSON: 'utf-8' codec can't decode byte 0xff"),
        (b'{"text": ' + b"[" * 100_000, "is no JSON: maximum recursion depth"),
        (b'["a"]', "is a list, no object"),
        (b'{"id": 1, "body": "a"}', "has no field 'text', but 'id', 'body'"),
        (b"{}", "has no field 'text', but none"),
        (b'{"text": null}', "has null as 'text', no string"),
        (b'{"text": 3}', "has a number as 'text', no string"),
        (b'{"text": ["a"]}', "has a list as 'text', no string"),
        (b'{"text": true}', "has true or false as 'text', no string"),
    ],
)
def test_a_line_that_is_not_what_it_should_be_is_named(tmp_path: Path, line: bytes, message: str) -> None:
    file = written(tmp_path, "a", b'{"text": "a"}\n\n' + line + b'\n{"text": "a"}\n')
    with pytest.raises(CorpusError, match=f"a: line 3 {message}") as caught:
        text_of(file, json_field="text")
    assert "\n" not in str(caught.value)


def test_a_line_of_json_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_LINE", 1000)
    with pytest.raises(CorpusError, match=r"stream: has a line of more than 1,000 bytes. Is it JSON Lines"):
        text_of(io.BytesIO(b"[" + b'{"text": "a"}, ' * 1000), json_field="text")


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "dictionary"])
def test_parquet_of_all_kinds_of_strings_is_read(tmp_path: Path, kind: str) -> None:
    types = {"dictionary": pa.dictionary(pa.int32(), pa.string())}
    texts = ["a b", None, "é\nf", ""] * 3000
    data = parquet(texts, types.get(kind) or getattr(pa, kind)(), row_group_size=1000)
    file = written(tmp_path, "a", data)
    blocks = list(read_blocks(find_sources(file, column="text"), 1000))
    assert b"".join(b.data for b in blocks).decode() == "".join((text or "") + "\n" for text in texts)
    assert blocks[0].stored < blocks[-1].stored == len(data)


def test_parquet_is_read_from_an_address_and_an_open_file(memory: Any) -> None:
    memory.pipe("/c/a", parquet(["a", "b"]))
    file = io.BytesIO(parquet(["c"]))
    assert text_of(["memory://c/a", file], column="text") == b"a\nb\n|c\n|"
    assert not file.closed


def test_a_parquet_file_whose_names_are_damaged_is_refused(tmp_path: Path) -> None:
    data = parquet(["a", "b"])
    for place in (data.find(b"text"), data.rfind(b"text")):  # in the schema, and where the column's pieces are listed
        assert place > 0
        (tmp_path / "c").write_bytes(data[:place] + b"\x81" + data[place + 1 :])
        with pytest.raises(CorpusError, match=r"/c: (can't be read: .* decode byte|has no column)"):
            list(read_blocks(find_sources(tmp_path / "c", column="text")))


@pytest.mark.parametrize("how", ["none", "zstd"])
def test_parquet_is_decoded_by_and_by(how: str) -> None:
    data = parquet(["x" * 100_000 + " "] * 500, compression=how, use_dictionary=False, write_batch_size=10)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        blocks = read_blocks(find_sources(io.BytesIO(data), column="text"), 1 << 20)
        for _ in zip(range(5), blocks, strict=False):
            assert pa.total_allocated_bytes() - before < 25_000_000
        blocks.close()
        assert tracemalloc.get_traced_memory()[1] < 25_000_000
    finally:
        tracemalloc.stop()


def test_parquet_without_the_column_is_an_error(tmp_path: Path) -> None:
    file = written(tmp_path, "a", parquet(["a"]))
    with pytest.raises(CorpusError, match=r"a: has no column 'body'. Name one of its columns with --column: id, text"):
        find_sources(file, column="body")
    with pytest.raises(CorpusError, match=r"a: its column 'id' holds int64, no strings. .*: id, text"):
        find_sources(file, column="id")
    with pytest.raises(CorpusError, match=r"a: is a Parquet file. Name the column of its texts with --column"):
        find_sources(file)
    with pytest.raises(CorpusError, match=r"a: is a Parquet file. Name the column"):
        find_sources(file, json_field="text")
    with pytest.raises(CorpusError, match=r"b: is a Parquet file, within gzip. Unpack it"):
        find_sources(written(tmp_path, "b", gzip.compress(parquet(["a"]))))
    assert text_of(written(tmp_path, "c", b"PAR1 is a gene")) == b"PAR1 is a gene|"


def test_a_column_needs_parquet(tmp_path: Path) -> None:
    for data, message in [
        (b"text", "no Parquet file. Leave out --column"),
        (b"", "no Parquet file"),
        (gzip.compress(parquet(["a"])), "compressed by gzip. Unpack it"),
    ]:
        with pytest.raises(CorpusError, match=f"a: is {message}"):
            find_sources(written(tmp_path, "a", data), column="text")


def test_damaged_parquet_is_an_error(tmp_path: Path) -> None:
    data = parquet([f"text {i}" for i in range(10_000)], write_page_checksum=True)
    with pytest.raises(CorpusError, match="a: can't be read: "):
        find_sources(written(tmp_path, "a", data[:-100]), column="text")
    damaged = bytearray(data)
    for place in range(4000, len(data) - 2000, 1000):
        damaged[place] ^= 0xFF
    with pytest.raises(CorpusError, match="b: can't be read: "):
        text_of(written(tmp_path, "b", bytes(damaged)), column="text")


def test_a_letter_of_parquet_that_is_not_what_was_written_is_an_error(tmp_path: Path) -> None:
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    data = parquet(["a letter"], write_page_checksum=True, **options)
    place = data.index(b"letter")
    with pytest.raises(CorpusError, match=r"a: can't be read: .*CRC"):
        text_of(written(tmp_path, "a", data[:place] + b"b" + data[place + 1 :]), column="text")


def test_parquet_from_a_pipe_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(parquet(["a"]),))
    writer.start()
    with pytest.raises(CorpusError, match=r"pipe: is Parquet, which can't be read from a pipe. Name the file itself"):
        text_of(tmp_path / "pipe", column="text")
    writer.join(10)


def test_a_missing_pyarrow_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CorpusError, match=r"a: needs the package pyarrow.*pip install 'glove-cli\[arrow\]'"):
        find_sources(written(tmp_path, "a", parquet(["a"])), column="text")


def test_field_and_column_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--json-field: stands beside --column. Leave one of them out"):
        find_sources(tmp_path, json_field="text", column="text")


# --- going on after a break -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "mark", *KINDS, "jsonl", "parquet", "remote"])
def test_reading_goes_on_where_it_stopped(tmp_path: Path, kind: str, memory: Any) -> None:
    text = b" ".join(b"%d\n" % i for i in range(40_000))
    options: dict[str, str] = {}
    data = text
    if kind in KINDS:
        data = COMPRESS[kind](text[:50_000]) + COMPRESS[kind](text[50_000:])
    elif kind == "mark":
        data = b"\xef\xbb\xbf" + text
    elif kind == "jsonl":
        data, options = json_lines(text.decode().split(" ")), {"json_field": "text"}
    elif kind == "parquet":
        data, options = parquet(list(text.decode().split(" "))), {"column": "text"}
    name = str(written(tmp_path, "a", data))
    if kind == "remote":
        memory.pipe("/a", data)
        name = "memory://a"
    sources = find_sources([name, name], **options)
    blocks = list(read_blocks(sources, 10_000))
    assert len(blocks) > 20
    for k in (0, 5, len(blocks) // 2 - 1, len(blocks) // 2, len(blocks) - 2):
        rest = list(read_blocks(sources, 7_000, start=(blocks[k].source, blocks[k].end)))
        assert b"".join(b.data for b in blocks[: k + 1] + rest) == b"".join(b.data for b in blocks)
        assert (rest[-1].stored, rest[-1].source, rest[-1].end) == (blocks[-1].stored, 1, blocks[-1].end)
        assert all(b.end > blocks[k].end for b in rest if b.source == blocks[k].source and b.data)
    with pytest.raises(CorpusError, match=r"a: holds [0-9,]+ bytes of text, but [0-9,]+ were read from it before"):
        list(read_blocks(sources, start=(0, blocks[-1].end + 1)))
    assert list(read_blocks(sources, start=(2, 0))) == []


def test_going_on_in_a_plain_file_does_not_read_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stream, "skip", None)  # this would read
    size = 1 << 30
    with (tmp_path / "a").open("wb") as file:  # a gigabyte of nothing, which takes no room on the disk
        file.write(b"a " * 5000)
        file.seek(size)
        file.write(b"the end")
    first, last = read_blocks(find_sources(tmp_path / "a"), start=(0, size))
    assert (first.data + last.data, last.stored, last.end) == (b"the end", size + 7, size + 7)
