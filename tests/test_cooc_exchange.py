"""Matrices to and from other programs: the same bits there and back, in bounded memory, and nothing wrong taken in."""

from __future__ import annotations

import errno
import functools
import operator
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
import scipy.io
import scipy.sparse
from conftest import SharedData, describe_again, file_hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli import build_cooc, export_cooc, import_cooc, load_cooc, train
from glove_cli.cooc import buckets
from glove_cli.cooc.buckets import ENTRY, Buckets, cut_rows, make_entries
from glove_cli.cooc.store import COOC_FORMAT, COOC_VERSION, CoocMatrix, RowBlock, write_rows
from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.folder import FolderWriter
from glove_cli.vocab import Vocab, word_from_bytes

Entries = dict[tuple[int, int], float]
FORMATS = {"reference": "cooccurrence.bin", "npz": "matrix.npz", "mtx": "matrix.mtx"}
WORDS = [word_from_bytes(word) for word in (b"the", b"\xc3\xa9", b"\xff", b"<unk>", b"a\xc2\xa0b", b"w")]
COUNTS = st.floats(5e-324, 1.7e308) | st.integers(1, 5).map(float)


def save_cooc(folder: Path, entries: Entries, V: int, *, symmetric: bool) -> CoocMatrix:
    """Write a matrix as counting would; of a symmetric one `entries` are the lower half."""
    folder.mkdir(parents=True)
    writer = FolderWriter(folder)
    rows = sorted(entries)
    sizes = np.bincount(np.array([i for i, _ in rows], np.int64), minlength=V).astype(np.int64)
    block = RowBlock(sizes, np.array([j for _, j in rows], np.int32), np.array([entries[r] for r in rows]))
    written = write_rows(writer, [block], lower=symmetric)
    writer.vocab(Vocab(WORDS[:V], np.arange(V, 0, -1)))
    writer.finish(COOC_FORMAT, COOC_VERSION, V=V, **written, symmetric=symmetric)
    return load_cooc(folder)


def whole(entries: Entries, symmetric: bool) -> Entries:
    return {**entries, **{(j, i): x for (i, j), x in entries.items()}} if symmetric else entries


@st.composite
def matrices(draw: st.DrawFn, symmetric: bool | None = None) -> tuple[int, Entries, bool]:
    """Draw a matrix: V, entries (of a symmetric one the lower half), whether it is symmetric."""
    V = draw(st.integers(1, len(WORDS)))
    lower = draw(st.booleans()) if symmetric is None else symmetric
    place = st.tuples(st.integers(0, V - 1), st.integers(0, V - 1))
    entries = draw(st.dictionaries(place.filter(lambda p: p[1] <= p[0]) if lower else place, COUNTS, min_size=1))
    return V, entries, lower


def write_records(path: Path, records: list[tuple[int, int, float]], V: int = 3) -> Path:
    """Write records of the reference (ids from 1), and a vocabulary beside them."""
    np.array(records, ENTRY).tofile(path)
    Vocab(WORDS[:V], np.arange(V, 0, -1)).save(path.with_name("vocab.txt"), force=True)
    return path


# --- there and back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(matrix=matrices(), batch=st.integers(1, 9))
def test_a_matrix_comes_back_with_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, format: str, matrix: tuple[int, Entries, bool], batch: int
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    V, entries, symmetric = matrix
    cooc = save_cooc(folder / "cooc", entries, V, symmetric=symmetric)
    done = export_cooc(cooc, folder / FORMATS[format], _batch_entries=batch)
    back = import_cooc(done.path, folder / "back", symmetric=symmetric, _batch_entries=batch)
    assert file_hashes(back.path) == file_hashes(cooc.path)
    assert (back.symmetric, back.nnz, back.stored) == (symmetric, cooc.nnz, cooc.stored)
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=40, deadline=None)
@given(matrix=matrices(symmetric=True), batch=st.integers(1, 9))
def test_a_symmetric_matrix_is_recognized(
    tmp_path_factory: pytest.TempPathFactory, format: str, matrix: tuple[int, Entries, bool], batch: int
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    V, entries, _ = matrix
    cooc = save_cooc(folder / "cooc", entries, V, symmetric=True)
    export_cooc(cooc, folder / FORMATS[format])
    back = import_cooc(folder / FORMATS[format], folder / "back", _batch_entries=batch)
    assert back.symmetric
    assert file_hashes(back.path) == file_hashes(cooc.path)


@pytest.mark.parametrize("context", ["symmetric", "left", "right"])
@pytest.mark.parametrize("format", FORMATS)
def test_what_was_counted_comes_back(awkward_corpus: Path, tmp_path: Path, format: str, context: str) -> None:
    cooc = build_cooc(awkward_corpus, tmp_path / "cooc", min_count=1, context=context)
    export_cooc(tmp_path / "cooc", tmp_path / FORMATS[format])
    back = import_cooc(tmp_path / FORMATS[format], tmp_path / "back")
    assert file_hashes(back.path) == file_hashes(cooc.path)


@settings(max_examples=60, deadline=None)
@given(matrix=matrices(), batch=st.integers(1, 9))
def test_the_reference_gets_both_halves_sorted_with_ids_from_one(
    tmp_path_factory: pytest.TempPathFactory, matrix: tuple[int, Entries, bool], batch: int
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    V, entries, symmetric = matrix
    cooc = save_cooc(folder / "cooc", entries, V, symmetric=symmetric)
    done = export_cooc(cooc, folder / "cooccurrence.bin", _batch_entries=batch)
    both = whole(entries, symmetric)
    expected = np.array([(i + 1, j + 1, both[i, j]) for i, j in sorted(both)], ENTRY)
    assert (folder / "cooccurrence.bin").read_bytes() == expected.tobytes()
    assert (folder / "vocab.txt").read_bytes() == (cooc.path / "vocab.txt").read_bytes()
    assert done.written == len(both)


@pytest.mark.parametrize("symmetric", [True, False])
def test_scipy_reads_the_whole_matrix(tmp_path: Path, symmetric: bool) -> None:
    entries = {(0, 0): 0.1, (1, 0): 1 / 3, (2, 1): 5e-324, (2, 2): 7.0}
    cooc = save_cooc(tmp_path / "cooc", entries, 3, symmetric=symmetric)
    for name in ("m.npz", "m.mtx"):
        export_cooc(cooc, tmp_path / name)
        assert Vocab.load(tmp_path / f"{name}.vocab.txt") == cooc.vocab
    expected = np.zeros((3, 3))
    for place, x in whole(entries, symmetric).items():
        expected[place] = x
    loaded = scipy.sparse.load_npz(tmp_path / "m.npz")
    assert isinstance(loaded, scipy.sparse.csr_array)
    assert loaded.dtype == np.float64
    assert np.array_equal(loaded.toarray(), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer versions will return another kind of matrix
        assert np.array_equal(scipy.io.mmread(tmp_path / "m.mtx").toarray(), expected)
    kind = "symmetric" if symmetric else "general"
    assert scipy.io.mminfo(tmp_path / "m.mtx") == (3, 3, 4, "coordinate", "real", kind)


# --- what the reference wrote ---------------------------------------------------------------------------------------

MATRICES = [
    ("symmetric.w15", {"window": 15}),
    ("left.w10", {"window": 10, "context": "left"}),
    ("flat.w5", {"window": 5, "weighting": "flat"}),
]


@pytest.mark.parametrize(("name", "chosen"), MATRICES, ids=[name for name, _ in MATRICES])
def test_an_export_equals_the_file_of_the_reference(
    shared_data: SharedData, tmp_path: Path, name: str, chosen: dict[str, Any]
) -> None:
    corpus, vocab = shared_data.path("stanford/corpus.txt"), shared_data.path("stanford/vocab.txt")
    build_cooc(corpus, tmp_path / "cooc", vocab=vocab, **chosen)
    export_cooc(tmp_path / "cooc", tmp_path / "cooccurrence.bin", _batch_entries=200_000)
    row, col, x = oracle.read_reference_cooccurrence(tmp_path / "cooccurrence.bin")
    their_row, their_col, their_x = oracle.read_reference_cooccurrence(
        shared_data.path(f"stanford/cooccurrence.{name}.bin")
    )
    assert np.array_equal(row, their_row)
    assert np.array_equal(col, their_col)
    assert np.abs(x / their_x - 1).max() < 15 * 2.0**-25 + 1e-12  # as in test_cooc
    assert (tmp_path / "vocab.txt").read_bytes() == vocab.read_bytes()


@pytest.mark.parametrize("name", [name for name, _ in MATRICES])
def test_a_shuffled_file_gives_the_same_bytes(shared_data: SharedData, tmp_path: Path, name: str) -> None:
    path, vocab = shared_data.path(f"stanford/cooccurrence.{name}.bin"), shared_data.path("stanford/vocab.txt")
    records = np.fromfile(path, ENTRY)
    np.random.default_rng(0).shuffle(records)
    records.tofile(tmp_path / "cooccurrence.shuf.bin")
    straight = import_cooc(path, tmp_path / "straight", vocab=vocab)
    shuffled = import_cooc(tmp_path / "cooccurrence.shuf.bin", tmp_path / "s", vocab=vocab, _batch_entries=70_000)
    assert file_hashes(shuffled.path) == file_hashes(straight.path)
    assert straight.nnz == len(records)
    export_cooc(straight, tmp_path / "again.bin", vocab_out=tmp_path / "again.txt")
    assert (tmp_path / "again.bin").read_bytes() == path.read_bytes()
    # The reference's sums have no fixed order; whole numbers have no rounding.
    assert straight.symmetric == (name == "flat.w5")


def test_mirrored_values_that_differ_by_rounding_are_accepted_when_asked_for(
    shared_data: SharedData, tmp_path: Path
) -> None:
    path, vocab = shared_data.path("stanford/cooccurrence.symmetric.w15.bin"), shared_data.path("stanford/vocab.txt")
    cooc = import_cooc(path, tmp_path / "half", vocab=vocab, symmetric=True)
    full = import_cooc(path, tmp_path / "full", vocab=vocab, symmetric=False).to_scipy()
    assert cooc.symmetric
    assert 2 * cooc.meta["rounded"] == (full != full.T).nnz > 0
    ours = cooc.to_scipy()
    assert (scipy.sparse.tril(ours) != scipy.sparse.tril(full)).nnz == 0
    assert (ours != ours.T).nnz == 0


def test_vectors_are_trained_on_what_was_imported(shared_data: SharedData, tmp_path: Path) -> None:
    cooc = import_cooc(
        shared_data.path("stanford/cooc800.shuf.bin"), tmp_path / "c", vocab=shared_data.path("stanford/vocab800.txt")
    )
    assert train(cooc, dim=2, epochs=1).W.shape == (cooc.V, 2)


def test_a_first_record_that_was_counted_twice_is_an_error(tmp_path: Path) -> None:
    # What the reference makes of the text `a b`.
    path = write_records(tmp_path / "c.bin", [(1, 2, 2.0), (2, 1, 1.0)])
    with pytest.raises(
        FormatError, match=r"row 1, column 2 has the value 2\.0, its mirror 1\.0\. The reference counts"
    ):
        import_cooc(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert import_cooc(path, tmp_path / "out", symmetric=False).data.tolist() == [2.0, 1.0]
    # Not the first one, so it is what it is.
    write_records(path, [(1, 2, 1.0), (2, 1, 1.0), (2, 3, 2.0), (3, 2, 1.0)])
    assert import_cooc(path, tmp_path / "b").stored == 4


# --- what others write ----------------------------------------------------------------------------------------------

MATRIX = scipy.sparse.csr_array(np.array([[1.0, 2.0, 0.0], [2.0, 0.0, 0.5], [0.0, 4.0, 3.0]]))


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
@pytest.mark.parametrize("make", [scipy.sparse.csr_array, scipy.sparse.csr_matrix])
def test_rows_columns_and_coordinates_of_scipy_are_read(tmp_path: Path, kind: str, make: Callable[[Any], Any]) -> None:
    scipy.sparse.save_npz(tmp_path / "m.npz", make(MATRIX).asformat(kind))
    vocab = Vocab(WORDS[:3], np.array([3, 2, 1]))
    cooc = import_cooc(tmp_path / "m.npz", tmp_path / "out", vocab=vocab)
    assert (cooc.to_scipy() != MATRIX).nnz == 0
    assert not cooc.symmetric


def test_integers_become_counts(tmp_path: Path) -> None:
    vocab = Vocab(WORDS[:2], np.array([2, 1]))
    scipy.sparse.save_npz(tmp_path / "m.npz", scipy.sparse.coo_array(np.array([[0, 3], [3, 0]])))
    (tmp_path / "m.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n% a word\n2 2 2\n2 1 3\n1 2 3\n")
    for name in ("m.npz", "m.mtx"):
        cooc = import_cooc(tmp_path / name, tmp_path / f"{name}.out", vocab=vocab)
        assert (cooc.symmetric, cooc.indices.tolist(), cooc.data.tolist()) == (True, [0], [3.0])


def test_what_an_import_cannot_know_is_none(tmp_path: Path) -> None:
    path = write_records(tmp_path / "c.bin", [(1, 1, 1.0)])
    meta = import_cooc(path, tmp_path / "out").meta
    assert [meta[key] for key in ("tokens", "kept_tokens", "documents", "types")] == [None] * 4
    assert (meta["options"], meta["sources"], meta["imported"]) == ({}, [str(path)], "reference")
    assert (meta["V"], meta["nnz"], meta["stored"], meta["summed"], meta["rounded"]) == (3, 1, 1, 0, 0)


def test_equal_values_elsewhere_do_not_make_a_matrix_symmetric(tmp_path: Path) -> None:
    # Each word is as often a row as a column, and (1, 2), (2, 3), (3, 1) have no mirror.
    path = write_records(tmp_path / "c.bin", [(1, 2, 1.0), (2, 3, 1.0), (3, 1, 1.0)])
    cooc = import_cooc(path, tmp_path / "out", _batch_entries=1)
    assert (cooc.symmetric, cooc.indices.tolist()) == (False, [1, 2, 0])


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([(1, 2, 1.0), (2, 1, 1.5)], "row 2, column 1 has the value 1.5, its mirror 1.0"),
        ([(3, 1, 1.0), (1, 1, 2.0)], "row 3, column 1 has the value 1.0, its mirror none"),
        ([(1, 3, 1.0), (1, 1, 2.0)], "row 1, column 3 has the value 1.0, its mirror none"),
        ([(1, 2, 1.0), (2, 1, 1.0), (1, 3, 1.0), (3, 2, 1.0)], "row 1, column 3 has the value 1.0, its mirror none"),
    ],
)
def test_a_matrix_that_should_be_symmetric_and_is_not(
    tmp_path: Path, records: list[tuple[int, int, float]], said: str
) -> None:
    path = write_records(tmp_path / "c.bin", records)
    with pytest.raises(FormatError, match=rf"c\.bin: {said}\. Leave out --symmetric\."):
        import_cooc(path, tmp_path / "out", symmetric=True)
    assert sorted(os.listdir(tmp_path)) == ["c.bin", "vocab.txt"]
    assert not import_cooc(path, tmp_path / "out").symmetric


def added(values: list[float]) -> float:
    """Return the sum of numbers added up one after the other; Python's own is more exact in newer versions."""
    return functools.reduce(operator.add, values)


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_a_pair_that_occurs_twice_is_an_error_unless_it_is_to_be_summed(tmp_path: Path, batch: int) -> None:
    values = [1.0, 1e16, 1.0, 1.0]  # their sum depends on the order
    assert added(values) != added(values[::-1])
    records = [(2, 1, x) for x in values] + [(1, 1, 4.0)] + [(1, 2, x) for x in values[::-1]]
    path = write_records(tmp_path / "c.bin", records)
    for symmetric in (None, False):
        with pytest.raises(FormatError, match=r"has two values for row \d, column \d: [^ ]+ and [^ ]+\. .*--sum-dup"):
            import_cooc(path, tmp_path / "out", symmetric=symmetric, _batch_entries=batch)
    cooc = import_cooc(path, tmp_path / "out", sum_duplicates=True, _batch_entries=batch)
    # The same sum in whatever order they come, so that its mirror is equal.
    assert (cooc.symmetric, cooc.data.tolist(), cooc.meta["summed"]) == (True, [4.0, added(sorted(values))], 6)


# --- wrong input ----------------------------------------------------------------------------------------------------

WRONG_RECORDS = [
    (
        [(1, 1, 1.0), (4, 1, 1.0)],
        r"record 2 \(row 4, column 1, value 1\) names a word beyond the 3 .*1 to 3\. Give the",
    ),
    ([(1, 4, 1.0)], r"record 1 \(row 1, column 4, value 1\) names a word beyond"),
    ([(0, 1, 1.0)], r"record 1 \(row 0, column 1, value 1\) names a word beyond"),
    ([(1, -(2**31), 1.0)], r"record 1 \(row 1, column -2147483648, value 1\) names a word beyond"),
    ([(1, 1, 1.0)] * 2 + [(1, 1, 0.0)], r"record 3 \(row 1, column 1, value 0\) is not a count"),
    ([(1, 1, -1.0)], r"record 1 \(row 1, column 1, value -1\) is not a count"),
    ([(1, 1, np.nan)], r"record 1 \(row 1, column 1, value nan\) is not a count"),
    ([(1, 1, np.inf)], r"record 1 \(row 1, column 1, value inf\) is not a count"),
    ([], "has no entries"),
]


@pytest.mark.parametrize(("records", "message"), WRONG_RECORDS)
@pytest.mark.parametrize("batch", [1, 1000])
def test_a_wrong_record_is_named(
    tmp_path: Path, records: list[tuple[int, int, float]], message: str, batch: int
) -> None:
    path = write_records(tmp_path / "c.bin", records)
    with pytest.raises(FormatError, match=rf"c\.bin: {message}"):
        import_cooc(path, tmp_path / "out", _batch_entries=batch)
    assert sorted(os.listdir(tmp_path)) == ["c.bin", "vocab.txt"]


def test_a_file_of_records_that_was_cut_short(tmp_path: Path) -> None:
    path = write_records(tmp_path / "c.bin", [(1, 1, 1.0)] * 2)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match=r"c\.bin: has 31 bytes, which is not a multiple of the 16 of a record"):
        import_cooc(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


HEAD = "%%MatrixMarket matrix coordinate real general\n"
WRONG_MARKET = [
    ("", "is not a Matrix Market file: its first line"),
    ("\x00\x01", "is not a Matrix Market file: its first line"),
    ("%%MatrixMarket vector coordinate real general\n1 1 1\n", "is not a Matrix Market file: its first line"),
    (HEAD, "has no line `rows columns entries` after its comments"),
    (HEAD + "% only this\n", "has no line `rows columns entries` after its comments"),
    (HEAD + "3 3\n1 1 1\n", "has no line `rows columns entries` after its comments"),
    (HEAD + "3 3 one\n1 1 1\n", "has no line `rows columns entries` after its comments"),
    (HEAD + "3 3 2\n1 1 1\n", "says that it has 2 entries, and has 1"),
    (HEAD + "3 3 1\n1 1 1\n2 2 2\n", "says that it has 1 entries, and has more"),
    (HEAD + "3 3 99999999999\n1 1 1\n", "says that it has 99,999,999,999 entries, and has 1"),
    (HEAD + "3 3 1\n4 1 1\n", r"the entry \(row 4, column 1, value 1\) names a word beyond the 3 .* 1 to 3"),
    (HEAD + "3 3 1\n1 0 1\n", r"the entry \(row 1, column 0, value 1\) names a word beyond the 3 .* 1 to 3"),
    (HEAD + "3 3 1\n99999999999 1 1\n", r"the entry \(row 99999999999, column 1, value 1\) names a word beyond"),
    (HEAD + "%\n3 3 2\n1 2 1\n\n1 1 many\n", "line 6 is not `row column value`: '1 1 many'"),
    (HEAD + "3 3 2\n1 2 1\n1 1\n", "line 4 is not `row column value`: '1 1'"),
    (HEAD + "3 3 2\n1 2 1\n1 1 1 1\n", "line 4 is not `row column value`: '1 1 1 1'"),
    (HEAD + "3 3 2\n1 2 1\n1.5 1 1", "line 4 is not `row column value`: '1.5 1 1'"),
    (HEAD + "3 3 2\n1 2 1\n99999999999999999999 1 1\n", "line 4 is not `row column value`"),
    (HEAD + "3 3 2\n1 2 1\x002 1 1\n", "line 3 is not `row column value`: "),
    (HEAD + "3 3 1\n" + "1" * 100_000, "line 3 is not `row column value`: '1{60}'"),
    (HEAD + "3 3 1\n1 1 nan\n", r"the entry \(row 1, column 1, value nan\) is not a count"),
    (HEAD + "3 3 1\n1 1 1e999\n", r"the entry \(row 1, column 1, value inf\) is not a count"),
    (HEAD + "3 3 1\n1 2 -1\n", r"the entry \(row 1, column 2, value -1\) is not a count"),
    (HEAD + "3 3 2\n1 2 1\n1 2 1\n", "has two values for row 1, column 2: 1.0 and 1.0"),
    (HEAD.replace("general", "symmetric") + "3 3 2\n1 2 1\n2 1 1\n", "has two values for row [12], column [12]: 1.0"),
    (HEAD + "3 4 1\n1 1 1\n", "is a matrix of 3 x 4, not square"),
    (HEAD + "4 4 1\n1 1 1\n", "is a matrix of 4 x 4, its vocabulary has 3 words"),
    (HEAD + "3 3 0\n", "has no entries"),
    (HEAD.replace("real", "pattern") + "3 3 1\n1 1\n", "is 'coordinate pattern general'. Give `coordinate`"),
    (HEAD.replace("real", "complex") + "3 3 1\n1 1 1 1\n", "is 'coordinate complex general'"),
    (HEAD.replace("general", "skew-symmetric") + "3 3 1\n2 1 1\n", "is 'coordinate real skew-symmetric'"),
    ("%%MatrixMarket matrix array real general\n1 1\n1\n", "is 'array real general'"),
]


@pytest.mark.parametrize("block", [1000, 7, 1 << 24])
@pytest.mark.parametrize(("text", "message"), WRONG_MARKET, ids=range(len(WRONG_MARKET)))
def test_a_wrong_matrix_market_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str, block: int
) -> None:
    monkeypatch.setattr("glove_cli.cooc.market_format._BLOCK_BYTES", block)
    (tmp_path / "m.mtx").write_text(text)
    with pytest.raises(FormatError, match=rf"m\.mtx: {message}"):
        import_cooc(tmp_path / "m.mtx", tmp_path / "out", vocab=Vocab(WORDS[:3], np.array([3, 2, 1])))
    assert os.listdir(tmp_path) == ["m.mtx"]


@pytest.mark.parametrize("block", [1, 7, 1 << 24])
def test_a_matrix_market_file_may_have_comments_blank_lines_and_no_last_line_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("glove_cli.cooc.market_format._BLOCK_BYTES", block)
    head = b"%%matrixmarket MATRIX Coordinate Real Symmetric\r\n% a\xff comment\r\n\r\n2 2 3\r\n\r\n"
    (tmp_path / "m.mtx").write_bytes(head + b" 1\t1 1E0\r\n2 1 .1\n\n2 2 3")
    cooc = import_cooc(tmp_path / "m.mtx", tmp_path / "out", vocab=Vocab(WORDS[:2], np.array([2, 1])))
    assert (cooc.symmetric, cooc.indices.tolist(), cooc.data.tolist()) == (True, [0, 0, 1], [1.0, 0.1, 3.0])


def test_coordinates_in_one_array_are_read(tmp_path: Path) -> None:
    vocab = Vocab(WORDS[:3], np.array([3, 2, 1]))
    np.savez(tmp_path / "m.npz", format=b"coo", shape=(3, 3), data=np.ones(2), coords=np.array([[0, 2], [1, 1]]))
    cooc = import_cooc(tmp_path / "m.npz", tmp_path / "out", vocab=vocab)
    assert (cooc.indptr.tolist(), cooc.indices.tolist()) == ([0, 1, 1, 2], [1, 1])


def test_an_id_is_not_cut_to_32_bits_before_it_is_checked(tmp_path: Path) -> None:
    places = {"row": np.array([2**32]), "col": np.array([0])}
    np.savez(tmp_path / "m.npz", format=b"coo", shape=(3, 3), data=np.ones(1), **places)
    with pytest.raises(FormatError, match=r"the entry \(row 4294967296, column 0, value 1\) names a word beyond the 3"):
        import_cooc(tmp_path / "m.npz", tmp_path / "out", vocab=Vocab(WORDS[:3], np.array([3, 2, 1])))


WRONG_SCIPY = [
    (scipy.sparse.csr_array(np.ones((3, 4))), "is a matrix of 3 x 4, not square"),
    (scipy.sparse.csr_array(np.ones((2, 2))), "is a matrix of 2 x 2, its vocabulary has 3 words"),
    (scipy.sparse.csr_array(np.eye(3) * 1j), r"holds complex128\. Give real numbers"),
    (scipy.sparse.csr_array(np.eye(3, dtype=bool)), r"holds bool\. Give real numbers"),
    (scipy.sparse.csr_array(-np.eye(3)), r"the entry \(row 0, column 0, value -1\) is not a count"),
    (scipy.sparse.csr_array(([0.0], [2], [0, 1, 1, 1])), r"the entry \(row 0, column 2, value 0\) is not a count"),
    (scipy.sparse.coo_array(([1.0, 2.0], ([1, 1], [2, 2])), shape=(3, 3)), "has two values for row 1, column 2"),
    (scipy.sparse.csr_array((3, 3)), "has no entries"),
    (scipy.sparse.dia_array(np.eye(3)), r"is stored as 'dia'\. Save matrix\.tocsr\(\) instead"),
]


@pytest.mark.parametrize(("matrix", "message"), WRONG_SCIPY)
def test_a_wrong_matrix_of_scipy(tmp_path: Path, matrix: Any, message: str) -> None:
    scipy.sparse.save_npz(tmp_path / "m.npz", matrix)
    with pytest.raises(FormatError, match=rf"m\.npz: {message}"):
        import_cooc(tmp_path / "m.npz", tmp_path / "out", vocab=Vocab(WORDS[:3], np.array([3, 2, 1])))
    assert os.listdir(tmp_path) == ["m.npz"]


def test_a_damaged_npz_is_an_error_wherever_it_is_damaged(tmp_path: Path) -> None:
    vocab = Vocab(WORDS[:3], np.array([3, 2, 1]))
    scipy.sparse.save_npz(tmp_path / "whole.npz", MATRIX)
    data = (tmp_path / "whole.npz").read_bytes()
    pickled = np.array([None])
    np.savez(tmp_path / "objects.npz", format=b"csr", shape=(3, 3), data=pickled, indices=pickled, indptr=pickled)
    np.savez(tmp_path / "other.npz", a=np.arange(3))
    parts = {"format": b"csr", "shape": (3, 3), "data": np.ones(2), "indices": np.array([0, 1])}
    pointers = np.array([0, 1, 2, 2])
    for name, changed in {
        "beyond": {"indptr": np.array([0, 10**6, 1, 2])},
        "back": {"indptr": np.array([0, 2, 1, 2])},
        "long": {"indptr": np.array([0, 1, 2, 3])},
        "short": {"indptr": np.array([0, 2])},
        "late": {"indptr": np.array([1, 1, 2, 2])},
        "real": {"indices": np.array([0.0, 1.0])},
        "fewer": {"indices": np.array([0])},
        "deep": {"data": np.ones((2, 1))},
        "text": {"data": np.array(["a", "b"])},
        "flat": {"shape": 3},
        "coordinates": {"format": b"coo", "row": np.array([0]), "col": np.array([0, 1])},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **{**parts, "indptr": pointers, **changed})
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.ones((3, 3)))
    for end in range(0, len(data), 97):
        (tmp_path / f"cut{end}.npz").write_bytes(data[:end])
    (tmp_path / "whole.npz").unlink()
    for path in sorted(tmp_path.glob("*.npz")):
        with pytest.raises(FormatError, match=rf"{path.name}: is not a sparse matrix of SciPy, or damaged: .*\. Make"):
            import_cooc(path, tmp_path / "out", vocab=vocab)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", FORMATS)
def test_no_changed_byte_ends_in_anything_but_a_matrix_or_an_error(tmp_path: Path, format: str) -> None:
    entries = {(0, 0): 1.0, (1, 0): 2.0, (2, 1): 3.0}
    vocab = Vocab(WORDS[:3], np.array([3, 2, 1]))
    path = tmp_path / FORMATS[format]
    export_cooc(save_cooc(tmp_path / "cooc", entries, 3, symmetric=True), path)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        changed = bytearray(data)
        changed[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(changed)
        try:
            cooc = import_cooc(path, tmp_path / "out", vocab=vocab, force=True)
        except FormatError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert np.all(cooc.data > 0)
            assert np.all(cooc.indices < 3)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"c\.bin: does not exist"):
        import_cooc(tmp_path / "c.bin", tmp_path / "out")
    write_records(tmp_path / "c.bin", [(1, 1, 1.0)])
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(FormatError, match=r"vocab\.txt: does not exist, so the words of .*c\.bin are unknown.*--vocab"):
        import_cooc(tmp_path / "c.bin", tmp_path / "out")
    with pytest.raises(FormatError, match=r"words: can't be read"):
        import_cooc(tmp_path / "c.bin", tmp_path / "out", vocab=tmp_path / "words")
    with pytest.raises(FormatError, match=r": is not a file\. Name a matrix of another program"):
        import_cooc(tmp_path, tmp_path / "out", format="npz")
    with pytest.raises(FormatError, match=r"cooc: does not exist"):
        export_cooc(tmp_path / "cooc", tmp_path / "out.bin")
    assert os.listdir(tmp_path) == ["c.bin"]


def test_a_format_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--format: .*m\.txt doesn't end with \.bin, \.npz, \.mtx\. Name the format"):
        import_cooc(tmp_path / "m.txt", tmp_path / "out")
    with pytest.raises(OptionError, match=r"--format: 'csv' is not known\. Choose from reference, npz, mtx\."):
        export_cooc(tmp_path / "cooc", tmp_path / "m.bin", format="csv")


# --- outputs --------------------------------------------------------------------------------------------------------


def test_existing_files_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    # Nothing that is named as input exists.
    for existing in ("vocab.txt", "c.bin"):
        (tmp_path / existing).write_text("precious")
        with pytest.raises(OutputError, match=rf"{existing}: already exists\. Use --force"):
            export_cooc(tmp_path / "nothing", tmp_path / "c.bin")
        assert (tmp_path / existing).read_text() == "precious"
        (tmp_path / existing).unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match=r"out: already exists\. Use --force"):
        import_cooc(tmp_path / "nothing.bin", tmp_path / "out")


def test_force_replaces_what_exists(tmp_path: Path) -> None:
    one = save_cooc(tmp_path / "one", {(0, 0): 1.0}, 1, symmetric=True)
    two = save_cooc(tmp_path / "two", {(1, 0): 1.0}, 2, symmetric=True)
    for cooc in (one, two):
        export_cooc(cooc, tmp_path / "c.bin", force=True)
        back = import_cooc(tmp_path / "c.bin", tmp_path / "out", force=True)
        assert file_hashes(back.path) == file_hashes(cooc.path)
    assert sorted(os.listdir(tmp_path)) == ["c.bin", "one", "out", "two", "vocab.txt"]


@pytest.mark.parametrize("name", FORMATS.values())
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    cooc = save_cooc(tmp_path / "cooc", {(0, 0): 1.0}, 1, symmetric=True)

    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("glove_cli.cooc.reference_format.write_all", fail)
    monkeypatch.setattr("scipy.sparse.save_npz", fail)
    monkeypatch.setattr("glove_cli.cooc.market_format._lines", fail)
    with pytest.raises(OutputError, match=rf"{name}: can't be written: No space left"):
        export_cooc(cooc, tmp_path / name)
    assert os.listdir(tmp_path) == ["cooc"]


def test_a_full_disk_in_an_import_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_records(tmp_path / "c.bin", [(1, 1, 1.0)])

    def fail(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("glove_cli.cooc.buckets.write_all", fail)
    with pytest.raises(OutputError, match="out: can't be written: No space left"):
        import_cooc(path, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["c.bin", "vocab.txt"]


def test_a_damaged_matrix_is_not_exported(tmp_path: Path) -> None:
    for number, column in enumerate((-1, 1, 2)):  # a symmetric matrix holds no column above its row
        cooc = save_cooc(tmp_path / str(number), {(0, 0): 1.0, (1, 0): 2.0}, 2, symmetric=True)
        writable = np.lib.format.open_memmap(cooc.path / "indices.npy", mode="r+")
        writable[0] = column
        writable.flush()
        describe_again(cooc.path, "indices.npy")
        for name in ("c.bin", "m.mtx"):
            with pytest.raises(FormatError, match=r"indices\.npy: names a column that can't be"):
                export_cooc(cooc.path, tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["0", "1", "2"]


def test_the_vocabulary_goes_where_it_is_told(tmp_path: Path) -> None:
    cooc = save_cooc(tmp_path / "cooc", {(0, 0): 1.0}, 1, symmetric=True)
    done = export_cooc(cooc, tmp_path / "c.bin", vocab_out=tmp_path / "new" / "words")
    assert Vocab.load(done.vocab) == cooc.vocab
    with pytest.raises(OptionError, match=r"--vocab-out: .*d\.bin is the matrix's own file"):
        export_cooc(cooc, tmp_path / "d.bin", vocab_out=tmp_path / "new" / ".." / "d.bin")
    with pytest.raises(OptionError, match="--vocab-out: is missing, and there is no place for a file beside /dev/null"):
        export_cooc(cooc, "/dev/null", format="reference")
    assert sorted(os.listdir(tmp_path)) == ["c.bin", "cooc", "new"]


def test_progress_ends_with_the_whole_of_every_stage(tmp_path: Path) -> None:
    cooc = save_cooc(tmp_path / "cooc", {(0, 0): 1.0, (1, 0): 2.0, (2, 0): 3.0}, 3, symmetric=True)
    said: dict[str, list[tuple[int, int | None, str]]] = {}

    def progress(stage: str, done: int, total: int | None, unit: str) -> None:
        said.setdefault(stage, []).append((done, total, unit))

    export_cooc(cooc, tmp_path / "c.bin", progress=progress, _batch_entries=2)
    assert (said["mirroring"][-1], said.pop("writing")[-1]) == ((3, 3, "entry"), (5, 5, "entry"))
    import_cooc(tmp_path / "c.bin", tmp_path / "out", progress=progress, _batch_entries=2)
    assert set(said) == {"mirroring", "checking", "sorting", "writing"}
    assert [said[stage][-1] for stage in ("checking", "sorting", "writing")] == [(5, 5, "entry")] * 3
    assert all(steps == sorted(steps) for steps in said.values())


# --- bounded memory -------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 20))
def test_ranges_hold_no_more_than_the_limit_or_a_single_row(sizes: list[int], limit: int) -> None:
    ranges = cut_rows(np.array(sizes, np.int64), limit)
    assert [row for first, last in ranges for row in range(first, last)] == list(range(len(sizes)))
    assert all(sum(sizes[first:last]) <= limit or last == first + 1 for first, last in ranges)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=30), st.integers(1, 8))
def test_buckets_give_back_what_was_added_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, int]], limit: int
) -> None:
    row, col = np.array(pairs, np.int32).reshape(-1, 2).T
    entries = make_entries(row, col, np.arange(len(pairs)))
    buckets = Buckets(tmp_path_factory.mktemp("buckets"), np.bincount(row, minlength=5).astype(np.int64), limit)
    for begin in range(0, len(entries), 3):
        buckets.add(entries["row"][begin : begin + 3], entries[begin : begin + 3])
    for first, last, taken in buckets.take():
        own = (entries["row"] >= first) & (entries["row"] < last)
        assert taken.tobytes() == entries[own].tobytes()
    assert not list(buckets.folder.iterdir())


@pytest.mark.parametrize("symmetric", [True, False])
def test_no_more_than_a_batch_or_a_row_is_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, symmetric: bool
) -> None:
    V, batch = 6, 13
    entries = {(i, j): 1.0 + i + V * j for i in range(V) for j in range(i + 1 if symmetric else V)}
    cooc = save_cooc(tmp_path / "cooc", entries, V, symmetric=symmetric)
    written: list[int] = []
    taken: list[int] = []
    take, write_all = Buckets.take, buckets.write_all

    def noted_take(self: Buckets) -> Iterator[tuple[int, int, np.ndarray]]:
        for first, last, found in take(self):
            taken.append(len(found))
            yield first, last, found

    def noted_write(file: Any, found: np.ndarray) -> None:
        written.append(len(found))
        write_all(file, found)

    monkeypatch.setattr(Buckets, "take", noted_take)
    monkeypatch.setattr("glove_cli.cooc.reference_format.write_all", noted_write)
    export_cooc(cooc, tmp_path / "c.bin", _batch_entries=batch)
    assert (sum(written), max(written)) == (V * V, 2 * V)
    taken.clear()
    import_cooc(tmp_path / "c.bin", tmp_path / "out", symmetric=symmetric, _batch_entries=batch)
    assert max(taken) <= batch
    assert sum(taken) == V * V


def test_a_locked_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    scipy.sparse.save_npz(path, scipy.sparse.coo_array(MATRIX))
    data = bytearray(path.read_bytes())
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(sign)
        while at >= 0:
            data[at + flags] |= 1  # is encrypted
            at = data.find(sign, at + 1)
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"m.npz: is not a sparse matrix of SciPy, or damaged: .* is encrypted"):
        import_cooc(path, tmp_path / "out", vocab=Vocab(WORDS[:3], np.array([3, 2, 1])))
