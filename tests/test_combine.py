"""Matrices added up: shards, separate corpora with one vocabulary, corpora with words of their own."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from conftest import file_hashes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, save_npz
from test_cli_build_cooc import glove
from test_cooc import options, stored_entries, texts

from glove_cli.cooc import combine, merge
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.combine import merge_cooc
from glove_cli.cooc.exchange import import_cooc
from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.corpus.vocabulary import build_vocab
from glove_cli.errors import CorpusError, FormatError, OptionError
from glove_cli.vocab import Vocab


def test_a_sum_beyond_what_is_exact_is_said(tmp_path: Path) -> None:
    words = ["a", "b"]
    for name, x in (("first", 2.0**28 + 0.25), ("second", 2.0**28), ("third", 0.5)):
        save_npz(tmp_path / f"{name}.npz", csr_array([[0.0, x], [x, 0.0]]))
        import_cooc(tmp_path / f"{name}.npz", tmp_path / name, vocab=Vocab(words, np.array([2, 1])))
    within = merge_cooc([tmp_path / "first", tmp_path / "third"], tmp_path / "within")
    beyond = merge_cooc([tmp_path / "first", tmp_path / "second"], tmp_path / "beyond")
    assert (within.exact, beyond.exact) == (True, False)
    assert beyond.meta["largest"] == 2.0**29 + 0.25
    said = glove("merge-cooc", str(tmp_path / "first"), str(tmp_path / "second"), "-o", str(tmp_path / "again"))
    assert "exactness   a count is beyond 2**29: its last bits may depend on the order of adding\n" in said.stdout


@settings(max_examples=80, deadline=None)
@given(texts(), options(), st.integers(1, 6), st.integers(1, 60), st.integers(1, 30), st.randoms())
def test_shards_add_up_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    chosen: dict,
    shards: int,
    block: int,
    chunk: int,
    chance: object,
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    try:
        whole = build_cooc(io.BytesIO(data), folder / "whole", **chosen)
    except CorpusError:
        return
    made = [
        build_cooc(
            io.BytesIO(data),
            folder / str(i),
            shard=f"{i}/{shards}",
            threads=1 + i % 2,
            _block_bytes=block,
            _chunk_tokens=chunk,
            _spool_memory=0,
            **chosen,
        )
        for i in range(1, shards + 1)
    ]
    chance.shuffle(made)  # type: ignore[attr-defined]
    merged = merge_cooc(made, folder / "merged")
    assert file_hashes(merged.path, leave_out=()) == file_hashes(whole.path, leave_out=())


@settings(max_examples=60, deadline=None)
@given(texts(), texts(), options())
def test_separate_corpora_with_one_vocabulary_add_up_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, second: bytes, chosen: dict
) -> None:
    chosen["document"] = "line" if chosen["document"] == "none" else chosen["document"]
    folder = tmp_path_factory.mktemp("corpora")
    (folder / "1.txt").write_bytes(first)
    (folder / "2.txt").write_bytes(second)
    both = [folder / "1.txt", folder / "2.txt"]
    text = {key: chosen.pop(key) for key in ("min_count", "max_vocab", "max_doc_share")}
    counting = ("window", "context", "weighting", "oov", "subsample", "seed")
    reading = {key: value for key, value in chosen.items() if key not in counting}
    try:
        vocab = build_vocab(both, **text, **reading).vocab
        whole = build_cooc(both, folder / "whole", vocab=vocab, **chosen)
        parts = [build_cooc(path, folder / path.stem, vocab=vocab, **chosen) for path in both]
    except CorpusError:
        return
    merged = merge_cooc(parts, folder / "merged")
    assert file_hashes(merged.path) == file_hashes(whole.path)
    known = {"tokens", "kept_tokens", "sampled_tokens", "invalid_tokens", "documents", "options", "sources", "nnz"}
    assert {key: merged.meta[key] for key in known} == {key: whole.meta[key] for key in known}


def by_words(cooc: CoocMatrix) -> dict[frozenset[str] | tuple[str, str], float]:
    """Return the entries by the words of their rows and columns."""
    words = cooc.vocab.words
    kind = frozenset if cooc.symmetric else tuple
    return {kind((words[i], words[j])): x for (i, j), x in stored_entries(cooc).items()}


@pytest.mark.parametrize("batch", [1, 3, 1000])
@pytest.mark.parametrize("context", ["symmetric", "left", "right"])
def test_different_words_are_matched_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str, batch: int
) -> None:
    monkeypatch.setattr(combine, "_BATCH_ENTRIES", batch)
    rng = np.random.default_rng(1)
    made = []
    for k in range(3):
        words = [f"w{i}" for i in rng.integers(5 * k, 5 * k + 12, 80)]
        text = " ".join(words).encode()
        made.append(build_cooc(io.BytesIO(text), tmp_path / str(k), min_count=1, window=3, context=context))
    merged = merge_cooc(made, tmp_path / "merged", threads=2)
    expected: dict = {}
    for cooc in made:
        for key, x in by_words(cooc).items():
            expected[key] = expected.get(key, 0.0) + x
    assert by_words(merged) == expected
    counts = {word: 0 for cooc in made for word in cooc.vocab.words}
    for cooc in made:
        for word, n in zip(cooc.vocab.words, cooc.vocab.counts.tolist(), strict=True):
            counts[word] += n
    assert dict(zip(merged.vocab.words, merged.vocab.counts.tolist(), strict=True)) == counts
    assert merged.vocab.counts.tolist() == sorted(counts.values(), reverse=True)
    rows = np.diff(merged.indptr)
    assert all(np.all(np.diff(merged.indices[merged.indptr[i] : merged.indptr[i + 1]]) > 0) for i in range(len(rows)))
    assert (merged.meta["tokens"], merged.meta["vocabulary"], merged.meta["types"]) == (240, "counted", None)
    merged.verify()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "merged"]


def test_many_matrices_are_added_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "MAX_PARTS", 3)
    data = b"a b c a b d e a b " * 20
    whole = build_cooc(io.BytesIO(data), tmp_path / "whole", min_count=1)
    made = [build_cooc(io.BytesIO(data), tmp_path / str(i), min_count=1, shard=(i, 10)) for i in range(1, 11)]
    before = [file_hashes(cooc.path) for cooc in made]
    merged = merge_cooc(made, tmp_path / "merged")
    assert file_hashes(merged.path, leave_out=()) == file_hashes(whole.path, leave_out=())
    assert [file_hashes(cooc.path) for cooc in made] == before


def test_some_shards_add_up_to_a_part_that_says_so(tmp_path: Path) -> None:
    data = b"a b c d " * 20
    made = [build_cooc(io.BytesIO(data), tmp_path / str(i), min_count=1, shard=(i, 3)) for i in (1, 3)]
    merged = merge_cooc(made, tmp_path / "merged")
    assert (merged.meta["shard"], merged.meta["shards"]) == (None, [[1, 3], [3, 3]])


def test_matrices_that_cannot_be_added_are_refused(tmp_path: Path) -> None:
    def build(name: str, **options: object) -> Path:
        build_cooc(io.BytesIO(b"a b c d " * 9), tmp_path / name, **{"min_count": 1, "window": 5, **options})  # type: ignore[arg-type]
        return tmp_path / name

    first = build("first")
    refused = [
        ([], "no matrix was named"),
        ([first, first], "is named twice"),
        ([first, build("wide", window=6)], "was counted with --window 6, and .*first with --window 5"),
        ([first, build("left", context="left")], "is not symmetric"),
        ([first, build("one", shard=(1, 2))], "1/2 are not shards of one corpus"),
        ([tmp_path / "one", build("third", shard=(2, 3))], "1/2, 2/3 are not shards of one corpus"),
        ([tmp_path / "one", build("again", shard=(1, 2))], "1/2, 1/2 are not shards"),
        ([tmp_path / "one", build("fewer", shard=(2, 2), max_vocab=2)], "not of the same corpus"),
    ]
    for matrices, message in refused:
        with pytest.raises(OptionError, match=message):
            merge_cooc(matrices, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/2/3", (1,), 7])
def test_a_shard_is_one_of_a_number(tmp_path: Path, shard: object) -> None:
    with pytest.raises(OptionError, match=r"--shard: .* is not a part of a whole"):
        build_cooc(io.BytesIO(b"a b"), tmp_path / "out", min_count=1, shard=shard)  # type: ignore[arg-type]


def test_a_shard_may_be_empty(tmp_path: Path) -> None:
    build_cooc(io.BytesIO(b"a b"), tmp_path / "out", min_count=1, shard=(1, 9))
    assert load_cooc(tmp_path / "out").nnz == 0


def test_a_damaged_matrix_is_not_merged(tmp_path: Path) -> None:
    made = [build_cooc(io.BytesIO(b"a b c d " * 9), tmp_path / name, min_count=1) for name in ("first", "second")]
    paths = [cooc.path for cooc in made]
    columns = np.load(paths[0] / "indices.npy")
    columns[2] = 1_000_000
    np.save(paths[0] / "indices.npy", columns)
    with pytest.raises(FormatError, match=r"indices\.npy: was changed after it was written"):
        merge_cooc(paths, tmp_path / "sum")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]
