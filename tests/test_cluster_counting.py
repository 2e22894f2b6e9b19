"""Counting on a cluster: the same bytes as on one machine, wherever the text is cut, whoever is lost."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import file_hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli import build_cooc
from glove_cli.cluster import count, gather, read
from glove_cli.cooc.config import CoocConfig
from glove_cli.corpus.spans import cut_source
from glove_cli.corpus.vocabulary import Wanted, make_config


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (read, count, gather):
        monkeypatch.setattr(module, "worker_memory", lambda tasks: 1 << 30)


def in_parts(names: list[Path], work: Path, out: Path, span: int, **options: Any) -> None:
    """Do all tasks of a counting one after the other, here."""
    config: CoocConfig = make_config(CoocConfig, options)
    sources = read.find_texts([str(name) for name in names], "/", None, None, config.resample)
    parts = [part for source in sources for part in cut_source(source, span)]
    reads = [read.read_part((k, part), work, config, 1) for k, part in enumerate(parts)]
    words = [read.part_of(work, k) for k in range(len(parts))]
    while len(words) > 2:
        groups = [(work / "words" / f"{len(words)}-{k}", words[k : k + 2]) for k in range(0, len(words), 2)]
        words = [read.gather_words(group, 1 << 30) for group in groups]
    V, types = read.choose_words(words, work, config, Wanted(), ["text"], 1 << 30)
    counted = [count.count_part(k, work, len(parts), config, 1, types) for k in range(len(parts))]
    folders = [count.counted_of(work, k) / name for k, each in enumerate(counted) for name in each.parts]
    lower = config.context == "symmetric"
    level = 0
    while groups := gather.groups_of(folders, work / "merged", level):
        folders, level = [gather.merge_group(group, lower, 1) for group in groups], level + 1
    rows = [gather.merge_range(each, folders, lower, 1) for each in gather.ranges_of(folders, 3)]
    sizes = [gather.size_of(each, lower) for each in rows]
    stored, diagonal = sum(size.stored for size in sizes), sum(size.diagonal for size in sizes)
    out.mkdir()
    gather.make_arrays(out, stored, V)
    for k, each in enumerate(rows):
        gather.write_range(each, out, sum(size.stored for size in sizes[:k]))
    meta = {
        "V": V, "stored": stored, "nnz": 2 * stored - diagonal if lower else stored,
        "largest": max(size.largest for size in sizes), "symmetric": lower,
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
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 1000),
    span=st.sampled_from([7, 40, 200, 2000]),
    blanks=st.sampled_from([b" \n", b" ", b"\n", b" \t\r\n", b"\n\r"]),
    share=st.sampled_from([0.0, 0.05, 0.5]),
    small=st.booleans(),
)
def test_the_matrix_is_the_same_wherever_the_text_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    options: dict[str, Any], seed: int, span: int, blanks: bytes, share: float, small: bool,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("cut")
    names = [folder / "a.txt", folder / "b.txt"]
    for k, name in enumerate(names):
        name.write_bytes(some_text(seed + k, 150 if span < 40 else 600, blanks, share))
    in_parts(names, folder / "work", folder / "many", span, **options)
    build_cooc(names, folder / "one", threads=1, **options)
    assert file_hashes(folder / "many", leave_out=()) == file_hashes(folder / "one", leave_out=())
