"""Counting on a cluster: the same bytes as on one machine, wherever the text is cut, whoever is lost."""

from __future__ import annotations

import gzip
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import file_hashes
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glove_cli import build_cooc
from glove_cli.cluster import count, gather, read
from glove_cli.cluster.parts import LostPartError, Parts, part_of
from glove_cli.cluster.ranges import Written, write_range
from glove_cli.cooc.config import CoocConfig
from glove_cli.corpus.sources import find_sources
from glove_cli.corpus.spans import cut_source
from glove_cli.corpus.vocabulary import Wanted, make_config
from glove_cli.errors import CorpusError


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (read, count, gather):
        monkeypatch.setattr(module, "worker_memory", lambda tasks: 1 << 30)
    monkeypatch.setattr(read, "WORDS_TOGETHER", 2)


def in_parts(names: list[Path], work: Path, out: Path, span: int, whole: bool, **options: Any) -> None:
    """Do all tasks of a counting one after the other, here."""
    config: CoocConfig = make_config(CoocConfig, options)
    sources = read.find_texts([str(name) for name in names], "/", None, None, config.resample)
    parts = [part for source in sources for part in cut_source(source, span)]
    reads = [read.read_part(k, part, work, config, 1) for k, part in enumerate(parts)]
    words, level = [part_of(work, k) for k in range(len(parts))], 0
    while tables := read.groups_of_tables(work, words, level):
        words, level = [read.gather_words(*group, [], 1 << 30) for group in tables], level + 1
    V, types = chosen = read.choose_words(words, [], work, config, Wanted(), ["text"], 1 << 30)
    lower = config.context == "symmetric"
    if whole:
        ranges = count.plan_rows(chosen, work, len(parts), config, 3, 1 << 30)
        held = count.hold_corpus(ranges, work, len(parts), config)
        assert ranges is not None
        assert held is not None
        rows = [count.count_rows(each, held, config) for each in ranges]
        counted = [count.counted_of_held(held)]
    else:
        counted = [count.count_part(k, work, len(parts), config, 1, types) for k in range(len(parts))]
        folders = [count.counted_of(work, k) / name for k, each in enumerate(counted) for name in each.parts]
        level = 0
        while groups := gather.groups_of(folders, work / "merged", level):
            folders, level = [gather.merge_group(*group, lower, 1) for group in groups], level + 1
        rows = [gather.merge_range(each, folders, lower, 1) for each in gather.ranges_of(folders, 3, 1 << 30)]
    out.mkdir()
    written = Written()
    for each in rows:
        written += write_range(each, written.stored, out, lower)[0]
    meta = {
        "V": V, "stored": written.stored, "nnz": 2 * written.stored - written.diagonal if lower else written.stored,
        "largest": written.largest, "symmetric": lower,
        "tokens": sum(each.tokens for each in counted), "kept_tokens": sum(each.kept for each in counted),
        "sampled_tokens": sum(each.sampled for each in counted),
        "invalid_tokens": sum(each.invalid for each in reads),
        "documents": sum(each.documents for each in counted), "types": types, "vocabulary": "counted", "shard": None,
        "options": asdict(config), "sources": [source.name for source in sources],
    }  # fmt: skip
    gather.finish_matrix(out, work, meta)


def some_text(seed: int, words: int, blanks: bytes, share: float) -> bytes:
    """Return words of a small vocabulary with blanks of many kinds between them."""
    rng = np.random.default_rng(seed)
    pieces = []
    for word in rng.zipf(1.4, words).tolist():
        blank = bytes([blanks[int(rng.integers(len(blanks)))]]) * int(rng.integers(1, 4))
        pieces += [b"w%d" % (word % 40), blank if rng.random() < share else b" "]
    return b"".join(pieces)


OPTIONS: list[dict[str, Any]] = [
    {"min_count": 2},
    {"min_count": 2, "window": 3, "context": "left"},
    {"min_count": 5, "window": 4, "oov": "hold", "document": "paragraph"},
    {"min_count": 4, "window": 2, "subsample": 0.01},
    {"min_count": 1, "window": 7, "document": "none", "subsample": 0.05},
    {"min_count": 9, "window": 5, "document": "file", "max_vocab": 6},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 1000),
    span=st.sampled_from([60, 150, 500]),
    blanks=st.sampled_from([b" \n", b" ", b"\n", b" \t\r\n", b"\n\r"]),
    share=st.sampled_from([0.0, 0.05, 0.5]),
    whole=st.booleans(),
)
def test_the_matrix_is_the_same_wherever_the_text_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    options: dict[str, Any], seed: int, span: int, blanks: bytes, share: float, whole: bool,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("cut")
    names = [folder / "a.txt", folder / "b.txt"]
    for k, name in enumerate(names):
        name.write_bytes(some_text(seed + k, max(span, 150), blanks, share))
    try:
        build_cooc(names, folder / "one", threads=1, **options)
    except CorpusError:
        assume(False)
    in_parts(names, folder / "work", folder / "many", span, whole, **options)
    assert file_hashes(folder / "many", leave_out=()) == file_hashes(folder / "one", leave_out=())


def test_many_parts_are_added_up_group_by_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MAX_PARTS", 3)
    (tmp_path / "a.txt").write_bytes(some_text(1, 3000, b"\n", 0.1))
    in_parts([tmp_path / "a.txt"], tmp_path / "work", tmp_path / "many", 500, False, min_count=2)
    assert len(list((tmp_path / "work" / "merged").iterdir())) > 4
    build_cooc(tmp_path / "a.txt", tmp_path / "one", min_count=2)
    assert file_hashes(tmp_path / "many", leave_out=()) == file_hashes(tmp_path / "one", leave_out=())


def test_rows_are_cut_evenly_behind_the_most_frequent_words(tmp_path: Path) -> None:
    words = b" ".join(b"w%d" % (k % 1000) for k in range(30_000))
    (tmp_path / "a.txt").write_bytes(words)
    sources = read.find_texts([str(tmp_path / "a.txt")], "/", None, None, None)
    config = CoocConfig()
    read.read_part(0, sources[0], tmp_path / "work", config, 1)
    chosen = read.choose_words([part_of(tmp_path / "work", 0)], [], tmp_path / "work", config, Wanted(), ["a"], 1 << 30)
    assert chosen == (1000, 1000)
    ranges = count.plan_rows(chosen, tmp_path / "work", 1, config, 4, 1 << 30)
    assert ranges is not None
    assert [first for first, _ in ranges] == [0, *(last for _, last in ranges[:-1])]
    assert ranges[0][1] >= 128
    sizes = [last - first for first, last in ranges[1:]]
    assert len(ranges) == 4 * count.RANGES_OF_SLOT
    assert max(np.diff(sizes)) <= 1  # longer rows cost more
    assert sizes[0] <= 2 * sizes[-1]


def test_a_corpus_too_large_for_a_worker_is_counted_part_by_part(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(some_text(1, 3000, b"\n", 0.1))
    sources = read.find_texts([str(tmp_path / "a.txt")], "/", None, None, None)
    read.read_part(0, sources[0], tmp_path / "work", CoocConfig(), 1)
    chosen = read.choose_words(
        [part_of(tmp_path / "work", 0)], [], tmp_path / "work", CoocConfig(), Wanted(), ["a"], 1 << 30
    )
    assert count.plan_rows(chosen, tmp_path / "work", 1, CoocConfig(), 2, 1 << 30) is not None
    assert count.plan_rows(chosen, tmp_path / "work", 1, CoocConfig(), 2, 1 << 20) is None
    assert count.hold_corpus(None, tmp_path / "work", 1, CoocConfig()) is None


@pytest.mark.parametrize("blanks", [b"\n", b" ", b"\r\n", b"  \n\n \t"])
def test_spans_together_are_the_text(tmp_path: Path, blanks: bytes) -> None:
    text = b"\xef\xbb\xbf" + blanks.join(b"word%d" % k for k in range(1000)) + blanks
    (tmp_path / "a.txt").write_bytes(text)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(text))
    plain, packed = find_sources([tmp_path / "a.txt", tmp_path / "b.txt.gz"])
    parts = cut_source(plain, 100)
    assert len(parts) > 50
    read_again = []
    for part in parts:
        with part.open() as stream:
            read_again.append(b"".join(iter(lambda s=stream: s.read(7), b"")))  # type: ignore[misc]
    assert b"".join(read_again) == text[3:]
    assert all(piece[-1:] in b" \t\r\n" and piece[:1] == b"w" for piece in read_again)
    assert cut_source(packed, 100) == [packed]


@pytest.mark.parametrize("name", ["ids", "summary.json", "words-0.npz"])
@pytest.mark.parametrize("damage", ["changed", "cut short", "gone"])
def test_a_part_that_lost_something_is_read_again(tmp_path: Path, name: str, damage: str) -> None:
    (tmp_path / "a.txt").write_bytes(some_text(1, 300, b"\n", 0.1))
    (source,) = read.find_texts([str(tmp_path / "a.txt")], "/", None, None, None)
    read.read_part(0, source, tmp_path, CoocConfig(), 1)
    file = part_of(tmp_path, 0) / name
    whole = file.read_bytes()
    middle = len(whole) // 2
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(whole[:middle] + (b"\1\1\1" + whole[middle + 3 :] if damage == "changed" else b""))
    if name == "ids":
        parts = Parts(tmp_path, 1)
        with pytest.raises(LostPartError, match="is gone or damaged"):
            [parts.ids(block) for block in parts.blocks(0)]
    read.read_part(0, source, tmp_path, CoocConfig(), 1)
    assert file.read_bytes() == whole
