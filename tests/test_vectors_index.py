"""The approximate index: as good as it says, exact scores, and refused where it doesn't fit the vectors."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import change_meta, describe_again, file_hashes
from test_cli_build_cooc import fails, glove

import glove_cli.vectors.index as module
from glove_cli.errors import FormatError, OptionError, OutputError, UnknownWordError
from glove_cli.vectors.index import Index, build_index, load_index
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.names import METRICS

pytest.importorskip("usearch.index")
V, D = 3000, 24
KEY_TOLERANCE = 1e-12  # float64, some terms of size 1


def make(rows: Any) -> WordVectors:
    return WordVectors([f"w{i}" for i in range(len(rows))], np.asarray(rows, np.float32))


def naive(metric: str, matrix: np.ndarray, row: int) -> np.ndarray:
    """Score all rows against one in float64, the larger the nearer, without anything of ours."""
    a, b = matrix.astype(np.float64), matrix[row].astype(np.float64)
    if metric == "euclidean":
        return -np.linalg.norm(a - b, axis=1)
    products = a @ b
    if metric == "dot":
        return products
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b)
    return np.divide(products, lengths, out=np.zeros(len(a)), where=lengths > 0)


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    """Give words of different lengths, some of them zeros."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(V, D)) * rng.uniform(0.5, 2, size=(V, 1))
    rows[[7, 2000]] = 0
    return make(rows)


@pytest.fixture(scope="module")
def folder(vectors: WordVectors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index") / "ix"
    build_index(vectors, path, threads=1)
    return path


@pytest.mark.parametrize("metric", METRICS)
def test_the_recall_is_the_one_reported_and_scores_are_exact(
    vectors: WordVectors, metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EXPANSIONS", (40,))  # so narrow that some are missed
    made = build_index(vectors, tmp_path / "ix", metric=metric, threads=1)
    index = load_index(tmp_path / "ix", vectors, metric=metric)
    assert (index.recall, index.sample, index.metric) == (made.recall, 200, metric)
    rows = [row for row in range(0, V, 3) if vectors.matrix[row].any()]
    answers = index.nearest_many([f"w{row}" for row in rows])
    found = np.empty(len(rows))
    sign = -1 if metric == "euclidean" else 1
    for number, (row, best) in enumerate(zip(rows, answers, strict=True)):
        scores = naive(metric, vectors.matrix, row)
        chosen = [int(neighbour.word[1:]) for neighbour in best]
        assert len(set(chosen)) == 10
        assert row not in chosen
        given = np.array([neighbour.similarity for neighbour in best])
        assert np.abs(sign * given - scores[chosen]).max() <= KEY_TOLERANCE * max(1, np.abs(scores).max())
        assert (np.diff(sign * given) <= 0).all()
        scores[row] = -np.inf
        found[number] = len(set(chosen) & set(np.argsort(-scores)[:10].tolist())) / 10
    assert 0.5 < found.mean() < 1
    # Two samples of one population: their means differ by less than four standard errors.
    assert abs(found.mean() - index.recall) < 4 * found.std() * (1 / 200 + 1 / len(rows)) ** 0.5


def test_the_search_is_widened_until_enough_is_found(folder: Path, vectors: WordVectors) -> None:
    index = load_index(folder, vectors)
    assert index.recall >= 0.98
    exact = vectors.nearest_many(vectors.words[:200])
    found = index.nearest_many(vectors.words[:200])
    hits = [len(set(a) & set(b)) for a, b in zip(exact, found, strict=True)]
    assert np.mean(hits) > 9.5


def test_one_thread_makes_the_same_index_and_batches_the_same_answers(
    folder: Path, vectors: WordVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = build_index(vectors, tmp_path / "again", threads=1)
    assert file_hashes(tmp_path / "again") == file_hashes(folder)
    words = [*vectors.words[:50], "w2000"]
    together = again.nearest_many(words, 7)
    assert [again.nearest_many([word], 7, threads=1)[0] for word in words] == together
    monkeypatch.setattr(module, "_CANDIDATES", 100)
    assert load_index(folder, vectors).nearest_many(words, 7) == together


@pytest.mark.parametrize("metric", METRICS)
def test_what_a_graph_is_no_help_for_is_answered_exactly(metric: str, vectors: WordVectors, tmp_path: Path) -> None:
    few = make(vectors.matrix[:700])
    index = build_index(few, tmp_path / "ix", metric=metric, threads=1)
    for queries, topn in ((["w3"], 50), (["w3", "w7"], 10_000), ([np.zeros(D)], 3), ([np.full(D, 1e30)], 3)):
        if metric == "cosine" and not isinstance(queries[0], str) and queries[0].any():
            continue  # has a direction
        assert index.nearest_many(queries, topn) == few.nearest_many(queries, topn, metric=metric)
    assert index.nearest_many([], 3) == []


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize("metric", METRICS)
def test_very_few_words_have_an_index(number: int, metric: str, vectors: WordVectors, tmp_path: Path) -> None:
    few = make(vectors.matrix[:number])
    assert build_index(few, tmp_path / "ix", metric=metric).recall == 1
    assert load_index(tmp_path / "ix", few).nearest_many(["w0"]) == few.nearest_many(["w0"], metric=metric)


def test_of_equally_near_words_any_counts_as_found(tmp_path: Path) -> None:
    rows = np.repeat(np.random.default_rng(1).normal(size=(50, 8)), 50, axis=0)  # more alike than candidates
    index = build_index(make(rows), tmp_path / "ix", threads=1)
    assert index.recall >= 0.9
    exact = index.vectors.nearest_many(index.vectors.words)
    found = index.nearest_many(index.vectors.words)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)]) < 0.8


def test_wrong_questions_are_refused(folder: Path, vectors: WordVectors) -> None:
    index = load_index(folder, vectors)
    with pytest.raises(OptionError, match="--topn: 0 is not a positive integer"):
        index.nearest_many(["w1"], 0)
    with pytest.raises(OptionError, match="--threads: 0 is not"):
        index.nearest_many(["w1"], threads=0)
    with pytest.raises(OptionError, match=rf"query: has shape \(3,\), the vectors have {D} numbers"):
        index.nearest_many([np.ones(3)])
    with pytest.raises(UnknownWordError, match="w3000: is not among"):
        index.nearest_many(["w3000"])
    with pytest.raises(OptionError, match=r"--metric: dot is asked for, but the index .* is for cosine"):
        load_index(folder, vectors, metric="dot")
    with pytest.raises(OptionError, match="--metric: 'far' is no measure"):
        build_index(vectors, folder, metric="far")
    with pytest.raises(FormatError, match="vectors: there are none, 0 of 3 dimensions"):
        build_index(make(np.empty((0, 3))), folder.with_name("none"))


def test_an_index_of_other_vectors_is_refused(folder: Path, vectors: WordVectors) -> None:
    fewer = make(vectors.matrix[:-1])
    with pytest.raises(FormatError, match=f"3,000 vectors of {D} dimensions, not of these 2,999"):
        load_index(folder, fewer)
    changed = vectors.matrix.copy()
    changed[V - 1, D - 1] = np.nextafter(changed[V - 1, D - 1], np.float32(9))
    swapped = ["w1", "w0", *vectors.words[2:]]
    for other in (WordVectors(vectors.words, changed), WordVectors(swapped, vectors.matrix)):
        with pytest.raises(FormatError, match="is an index of other words or vectors than these"):
            load_index(folder, other)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("bit", "was changed after it was written"),
        ("cut", " were written"),
        ("missing", "can't be read: No such file"),
        ("kind", "is a 'glove-model', not a 'glove-index'"),
        ("newer", "has format version 2"),
        ("recall", "something that describes an index is missing"),
        ("json", "is damaged"),
        ("foreign", "can't be read by usearch"),
    ],
)
def test_a_damaged_index_is_refused(
    folder: Path, vectors: WordVectors, tmp_path: Path, damage: str, message: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    graph, meta = copy / "graph.usearch", copy / "meta.json"
    data = bytearray(graph.read_bytes())
    if damage == "bit":
        data[len(data) // 2] ^= 1
        graph.write_bytes(data)
    elif damage == "cut":
        graph.write_bytes(data[:-1])
    elif damage == "missing":
        graph.unlink()
    elif damage == "foreign":
        graph.write_bytes(bytes(len(data)))
        describe_again(copy, graph.name)
    elif damage == "recall":
        change_meta(copy, lambda said: said.pop("recall"))
    elif damage == "json":
        meta.write_text("{")
    else:
        change_meta(
            copy, lambda said: said.update({"kind": {"format": "glove-model"}, "newer": {"version": 2}}[damage])
        )
    with pytest.raises(FormatError, match=message):
        load_index(copy, vectors)


def test_only_an_index_is_replaced_and_only_when_told(folder: Path, vectors: WordVectors, tmp_path: Path) -> None:
    other = tmp_path / "model"
    other.mkdir()
    (other / "meta.json").write_text('{"format": "glove-model"}')
    with pytest.raises(OutputError, match="is another result, not an index, so it isn't replaced"):
        build_index(vectors, other, force=True)
    with pytest.raises(OutputError, match="already exists"):
        build_index(vectors, folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    few = make(vectors.matrix[:50])
    build_index(few, copy, force=True)
    assert isinstance(load_index(copy, few), Index)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "model"]


def test_the_command_makes_an_index_once_and_says_its_recall(
    vectors: WordVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{w} {' '.join(f'{x:.6f}' for x in row)}" for w, row in zip(vectors.words, vectors.matrix, strict=True)]
    Path("v.txt").write_text("\n".join(lines) + "\n")
    asked = ("nearest", "w1", "--model", "v.txt", "--index", "ix")
    first, second = glove(*asked), glove(*asked)
    assert first.stderr.startswith("Making an index of 3,000 words, once: ix\n")
    recall = json.loads(Path("ix/meta.json").read_text())["recall"]["value"]
    note = (
        f"Note: the answers are approximate: {100 * recall:.1f} % of the 10 nearest words are found (recall@10 of 200 "
    )
    assert note in first.stderr
    assert second.stderr.startswith(note)
    assert first.stdout == second.stdout
    lines = glove(*asked[:1], *asked[2:], "--tsv", "-n", "2", stdin=b"w1\nnone\nw5\n").stdout.splitlines()
    assert [line.split("\t")[:2] for line in lines] == [["w1", "1"], ["w1", "2"], ["w5", "1"], ["w5", "2"]]
    fails(glove(*asked, "--metric", "dot"), 2, "--metric: dot is asked for, but the index ix is for cosine")
    again = glove(*asked, "--metric", "dot", "--force", "--threads", "1")
    assert (again.exit_code, json.loads(Path("ix/meta.json").read_text())["metric"]) == (0, "dot")
    fails(glove(*asked, "--process", "unit", "--metric", "dot"), 1, "ix: is an index of other words or vectors")
    fails(glove(*asked, "--restrict", "5"), 2, "--restrict: 5 can't be combined with --index")
    fails(glove(*asked[:4], "--force"), 2, "--force: is for an index, and none is named")
    fails(glove(*asked[:4], "--threads", "2"), 2, "--threads: is for an index, and none is named")
    fails(glove(*asked[:4], "--index", "v.txt"), 1, "v.txt: holds no finished result")


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    monkeypatch.setitem(sys.modules, "usearch", None)
    fails(
        glove("nearest", "a", "--model", "none.txt", "--index", "ix"), 1,
        r"ix: needs the package usearch\. Install it with: pip install 'glove-cli\[index\]'\.",
    )  # fmt: skip
