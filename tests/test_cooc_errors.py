"""Wrong input to counting: one clear line, nothing half-written, nothing lost."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from conftest import describe_again, file_hashes

from glove_cli.cooc import passes
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import load_cooc
from glove_cli.errors import CorpusError, FormatError, GloveError, OptionError, OutputError


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"the cat sat\nthe dog sat\n")
    return path


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (b"", {}, "is empty"),
        (b" \n\t\r\n\n", {}, "is empty"),
        (b"a b c a", {}, r"no word occurs 5 times, the most frequent one 2 times\. Lower --min-count\."),
        (b"a\nb\na\nb\n", {"min_count": 2}, "no two words of the vocabulary stand in one document"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 1000])
def test_a_corpus_with_nothing_to_count_is_refused(
    tmp_path: Path, data: bytes, options: dict, message: str, chunk: int
) -> None:
    path = tmp_path / "corpus.txt"
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=rf"corpus\.txt: {message}"):
        build_cooc(path, tmp_path / "cooc", _chunk_tokens=chunk, **options)
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_a_corpus_without_a_word_of_the_vocabulary_is_refused(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(b"other 3\n")
    with pytest.raises(CorpusError, match="none of the 1 words of the vocabulary occurs"):
        build_cooc(corpus, tmp_path / "cooc", vocab=tmp_path / "vocab.txt")
    assert not (tmp_path / "cooc").exists()


@pytest.mark.parametrize("data", [b"", b"the 3\nthe 2\n", b"the\n"])
def test_a_bad_vocabulary_is_refused_before_the_text_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "vocab.txt").write_bytes(data)
    text = io.BytesIO(b"the cat")
    with pytest.raises(FormatError, match=r"vocab\.txt: "):
        build_cooc(text, tmp_path / "cooc", vocab=tmp_path / "vocab.txt")
    assert text.tell() == 0


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"min_count": 0}, "--min-count: 0"),
        ({"min_count": -1}, "--min-count: -1"),
        ({"min_count": 1.5}, "--min-count: 1.5"),
        ({"min_count": "5"}, "--min-count: '5'"),
        ({"min_count": True}, "--min-count: True"),
        ({"max_vocab": 0}, "--max-vocab: 0"),
        ({"window": 0}, "--window: 0"),
        ({"window": float("nan")}, "--window: nan"),
        ({"window": 10**9}, "--window: 1000000000"),
        ({"context": "both"}, "--context: 'both'"),
        ({"weighting": "cubic"}, "--weighting: 'cubic'"),
        ({"lowercase": "yes"}, "--lowercase: 'yes'"),
        ({"threads": 0}, "--threads: 0"),
        ({"threads": "two"}, "--threads: 'two'"),
        ({"threads": 10**20}, "--threads: 100000000000000000000 are too many"),
        ({"wndow": 5}, "wndow: is not an option"),
        ({"vocab": "vocab.txt", "min_count": 2}, "--vocab: "),
        ({"vocab": "vocab.txt", "max_vocab": 2}, "--vocab: "),
    ],
)
def test_options_that_cannot_work_are_refused_before_the_text_is_read(tmp_path: Path, options: dict, name: str) -> None:
    text = io.BytesIO(b"the cat")
    with pytest.raises(OptionError, match=name) as caught:
        build_cooc(text, tmp_path / "cooc", **options)
    assert caught.value.exit_code == 2
    assert text.tell() == 0
    assert os.listdir(tmp_path) == []


def test_an_existing_matrix_is_kept_unless_forced(corpus: Path, tmp_path: Path) -> None:
    build_cooc(corpus, tmp_path / "cooc", min_count=1)
    before = file_hashes(tmp_path / "cooc", leave_out=())
    text = io.BytesIO(b"the cat")
    with pytest.raises(OutputError, match=r"cooc: already exists\. Use --force"):
        build_cooc(text, tmp_path / "cooc", min_count=1)
    assert text.tell() == 0
    with pytest.raises(CorpusError):
        build_cooc(corpus, tmp_path / "cooc", min_count=100, force=True)
    assert file_hashes(tmp_path / "cooc", leave_out=()) == before
    build_cooc(corpus, tmp_path / "cooc", min_count=2, force=True)
    assert load_cooc(tmp_path / "cooc").V == 2
    assert sorted(os.listdir(tmp_path)) == ["cooc", "corpus.txt"]


@pytest.mark.parametrize("stage", ["reading", "counting"])
@pytest.mark.parametrize("chunk", [2, 1000])
def test_an_interruption_leaves_no_file_and_loses_nothing(corpus: Path, tmp_path: Path, stage: str, chunk: int) -> None:
    build_cooc(corpus, tmp_path / "cooc", min_count=1)
    before = file_hashes(tmp_path / "cooc", leave_out=())

    def interrupt(now: str, done: int, total: int | None, unit: str) -> None:
        if now == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cooc(corpus, tmp_path / "cooc", min_count=1, force=True, progress=interrupt, _chunk_tokens=chunk)
    assert file_hashes(tmp_path / "cooc", leave_out=()) == before
    assert sorted(os.listdir(tmp_path)) == ["cooc", "corpus.txt"]


def test_a_failing_kernel_is_not_swallowed(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(passes, "count_chunk", fail)
    with pytest.raises(MemoryError):
        build_cooc(corpus, tmp_path / "cooc", min_count=1)
    assert os.listdir(tmp_path) == ["corpus.txt"]


# --- a matrix on disk that is not one -------------------------------------------------------------------------------


@pytest.fixture
def matrix(corpus: Path, tmp_path: Path) -> Path:
    return build_cooc(corpus, tmp_path / "cooc", min_count=1).path


@pytest.mark.parametrize("name", ["indptr.npy", "indices.npy", "data.npy", "vocab.txt"])
def test_files_cut_short_or_missing_are_refused(matrix: Path, name: str) -> None:
    data = (matrix / name).read_bytes()
    (matrix / name).write_bytes(data[:-1])
    with pytest.raises(FormatError, match=f"{name}: has "):
        load_cooc(matrix)
    (matrix / name).unlink()
    with pytest.raises(FormatError, match=f"{name}: can't be read"):
        load_cooc(matrix)


def replace(matrix: Path, name: str, array: np.ndarray) -> None:
    """Put another array into a matrix, with sizes that agree."""
    np.save(matrix / f"{name}.npy", array)
    describe_again(matrix, f"{name}.npy")


@pytest.mark.parametrize("name", ["indptr", "indices", "data"])
def test_files_that_disagree_are_refused(matrix: Path, name: str) -> None:
    array = np.load(matrix / f"{name}.npy")
    replace(matrix, name, array[:-1])
    with pytest.raises(FormatError, match=f"{name}.npy: "):
        load_cooc(matrix)
    replace(matrix, name, array.astype(np.int16))
    with pytest.raises(FormatError, match=f"{name}.npy: holds int16"):
        load_cooc(matrix)


def test_row_bounds_that_go_back_are_refused(matrix: Path) -> None:
    indptr = np.load(matrix / "indptr.npy")
    replace(matrix, "indptr", indptr[::-1].copy())
    with pytest.raises(FormatError, match=r"indptr\.npy: doesn't fit"):
        load_cooc(matrix)


@pytest.mark.parametrize("column", [-1, 4, 2**31 - 1])
def test_a_column_that_no_word_has_is_not_given_to_scipy(matrix: Path, column: int) -> None:
    indices = np.load(matrix / "indices.npy")
    assert load_cooc(matrix).V == 4
    indices[0] = column
    replace(matrix, "indices", indices)
    with pytest.raises(FormatError, match=r"indices\.npy: names a word beyond the 4 words"):
        load_cooc(matrix).to_scipy()


def test_a_changed_byte_is_found_when_asked(matrix: Path) -> None:
    data = bytearray((matrix / "data.npy").read_bytes())
    data[-1] ^= 64
    (matrix / "data.npy").write_bytes(data)
    cooc = load_cooc(matrix)
    with pytest.raises(FormatError, match=r"data\.npy: was changed"):
        cooc.verify()


def test_no_matrix_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"does not exist\. Make a matrix with `glove build-cooc CORPUS`"):
        load_cooc(tmp_path / "cooc")
    with pytest.raises(GloveError):
        load_cooc(tmp_path)
