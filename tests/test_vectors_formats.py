"""word2vec binary, NumPy, and the choice of a format by name and by content."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.vectors import npy, word2vec_binary
from glove_cli.vectors.formats import _SUFFIXES, FORMATS, find_format, format_of_content, format_of_name
from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.names import EXPORT_NAMES, FOLDER_NAMES, FORMAT_NAMES
from glove_cli.vocab import word_from_bytes

WORD = st.binary(min_size=1, max_size=6).filter(lambda word: not set(word) & set(b" \t\n"))
SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
# -0.0, the smallest and the largest float32, and numbers between.
ODD = np.array([[-0.0, 1e-45, 3.4028235e38], [0.1, -1e-7, 123456.79]], np.float32)


@settings(deadline=None)
@given(st.lists(WORD, min_size=1, max_size=8, unique=True), st.integers(1, 4), st.data())
@pytest.mark.parametrize("name", ["word2vec-binary", "npy", "gensim", "safetensors", "parquet"])
def test_binary_formats_give_back_every_bit(
    tmp_path_factory: pytest.TempPathFactory, name: str, words: list[bytes], dim: int, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.lists(SINGLE, min_size=dim, max_size=dim), min_size=len(words), max_size=len(words)))
    matrix = np.array(values, np.float32)
    path = tmp_path_factory.mktemp("binary") / "v"
    names = [word_from_bytes(word) for word in words]
    FORMATS[name].write(path, names, matrix)
    read, again = FORMATS[name].read(path)
    assert read == names
    assert again.tobytes() == matrix.tobytes()


def test_word2vec_binary_has_the_documented_bytes() -> None:
    file = io.BytesIO()
    word2vec_binary.write(file, ["a", "\udcff"], np.array([[1.0], [-2.0]]))
    assert file.getvalue() == b"2 1\na " + np.float32(1).tobytes() + b"\n\xff " + np.float32(-2).tobytes() + b"\n"


def test_word2vec_binary_without_line_ends_is_read(tmp_path: Path) -> None:
    rows = ODD.astype("<f4")
    (tmp_path / "v.bin").write_bytes(b"2 3\na " + rows[0].tobytes() + b"b " + rows[1].tobytes())
    words, matrix = word2vec_binary.read(tmp_path / "v.bin")
    assert (words, matrix.tobytes()) == (["a", "b"], ODD.tobytes())


def test_word2vec_binary_numbers_may_hold_any_byte(tmp_path: Path) -> None:
    matrix = np.frombuffer(b"\n\n\n\n    \n a\n", np.float32)[np.newaxis]
    word2vec_binary.write(tmp_path / "v.bin", ["a"], matrix)
    assert word2vec_binary.read(tmp_path / "v.bin")[1].tobytes() == matrix.tobytes()


def one(value: float) -> bytes:
    return np.float32(value).tobytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"a b\n", "does not begin with its numbers of words and dimensions"),
        (b"2 1", "does not begin"),
        (b"0 1\n", "does not begin"),
        (b"2 1\na " + one(1) + b"\n", "it is too short for them"),
        (b"1 999999999999999\na " + one(1), "it is too short for them"),
        (b"2 1\naaaaa " + one(1) + b"\nb " + one(1)[:3], "ends within word 2 of 2"),
        (b"2 1\naaaaaaaaaaaaaaaaaaaaaaaaaaaa " + one(1) + b"\nb", "ends within word 2 of 2"),
        (b"1 1\na " + one(1) + b"\nb " + one(1) + b"\n", "holds more than the 1 words"),
        (b"2 1\na " + one(1) + b"\na " + one(1) + b"\n", "word 2 repeats the word of word 1"),
        (b"2 1\na " + one(1) + b"\nb " + one(np.nan) + b"\n", "word 2 has a number that isn't finite: 'b'"),
        (b"1 1\n " + one(1) + b"\n", "word 1 is empty"),
    ],
)
def test_word2vec_binary_files_that_are_wrong_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "v.bin").write_bytes(data)
    with pytest.raises(FormatError, match=rf"v\.bin: .*{message}"):
        word2vec_binary.read(tmp_path / "v.bin")


@pytest.mark.parametrize("word", ["a b", "a\nb", ""])
def test_word2vec_binary_refuses_words_it_cannot_hold(tmp_path: Path, word: str) -> None:
    with pytest.raises(FormatError, match=r"the format can't|is empty"):
        word2vec_binary.write(tmp_path / "v.bin", [word], np.ones((1, 1)))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["word2vec-binary", "npy", "gensim", "safetensors", "parquet"])
def test_numbers_too_large_for_32_bits_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError, match="too large for 32 bits"):
        FORMATS[name].write(tmp_path / "v", ["a"], np.array([[1e39]]))
    assert os.listdir(tmp_path) == []


# --- NumPy ----------------------------------------------------------------------------------------------------------


def test_npy_makes_two_plain_files(tmp_path: Path) -> None:
    npy.write(tmp_path / "v.npy", ["a b", "\udcff"], ODD.astype(np.float64))
    assert np.load(tmp_path / "v.npy").tobytes() == ODD.tobytes()
    assert (tmp_path / "v.words.txt").read_bytes() == b"a b\n\xff\n"
    assert npy.words_path("dir/v.npy") == Path("dir/v.words.txt")


def test_npy_goes_to_no_stream(tmp_path: Path) -> None:
    for out in (io.BytesIO(), "/dev/null"):
        with pytest.raises(OptionError, match="npy makes two files"):
            npy.write(out, ["a"], np.ones((1, 1)))


@pytest.mark.parametrize("name", ["v.npy", "v.words.txt"])
def test_npy_keeps_either_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(OutputError, match=rf"{name}: already exists"):
        npy.write(tmp_path / "v.npy", ["a"], np.ones((1, 1)))
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("array", "words", "message"),
    [
        (np.ones((2, 2)), b"a\n", r"v\.words\.txt: holds 1 words, .*v\.npy 2 vectors"),
        (np.ones((2, 2)), b"a\na\n", "line 2 repeats the word of line 1"),
        (np.ones((2, 2)), None, r"v\.words\.txt: can't be read: No such file"),
        (np.ones(2), b"a\nb\n", "is not a matrix of floats"),
        (np.ones((2, 2), int), b"a\nb\n", "is not a matrix of floats"),
        (np.ones((0, 2)), b"", "is not a matrix of floats"),
        (np.array([[1.0], [np.nan]]), b"a\nb\n", "the vector of 'b' isn't finite"),
        (np.array([[1.0], [1e39]]), b"a\nb\n", "the vector of 'b' isn't finite"),
        (np.array([["x"]], object), b"a\n", "can't be read"),
    ],
)
def test_npy_files_that_are_wrong_are_refused(
    tmp_path: Path, array: np.ndarray, words: bytes | None, message: str
) -> None:
    np.save(tmp_path / "v.npy", array)
    if words is not None:
        (tmp_path / "v.words.txt").write_bytes(words)
    with pytest.raises(FormatError, match=message):
        npy.read(tmp_path / "v.npy")


@pytest.mark.parametrize(("part", "wrong"), [(b"'shape'", b"(shape'"), (b", }", b", :"), (b"\x93", b"\x94")])
def test_npy_with_a_damaged_header_is_refused(tmp_path: Path, part: bytes, wrong: bytes) -> None:
    npy.write(tmp_path / "v.npy", ["a", "b"], ODD)
    data = (tmp_path / "v.npy").read_bytes()
    (tmp_path / "v.npy").write_bytes(data.replace(part, wrong, 1))
    with pytest.raises(FormatError, match=r"v\.npy: can't be read"):
        npy.read(tmp_path / "v.npy")


def test_npy_cut_short_is_refused(tmp_path: Path) -> None:
    npy.write(tmp_path / "v.npy", ["a", "b"], ODD)
    data = (tmp_path / "v.npy").read_bytes()
    (tmp_path / "v.npy").write_bytes(data[:-1])
    with pytest.raises(FormatError, match=r"v\.npy: can't be read"):
        npy.read(tmp_path / "v.npy")


# --- which format ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vectors.txt", "glove"),
        ("vectors", "glove"),
        ("vectors.bin", "word2vec-binary"),
        ("VECTORS.BIN", "word2vec-binary"),
        ("vectors.vec", "word2vec"),
        ("vectors.w2v", "word2vec"),
        ("vectors.npy", "npy"),
        ("vectors.kv", "gensim"),
        ("vectors.safetensors", "safetensors"),
        ("vectors.parquet", "parquet"),
        ("npy", "glove"),
        ("v.npy.txt", "glove"),
    ],
)
def test_the_name_says_the_format(name: str, expected: str) -> None:
    assert format_of_name(name).name == expected
    assert format_of_name(Path("dir.bin") / name).name == expected


@pytest.mark.parametrize("name", ["vectors.json", "vectors.NPZ", "vectors.tsv.gz"])
def test_a_name_that_promises_another_kind_of_file_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match=r"no format that ends in \.(json|NPZ|tsv) is written"):
        format_of_name(name)


def test_a_stream_is_glove_text() -> None:
    assert format_of_name(io.BytesIO()).name == "glove"


def test_an_unknown_format_is_refused() -> None:
    assert [find_format(name).name for name in FORMATS] == list(FORMATS) == [*FORMAT_NAMES, *FOLDER_NAMES]
    assert set(EXPORT_NAMES) - set(FORMATS) == {"fasttext"}
    assert find_format("fasttext") is FORMATS["word2vec"]
    with pytest.raises(OptionError, match="--format: 'word3vec' is not one of glove, "):
        find_format("word3vec")


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("dim", [1, 3, 300])
@pytest.mark.parametrize("words", [["a", "b"], ["1", "2"], ["\udcff", "\x00\x01"]])
def test_the_content_says_the_format(tmp_path: Path, name: str, dim: int, words: list[str]) -> None:
    path = tmp_path / "misleading.npy"
    matrix = np.random.default_rng(dim).normal(size=(2, dim)).astype(np.float32)
    FORMATS[name].write(path, words, matrix)
    assert format_of_content(path).name == name
    read = load_vectors(path)
    assert read.words == words
    assert np.abs(read.matrix - matrix).max() <= 6e-7
    assert np.array_equal(load_vectors(path, format=name).matrix, read.matrix)


def test_all_zeros_in_binary_are_recognised(tmp_path: Path) -> None:
    word2vec_binary.write(tmp_path / "v", ["a"], np.zeros((1, 2)))
    assert format_of_content(tmp_path / "v").name == "word2vec-binary"


def test_a_pipe_is_not_read_twice(tmp_path: Path) -> None:
    # The first reading would take lines from the second one, or the second opening would wait for ever.
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(FormatError, match=r"pipe: is not a file that can be read twice\. Save it as a file"):
        load_vectors(path)


def test_nothing_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"v\.txt: does not exist\. Name a file of word vectors"):
        load_vectors(tmp_path / "v.txt")
    (tmp_path / "v.txt").write_bytes(b"")
    with pytest.raises(FormatError, match="is empty"):
        load_vectors(tmp_path / "v.txt")


def test_every_format_stands_in_the_document() -> None:
    text = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
    rows = [line.replace("`", "").replace(",", " ").split("|") for line in text.splitlines() if line.startswith("| `")]
    names = [name for row in rows[1:] for name in row[1].split()]
    assert sorted(names) == sorted(EXPORT_NAMES)
    assert {word for row in rows[1:] for word in row[2].split() if word[0] == "."} == set(_SUFFIXES)
