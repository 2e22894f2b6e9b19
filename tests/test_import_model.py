"""Models of the reference's vectors.bin and gradsq.bin: nothing is lost, and wrong files are one clear line."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import SharedData
from test_cli_build_cooc import fails, glove

from glove_cli import (
    FormatError,
    GloveModel,
    OptionError,
    OutputError,
    Vocab,
    export_vectors,
    import_model,
    load_model,
    read_history,
)
from glove_cli.vectors import reference_model

V, D = 5, 3
WORDS = ["the", "cat", "\udcff", "sat", "mat"]
VALUES = ("W", "C", "b_w", "b_c")
SUMS = ("gradsq_W", "gradsq_C", "gradsq_b_w", "gradsq_b_c")
BIAS_SUMS = SUMS[2:]


def split(numbers: np.ndarray, V: int) -> list[np.ndarray]:
    """Return a file's numbers as the matrices of words and contexts, then the biases of both."""
    sides = numbers.reshape(2, V, -1)
    return [sides[0, :, :-1], sides[1, :, :-1], sides[0, :, -1], sides[1, :, -1]]


def numbers_of(path: Path) -> np.ndarray:
    return np.frombuffer(path.read_bytes(), "<f8")


def change(path: Path, *changes: tuple[int, float]) -> None:
    """Put other numbers at some places of a file."""
    numbers = numbers_of(path).copy()
    for place, number in changes:
        numbers[place] = number
    path.write_bytes(numbers.tobytes())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with vectors.bin, gradsq.bin and vocab.txt of a small model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    rng = np.random.default_rng(1)
    (tmp_path / "vectors.bin").write_bytes(rng.normal(size=2 * V * (D + 1)).astype("<f8").tobytes())
    (tmp_path / "gradsq.bin").write_bytes((1 + rng.random(2 * V * (D + 1))).astype("<f8").tobytes())
    Vocab(WORDS, np.arange(V, 0, -1)).save(tmp_path / "vocab.txt")
    return tmp_path


@pytest.fixture
def reference(tmp_path: Path, shared_data: SharedData) -> Path:
    """A folder with what the reference wrote after three iterations, under its own names."""
    place = tmp_path / "reference"
    place.mkdir()
    for name, own in (
        ("vocab800.txt", "vocab.txt"),
        ("train800.003.bin", "vectors.bin"),
        ("train800.gradsq.003.bin", "gradsq.bin"),
    ):
        (place / own).write_bytes(shared_data.bytes(f"stanford/{name}"))
    return place


# --- what comes out -------------------------------------------------------------------------------------------------


def test_every_number_of_the_reference_comes_back_to_the_last_bit(tmp_path: Path, reference: Path) -> None:
    model = import_model(reference / "vectors.bin", tmp_path / "model")
    assert (len(model.vocab), model.dim, model.dtype) == (800, 16, np.dtype(np.float64))
    assert model.vocab == Vocab.load(reference / "vocab.txt")
    for file, names in (("vectors.bin", VALUES), ("gradsq.bin", SUMS)):
        for name, array in zip(names, split(numbers_of(reference / file), 800), strict=True):
            assert getattr(model, name).dtype == np.float64
            assert np.array_equal(getattr(model, name), array)


def test_the_text_of_an_imported_model_is_the_one_that_the_reference_wrote(
    tmp_path: Path, reference: Path, shared_data: SharedData
) -> None:
    import_model(reference / "vectors.bin", tmp_path / "model")
    export_vectors(tmp_path / "model", tmp_path / "v.txt")
    assert (tmp_path / "v.txt").read_bytes() == shared_data.bytes("stanford/train800.txt")


def test_an_imported_model_is_a_model_like_any_other(folder: Path) -> None:
    model = import_model("vectors.bin", "run/model")
    loaded = load_model("run")
    assert loaded.meta == model.meta
    loaded.save("again")
    again = GloveModel.load("again")
    for name in (*VALUES, *SUMS):
        assert np.array_equal(getattr(again, name), getattr(model, name))
        assert (folder / "again" / f"{name}.npy").read_bytes() == (folder / "run/model" / f"{name}.npy").read_bytes()
    described = [json.loads((folder / name / "meta.json").read_text()) for name in ("run/model", "again")]
    assert described[0] == described[1]


def test_float32_rounds_all_but_the_sums_of_the_biases(folder: Path) -> None:
    exact, rounded = import_model("vectors.bin", "exact"), import_model("vectors.bin", "rounded", dtype="float32")
    assert rounded.dtype == np.float32
    for name in (*VALUES, *SUMS):
        dtype = np.float64 if name in BIAS_SUMS else np.float32
        assert getattr(rounded, name).dtype == dtype
        assert np.array_equal(getattr(rounded, name), getattr(exact, name).astype(dtype))
    assert "dtype" not in json.loads((folder / "rounded" / "meta.json").read_text())


def test_an_imported_model_has_no_history(folder: Path) -> None:
    import_model(folder / "vectors.bin", folder / "model")
    with pytest.raises(FormatError, match="was imported, without a history"):
        read_history(folder / "model")


def test_a_model_says_what_it_was_imported_from(folder: Path) -> None:
    model = import_model("vectors.bin", "model")
    assert model.meta == {
        "imported": {
            part: {
                "path": f"{part}.bin",
                "bytes": 2 * V * (D + 1) * 8,
                "sha256": hashlib.sha256((folder / f"{part}.bin").read_bytes()).hexdigest(),
            }
            for part in ("vectors", "gradsq")
        }
    }


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_without_squared_gradients_their_sums_are_1(folder: Path, dtype: str) -> None:
    (folder / "gradsq.bin").unlink()
    model = import_model("vectors.bin", "model", dtype=dtype)
    for name, shape in zip(SUMS, ((V, D), (V, D), (V,), (V,)), strict=True):
        array = getattr(model, name)
        assert array.dtype == ("float64" if name in BIAS_SUMS else dtype)
        assert np.array_equal(array, np.ones(shape))
    assert model.meta["imported"]["gradsq"] is None


def test_the_squared_gradients_of_an_iteration_go_with_its_vectors(folder: Path) -> None:
    (folder / "vectors.003.bin").write_bytes((folder / "vectors.bin").read_bytes())
    assert import_model("vectors.003.bin", "a").meta["imported"]["gradsq"] is None
    numbers = 7 + numbers_of(folder / "gradsq.bin")
    (folder / "gradsq.003.bin").write_bytes(numbers.tobytes())
    assert np.array_equal(import_model("vectors.003.bin", "b").gradsq_C, split(numbers, V)[1])
    (folder / "mine.bin").write_bytes((folder / "vectors.bin").read_bytes())
    assert import_model("mine.bin", "c").meta["imported"]["gradsq"]["path"] == "gradsq.bin"


def test_files_may_have_any_name_and_words_may_be_given(folder: Path) -> None:
    for name in ("vectors.bin", "gradsq.bin"):
        (folder / name).rename(f"my-{name}")
    (folder / "vocab.txt").unlink()
    vocab = Vocab(list("abcde"), np.arange(V, 0, -1))
    model = import_model("my-vectors.bin", "model", vocab=vocab, gradsq=folder / "my-gradsq.bin")
    assert model.vocab == vocab
    assert np.array_equal(model.gradsq_W, split(numbers_of(folder / "my-gradsq.bin"), V)[0])


@pytest.mark.parametrize("chunk", [1, 4, 8, 12, 19, 20, 1000])
def test_the_model_is_the_same_whatever_is_read_at_a_time(folder: Path, chunk: int) -> None:
    whole, pieces = import_model("vectors.bin", "whole"), import_model("vectors.bin", "pieces", _chunk_numbers=chunk)
    for name in (*VALUES, *SUMS):
        assert np.array_equal(getattr(pieces, name), getattr(whole, name))
    assert pieces.meta == whole.meta


def test_progress_ends_with_all_rows(folder: Path) -> None:
    for name in ("with", "without"):
        calls: list[tuple[str, int, int | None, str]] = []
        import_model("vectors.bin", name, progress=lambda *call, calls=calls: calls.append(call), _chunk_numbers=8)
        assert [done for _, done, _, _ in calls] == sorted({done for _, done, _, _ in calls})
        assert calls[-1] == ("importing", 4 * V, 4 * V, "row")
        (folder / "gradsq.bin").unlink(missing_ok=True)


def test_memory_does_not_grow_with_the_files(folder: Path) -> None:
    rows = 20_000
    Vocab([f"w{i}" for i in range(rows)], np.arange(rows, 0, -1)).save("many.txt")
    vocab = Vocab.load("many.txt")
    np.ones((2 * rows, 101)).tofile("many.bin")
    tracemalloc.start()
    import_model("many.bin", "model", vocab=vocab, gradsq="many.bin", _chunk_numbers=1 << 14)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert os.path.getsize("many.bin") == 2 * rows * 101 * 8  # 32 MB
    assert peak < 8e6


# --- the command ----------------------------------------------------------------------------------------------------


def test_a_model_is_imported_and_described(folder: Path) -> None:
    result = glove("import-model", "vectors.bin")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    lines = dict(re.split(" {2,}", line, maxsplit=1) for line in result.stdout.splitlines())
    assert lines.pop("time")
    assert re.fullmatch(r"[\d.]+ k?B", lines.pop("size"))
    assert lines == {
        "words": "5",
        "dimensions": "3",
        "data type": "float64",
        "squared gradients": "gradsq.bin",
        "model": "glove-run/model",
    }
    text = glove("info").stdout
    for line in (
        "dimensions +3",
        "data type +float64",
        "epochs +unknown",
        "cost +unknown",
        r"from +vectors\.bin, grad",
    ):
        assert re.search(rf"^  {line}", text, re.M), text
    assert glove("info", "--verify").exit_code == 0
    assert "cosine" in glove("nearest", "cat").stdout
    assert glove("export", "-").stdout.startswith("the ")


def test_a_model_beside_a_matrix_is_not_called_another_matrixs(folder: Path) -> None:
    (folder / "corpus.txt").write_text("the cat sat\n")
    assert glove("build-cooc", "corpus.txt", "--min-count", "1").exit_code == 0
    assert glove("import-model", "vectors.bin").exit_code == 0
    result = glove("info")
    assert result.exit_code == 0, result.output
    assert "not the matrix of this run" not in result.stdout
    model = json.loads(glove("info", "--json").stdout)["parts"][1]
    assert (model["from"], model["epochs"], model["dtype"]) == ({}, None, "float64")
    assert model["imported"]["vectors"]["path"] == "vectors.bin"


def test_missing_squared_gradients_are_noted(folder: Path) -> None:
    (folder / "gradsq.bin").unlink()
    result = glove("import-model", "vectors.bin")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"Note: .*their sums start at 1.*faster than it should\..*--gradsq\.\n", result.stderr)
    assert re.search(r"squared gradients +none\n", result.stdout)


def test_every_option_reaches_the_library(folder: Path) -> None:
    for name in ("vectors.bin", "gradsq.bin", "vocab.txt"):
        (folder / name).rename(f"my-{name}")
    import_model("my-vectors.bin", "mine", vocab="my-vocab.txt")
    given = ["--vocab", "my-vocab.txt", "--gradsq", "my-gradsq.bin", "--dtype", "float32"]
    result = glove("import-model", "my-vectors.bin", *given, "-o", "mine", "--force")
    assert result.exit_code == 0, result.output
    theirs = import_model("my-vectors.bin", "theirs", vocab="my-vocab.txt", gradsq="my-gradsq.bin", dtype="float32")
    mine = GloveModel.load("mine")
    assert mine.meta == theirs.meta
    assert mine.dtype == np.float32
    assert glove("import-model", "my-vectors.bin", *given, "--run", "other").exit_code == 0
    assert load_model("other").meta == theirs.meta


# --- wrong input ----------------------------------------------------------------------------------------------------


def cut(path: str, size: int) -> Callable[[], None]:
    return lambda: os.truncate(path, size)


def write(path: str, data: bytes) -> Callable[[], object]:
    return lambda: Path(path).write_bytes(data)


SIZE = 2 * V * (D + 1) * 8
TEXT = b"the 0.1 0.2 0.3\ncat 0.1 0.2 0.3\n"
WRONG = {
    "no file": (
        lambda: Path("vectors.bin").unlink(),
        r"vectors\.bin: does not exist\. Name a vectors\.bin of the original tools\.",
    ),
    "a folder": (lambda: (Path("vectors.bin").unlink(), Path("vectors.bin").mkdir()), r"vectors\.bin: is not a file\."),
    "an empty file": (cut("vectors.bin", 0), r"vectors\.bin: is empty\. Name a vectors\.bin"),
    "a file cut within a number": (
        cut("vectors.bin", SIZE - 1),
        r"vectors\.bin: has 319 bytes, which is not a multiple of the 80 .* of 5 words .*: it is cut short, or",
    ),
    "a file cut within a row": (cut("vectors.bin", SIZE - 8), r"vectors\.bin: has 312 bytes, which is not a multiple"),
    "a file cut by one number a row": (
        cut("vectors.bin", SIZE - 80),
        r"gradsq\.bin: has 320 bytes, vectors\.bin 240: they are not of one model\. Name its own with --gradsq\.",
    ),
    "a file with no more than biases": (
        cut("vectors.bin", 80),
        r"vectors\.bin: has 80 bytes, which leaves no vectors beside the biases of 5 words and contexts: .*--vocab\.",
    ),
    "a longer vocabulary": (
        write("vocab.txt", b"".join(b"w%d 1\n" % i for i in range(41))),
        r"vectors\.bin: has 320 bytes, which is not a multiple of the 656 .* of 41 words .*name its words with --vocab",
    ),
    "text": (
        write("vectors.bin", TEXT),
        r"vectors\.bin: begins as text, 'the 0\.1 0\.2 0\.3', not as the binary numbers of the original tools\. .*",
    ),
    "text with a bad byte": (
        write("vectors.bin", b"\xff 0.5\n" + TEXT),
        r"vectors\.bin: begins as text, '\\\\xff 0\.5', not as",
    ),
    "word2vec's binary": (
        write("vectors.bin", b"1 2\nthe " + bytes(8)),
        r"vectors\.bin: begins as text, '1 2', not as .* nearest --model` reads them",
    ),
    "text as squared gradients": (
        write("gradsq.bin", TEXT),
        r"gradsq\.bin: begins as text, .*Name a gradsq\.bin of the original tools\.",
    ),
    "no vocabulary": (
        lambda: Path("vocab.txt").unlink(),
        r"vocab\.txt: does not exist, so the words of vectors\.bin are unknown\. Name them with --vocab\.",
    ),
    "numbers that are not finite": (
        lambda: change(Path("vectors.bin"), (5, np.nan), (7, np.inf), (39, -np.inf)),
        r"vectors\.bin: 3 of its numbers are not finite, the first nan in the word row of 'cat'\. Its training",
    ),
    "a bias that is not finite": (
        lambda: change(Path("vectors.bin"), (39, -np.inf)),
        r"vectors\.bin: 1 of its numbers are not finite, the first -inf in the context row of 'mat'\.",
    ),
    "squared gradients that are not finite": (
        lambda: change(Path("gradsq.bin"), (0, np.inf), (1, np.nan)),
        r"gradsq\.bin: 2 of its numbers are below 1 or not finite, the first inf in the word row of 'the'\.",
    ),
    "squared gradients below 1": (
        lambda: change(Path("gradsq.bin"), (23, 0.5), (24, 1.0), (25, -2.0)),
        r"gradsq\.bin: 2 of its numbers are below 1 or not finite, the first 0\.5 in the context row of 'the'\.",
    ),
    "squared gradients of another size": (
        cut("gradsq.bin", SIZE - 80),
        r"gradsq\.bin: has 240 bytes, vectors\.bin 320: they are not of one model\.",
    ),
    "empty squared gradients": (cut("gradsq.bin", 0), r"gradsq\.bin: is empty\. Name a gradsq\.bin"),
    "squared gradients that are the vectors": (
        lambda: Path("gradsq.bin").write_bytes(Path("vectors.bin").read_bytes()),
        r"gradsq\.bin: \d+ of its numbers are below 1",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_one_line_and_leaves_nothing(folder: Path, wrong: str) -> None:
    make, message = WRONG[wrong]
    make()
    fails(glove("import-model", "vectors.bin", "-o", "model"), 1, message)
    assert not (set(os.listdir(folder)) - {"vectors.bin", "gradsq.bin", "vocab.txt"})


@pytest.mark.parametrize("chunk", [4, 1000])
def test_wrong_numbers_are_counted_in_all_pieces(folder: Path, chunk: int) -> None:
    change(folder / "vectors.bin", (5, np.nan), (7, np.inf), (39, -np.inf))
    with pytest.raises(FormatError, match="3 of its numbers are not finite, the first nan in the word row of 'cat'"):
        import_model("vectors.bin", "model", _chunk_numbers=chunk)


def test_files_that_were_named_and_are_missing(folder: Path) -> None:
    fails(glove("import-model", "vectors.bin", "--gradsq", "g"), 1, r"g: does not exist\. Name a gradsq\.bin")
    fails(glove("import-model", "vectors.bin", "--vocab", "w"), 1, "w: can't be read: No such file")
    fails(glove("import-model", "vectors.bin", "--dtype", "float16"), 2, "--dtype: 'float16' is not one of 'float64'")
    with pytest.raises(OptionError, match=r"--dtype: 'float16' is not known\. Choose from float32, float64\."):
        import_model("vectors.bin", "model", dtype="float16")


def test_a_number_too_large_for_float32_needs_float64(folder: Path) -> None:
    change(folder / "vectors.bin", (2, 1e39), (39, -1e300))
    assert import_model("vectors.bin", "exact").W[0, 2] == 1e39
    message = r"vectors\.bin: 2 of its numbers are too large for float32, the first 1e\+39 in the word row of 'the'\. "
    fails(glove("import-model", "vectors.bin", "--dtype", "float32"), 1, message + r"Use --dtype float64\.")


def test_only_a_bias_may_have_a_sum_of_squares_too_large_for_float32(folder: Path) -> None:
    change(folder / "gradsq.bin", (3, 1e39))
    assert import_model("vectors.bin", "biases", dtype="float32").gradsq_b_w[0] == 1e39
    change(folder / "gradsq.bin", (4, 1e39))
    with pytest.raises(FormatError, match=r"gradsq\.bin: 1 of its numbers are too large for float32"):
        import_model("vectors.bin", "model", dtype="float32")


def test_an_output_that_exists_is_kept(folder: Path) -> None:
    first = glove("import-model", "vectors.bin")
    assert first.exit_code == 0, first.output
    fails(glove("import-model", "vectors.bin"), 1, r"glove-run/model: already exists\. Use --force")
    fails(glove("import-model", "nothing.bin"), 1, r"glove-run/model: already exists\. Use --force")  # before reading
    change(folder / "vectors.bin", (0, np.nan))
    fails(glove("import-model", "vectors.bin", "--force"), 1, r"vectors\.bin: 1 of its numbers are not finite")
    assert np.isfinite(load_model("glove-run").W).all()
    change(folder / "vectors.bin", (0, 7.0))
    assert glove("import-model", "vectors.bin", "--force").exit_code == 0
    assert load_model("glove-run").W[0, 0] == 7.0
    with pytest.raises(OutputError, match=r"vectors\.bin: is not a result of glove"):
        import_model("vectors.bin", "vectors.bin", force=True)


def test_a_file_that_becomes_shorter_meanwhile_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = reference_model.size_of

    def shortened(path: Path, remedy: str) -> int:
        size = before(path, remedy)
        os.truncate(path, size - 8)
        return size

    (folder / "gradsq.bin").unlink()
    monkeypatch.setattr(reference_model, "size_of", shortened)
    with pytest.raises(FormatError, match=r"vectors\.bin: became shorter while it was read\. Import it again\."):
        import_model("vectors.bin", "model")
    assert not (folder / "model").exists()


def test_a_file_that_may_not_be_read_is_refused(as_ordinary_user: Path) -> None:
    path = as_ordinary_user / "vectors.bin"
    path.write_bytes(bytes(64))
    path.chmod(0)
    vocab = Vocab(["a"], np.array([1]))
    with pytest.raises(FormatError, match=r"vectors\.bin: can't be read: Permission denied\. Name a vectors\.bin"):
        import_model(path, as_ordinary_user / "model", vocab=vocab)


@pytest.mark.parametrize("V", [1, 2, 4])
def test_small_files_of_any_numbers_are_not_taken_for_text(V: int) -> None:
    rng = np.random.default_rng(V)
    heads = [rng.normal(size=4 * V).astype("<f8").tobytes() for _ in range(3000)]
    assert not any(reference_model.is_text(head) for head in heads)
    assert any(all(byte > 31 for byte in head) for head in heads) == (V < 4)  # so that alone would not do
