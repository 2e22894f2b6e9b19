"""Text formats: numbers as C prints them, lines split from the right, and what is refused, with its line."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import SharedData
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glove_cli.errors import FormatError, OutputError
from glove_cli.vectors import glove_text, kernels, lines, text, word2vec_text
from glove_cli.vectors.load import load_vectors, read_vectors
from glove_cli.vocab import word_from_bytes, word_to_bytes

# Any bytes but separators, and words with spaces as in published vectors.
PLAIN = st.binary(min_size=1, max_size=6).filter(lambda word: not set(word) & set(b" \t\n"))
WORDS = st.lists(
    PLAIN | st.sampled_from([b". . .", b"at name@domain.com", b"a  b", b" a", b"1 2"]), min_size=1, unique=True
)
SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
DOUBLE = st.floats(allow_nan=False, allow_infinity=False)


def written(words: list[str], rows: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    glove_text.write(file, words, rows, **options)
    return file.getvalue()


def plain_lines(words: list[str], rows: np.ndarray) -> bytes:
    """Return what Python's own formatting makes of the rows."""
    lines = ("".join([f" {x:.6f}" for x in row]) for row in rows.tolist())
    return b"".join(word_to_bytes(w) + line.encode() + b"\n" for w, line in zip(words, lines, strict=True))


# --- writing --------------------------------------------------------------------------------------------------------


@given(st.lists(DOUBLE, min_size=1, max_size=30))
@example([0.0, -0.0, 1e-7, -1e-7, 5e-7, -5e-7, 0.9999995, 9.9999995, 99.9999994, 1e9 - 1e-6, 999999999.9999999])
@example([1e9, -1e9, 1e300, -1e300, 5e-324, 0.1])
def test_doubles_are_written_as_c_does(values: list[float]) -> None:
    rows = np.array([values])
    assert written(["w"], rows) == plain_lines(["w"], rows)


@given(st.lists(SINGLE, min_size=1, max_size=30))
def test_floats_are_written_as_c_does(values: list[float]) -> None:
    rows = np.array([values], np.float32)
    assert written(["w"], rows) == plain_lines(["w"], rows)


@given(st.lists(st.tuples(st.integers(0, 2**30), st.integers(1, 7)), min_size=1, max_size=30))
def test_halves_go_to_the_even_digit(numbers: list[tuple[int, int]]) -> None:
    # An odd multiple of 1/128 lies exactly between two numbers of six decimals; others of these are exact.
    rows = np.array([[(2 * k + 1) / 2**bits for k, bits in numbers]])
    assert written(["w"], rows) == plain_lines(["w"], rows)


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(-2, 2)), min_size=1, max_size=30))
def test_numbers_beside_a_half_go_to_the_nearer_digit(numbers: list[tuple[int, int]]) -> None:
    halves = [(k + 0.5) / 1e6 for k, _ in numbers]  # rounded: some a little above the half, some below
    near = [x + steps * np.spacing(x) for x, (_, steps) in zip(halves, numbers, strict=True)]
    assert written(["w"], np.array([near])) == plain_lines(["w"], np.array([near]))


def test_many_random_numbers_are_written_as_c_does() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3000, 40)) * 10.0 ** rng.integers(-8, 10, size=(3000, 1))
    words = [f"w{i}" for i in range(len(rows))]
    for array in (rows, rows.astype(np.float32)):
        for threads in (1, 3):
            assert written(words, array, threads=threads) == plain_lines(words, array)


def test_rows_of_several_blocks_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glove_cli.vectors.rows._BLOCK_VALUES", 7)
    rows = np.arange(300.0).reshape(100, 3)
    words = [f"w{i}" for i in range(100)]
    assert written(words, rows, threads=3) == plain_lines(words, rows)


def test_the_reference_text_is_written_byte_for_byte(shared_data: SharedData) -> None:
    vocab = [line.split(b" ")[0] for line in shared_data.bytes("stanford/vocab800.txt").splitlines()]
    parameters = np.frombuffer(shared_data.bytes("stanford/train800.003.bin")).reshape(2, len(vocab), -1)[:, :, :-1]
    mean = np.zeros((2, 1, parameters.shape[2]))
    for row in range(len(vocab) - 100, len(vocab)):
        mean[:, 0] += parameters[:, row] / 100
    rows = np.concatenate((parameters, mean), axis=1).sum(axis=0)
    words = [word_from_bytes(word) for word in vocab] + ["<unk>"]
    assert written(words, rows) == shared_data.bytes("stanford/train800.txt")
    read, matrix = glove_text.read(shared_data.path("stanford/train800.txt"))
    assert read == words
    assert np.abs(matrix - rows).max() < 6e-7  # half a unit of the last decimal, and the rounding to float32


def test_each_kernel_has_one_signature(tmp_path: Path) -> None:
    for dtype in (np.float32, np.float64):
        rows = np.ones((2, 3), dtype)
        glove_text.write(tmp_path / f"{dtype.__name__}.txt", ["a", "b"], rows)
        word2vec_text.write(tmp_path / f"{dtype.__name__}.vec", ["a", "b"], rows[:, ::2])
        rows.flags.writeable = False  # as those of a model are
        glove_text.write(tmp_path / f"{dtype.__name__}.txt", ["a", "b"], rows, force=True)
        glove_text.read(tmp_path / f"{dtype.__name__}.txt")
        word2vec_text.read(tmp_path / f"{dtype.__name__}.vec")
    assert len(kernels.format_rows.signatures) == len(kernels.parse_rows.signatures) == 1
    # What a kernel calls is compiled with it, and not at all when it comes from the cache.
    assert len(kernels._parse_value.signatures) <= 1
    assert len(kernels._millionths.signatures) <= 1


def test_a_header_counts_every_line(tmp_path: Path) -> None:
    data = written(["a", "<unk>"], np.ones((2, 1)), header=True)
    assert data == b"2 1\na 1.000000\n<unk> 1.000000\n"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_not_written(tmp_path: Path, value: float) -> None:
    rows = np.ones((3, 2))
    rows[1, 1] = value
    with pytest.raises(FormatError, match=r"the vector of 'b' isn't finite"):
        glove_text.write(tmp_path / "v.txt", ["a", "b", "c"], rows)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", ""], "a word is empty"),
        (["a", "b\nc"], r"'b\\nc' holds '\\n'"),
        (["a", "a"], "'a' stands twice"),
        (["a", "b 0.5"], "'b 0.5' ends in a number"),
        (["a"], "1 words but 2 vectors"),
    ],
)
def test_words_that_could_not_be_read_back_are_not_written(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        glove_text.write(tmp_path / "v.txt", words, np.ones((2, 2)))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="already exists"):
        glove_text.write(path, ["a"], np.ones((1, 1)))
    assert path.read_bytes() == b"mine"
    glove_text.write(path, ["a"], np.ones((1, 1)), force=True)
    assert path.read_bytes() == b"a 1.000000\n"


# --- reading --------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(WORDS, st.integers(1, 4), st.booleans(), st.data())
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, words: list[bytes], dim: int, header: bool, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.lists(SINGLE, min_size=dim, max_size=dim), min_size=len(words), max_size=len(words)))
    rows = np.array(values, np.float32)
    names = [word_from_bytes(word) for word in words]
    path = tmp_path_factory.mktemp("text") / "v.txt"
    # A word with spaces has more fields than others, and without a header most lines must agree.
    header = header or sum(b" " in word for word in words) * 2 >= len(words)
    glove_text.write(path, names, rows, header=header)
    read, matrix = glove_text.read(path)
    assert read == names
    expected = np.array([[float(f"{x:.6f}") for x in row] for row in rows.tolist()]).astype(np.float32)
    assert np.array_equal(matrix, expected)
    assert np.array_equal(np.signbit(matrix), np.signbit(expected))


NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e38, max_value=1e38).map(repr),
    SINGLE.map(repr),
    st.from_regex(r"\A[-+]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][-+]?[0-9]{1,2})?\Z").filter(
        lambda s: abs(float(s)) < 1e38
    ),
)


@given(st.lists(NUMBER, min_size=1, max_size=20))
@example(["8.5e-46", "1.1754943508222875e-38", "16777217", "16777217.000000001", "-0", "+.5", "5.", "1e-23", "1e22"])
@example(["33554433", "33554435", "0.1000000014901161193847656250000000001", "1.00000005960464477539062500000001"])
def test_numbers_are_read_as_numpy_does(numbers: list[str]) -> None:
    parsed = lines.parse_lines(b"w " + " ".join(numbers).encode() + b"\n", len(numbers))
    assert parsed.bad == []
    expected = np.array([float(number) for number in numbers]).astype(np.float32)
    assert parsed.values.tobytes() == expected[np.newaxis].tobytes()


def test_random_numbers_of_any_length_are_read_as_numpy_does() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(500, 20)) * 10.0 ** rng.integers(-30, 30, size=(500, 1))
    for style in ("%.6f", "%.9g", "%.17g", "%.25e", "%r"):
        block = b"".join(
            b"w%d " % i + " ".join([style % x for x in row]).encode() + b"\n" for i, row in enumerate(values.tolist())
        )
        parsed = lines.parse_lines(block, 20)
        expected = np.array([[float(style % x) for x in row] for row in values.tolist()]).astype(np.float32)
        assert parsed.bad == []
        assert np.array_equal(parsed.values, expected)


def read(tmp_path: Path, data: bytes, module: object = glove_text) -> tuple[list[str], list[list[float]]]:
    path = tmp_path / "v.txt"
    path.write_bytes(data)
    words, matrix = module.read(path)
    return words, matrix.tolist()


@pytest.mark.parametrize(
    ("data", "words", "rows"),
    [
        (b"a 1 2\nb 3 4\n", ["a", "b"], [[1, 2], [3, 4]]),
        (b"a 1 2\nb 3 4", ["a", "b"], [[1, 2], [3, 4]]),
        (b"a 1 2 \nb 3 4 \n", ["a", "b"], [[1, 2], [3, 4]]),
        (b"a 1 2\r\nb 3 4\r\n", ["a", "b"], [[1, 2], [3, 4]]),
        (b"a\t1\t2\nb\t3\t4\n", ["a", "b"], [[1, 2], [3, 4]]),
        (b"2 2\na 1 2\nb 3 4\n", ["a", "b"], [[1, 2], [3, 4]]),
        (b"1 2\na 1 2\n<unk> 3 4\n", ["a", "<unk>"], [[1, 2], [3, 4]]),  # the reference's header
        (b"a 1 2\n. . 3 4\nc 5 6\n", ["a", ". .", "c"], [[1, 2], [3, 4], [5, 6]]),
        (b"a 1 2\nroute 66 5.0 6\nb 3 4\n", ["a", "route 66", "b"], [[1, 2], [5, 6], [3, 4]]),
        (b"3 5\n4 6\n", ["3", "4"], [[5], [6]]),  # two integers, but no header
        (b"5 3", ["5"], [[3]]),
        (b"2003 1 2\n2004 3 4\n", ["2003", "2004"], [[1, 2], [3, 4]]),
        (b"a\xc2\xa0b 1 2\n\xff\xfe 3 4\n", ["a\u00a0b", "\udcff\udcfe"], [[1, 2], [3, 4]]),
        (b"\xe2\x80\xa8 1 2\n\xc2\x85 3 4\n", ["\u2028", "\u0085"], [[1, 2], [3, 4]]),
    ],
)
def test_lines_of_many_kinds_are_read(tmp_path: Path, data: bytes, words: list[str], rows: list[list[float]]) -> None:
    assert read(tmp_path, data) == (words, rows)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n", "line 1 is not a word and its numbers"),
        (b"word\n", "line 1 is not a word and its numbers"),
        (b"a 1 2\nb 3\n", "line 2 has 1 numbers, 2 were expected"),
        (b"a 1 2\nb 3 4\nc 5\n", "line 3 has 1 numbers, 2 were expected: 'c 5'"),
        (b"a 1 2\nb 3 4\nc 0.5 6 7.5\nd 1 2\n", "line 3 has more than 2 numbers: 'c 0.5 6 7.5'"),
        (b"a 1 2\nb 3 4\nc 5 6 7\nd 1 2\n", "line 3 has more than 2 numbers: 'c 5 6 7'"),
        (b"a 1 2\nb 3 x\nc 5 6\n", "line 2 does not end in 2 numbers"),
        (b"a 1 2\n\nc 5 6\n", "line 2 is blank"),
        (b"a 1 2\n 3 4\nc 5 6\n", "line 2 has no word"),
        (b"a 1 2\nb 3 nan\nc 5 6\n", "line 2 has a number that isn't finite"),
        (b"a 1 2\nb 3 -inf\nc 5 6\n", "line 2 has a number that isn't finite"),
        (b"a 1 2\nb 3 1e39\nc 5 6\n", "line 2 has a number that isn't finite"),
        (b"a 1 2\nb 3 1_0\nc 5 6\n", "line 2 does not end in 2 numbers"),
        (b"a 1 2\nb 3 4\na 5 6\n", "line 3 repeats the word of line 1: 'a'"),
        (b"2 2\na 1 2\na 3 4\n", "line 3 repeats the word of line 2"),
        (b"3 2\na 1 2\nb 3 4\n", "its first line says 3 words, it holds 2"),
        (b"1 2\na 1 2\nb 3 4\n", "its first line says 1 words, it holds 2"),
    ],
)
def test_files_that_are_wrong_are_refused_with_the_line(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=rf"v\.txt: .*({message})"):
        read(tmp_path, data)


def test_word2vec_text_needs_its_header(tmp_path: Path) -> None:
    assert read(tmp_path, b"1 2\na 1 2 \n", word2vec_text) == (["a"], [[1, 2]])
    with pytest.raises(FormatError, match="first line is not `words dimensions`: 'a 1 2'"):
        read(tmp_path, b"a 1 2\nb 3 4\n", word2vec_text)
    with pytest.raises(FormatError, match="line 2 has 2 numbers, 3 were expected"):
        read(tmp_path, b"1 3\na 1 2\n", word2vec_text)
    with pytest.raises(FormatError, match="line 2 has 2 numbers, 99999999999999 were expected"):
        read(tmp_path, b"1 99999999999999\na 1 2\n", word2vec_text)


def test_word2vec_text_is_glove_text_with_a_header(tmp_path: Path) -> None:
    word2vec_text.write(tmp_path / "v.vec", ["a", "b"], np.ones((2, 1)))
    assert (tmp_path / "v.vec").read_bytes() == b"2 1\na 1.000000\nb 1.000000\n"


@pytest.mark.parametrize("bad", [10, 77, 399])
def test_the_line_is_right_in_a_file_of_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: int) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 64)
    listed = [b"w%d 1 2\n" % i for i in range(400)]
    assert len(read(tmp_path, b"".join(listed))[0]) == 400
    listed[bad] = b"x\n"
    with pytest.raises(FormatError, match=f"line {bad + 1} has 0 numbers"):
        read(tmp_path, b"".join(listed))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nothing: can't be read: No such file"):
        glove_text.read(tmp_path / "nothing")
    with pytest.raises(FormatError, match="can't be read: Is a directory"):
        glove_text.read(tmp_path)
    with pytest.raises(FormatError, match=re.escape("can't be read: embedded null byte")):
        glove_text.read("a\0b")


# --- what is wrong, and how much of it --------------------------------------------------------------------------------

BAD = b"a 1 2\nb 3\n\na 5 6\nc nan 1\nd 7 8\nd 9 9\n 1 2\ne x 1\nf 1\n"


def test_a_refused_file_says_how_many_more_bad_lines_there_are(tmp_path: Path) -> None:
    expected = (
        r"line 2 has 1 numbers, 2 were expected: 'b 3'\. Other bad lines: 1 of another length, "
        r"1 without anything, 2 that repeat a word, 1 with a number that isn't finite, 1 without a word, "
        r"1 that should end in numbers\. Make the file again, or leave such lines out with --skip-bad-lines\."
    )
    with pytest.raises(FormatError, match=expected):
        read(tmp_path, BAD)


@pytest.mark.parametrize("block_bytes", [16, 8 << 20])
def test_bad_lines_are_left_out_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(text, "_HEAD_BYTES", block_bytes)
    (tmp_path / "v.txt").write_bytes(BAD)
    found, report = read_vectors(tmp_path / "v.txt", on_problem="skip")
    assert found.words == ["a", "d"]
    assert found.matrix.tolist() == [[1, 2], [7, 8]]  # the first of equal words
    assert {problem.kind: (problem.count, problem.lines) for problem in report.problems} == {
        "of another length": (2, (2, 10)),
        "without anything": (1, (3,)),
        "that repeat a word": (2, (4, 7)),
        "with a number that isn't finite": (1, (5,)),
        "without a word": (1, (8,)),
        "that should end in numbers": (1, (9,)),
    }
    notes: list[str] = []
    load_vectors(tmp_path / "v.txt", on_problem="skip", note=notes.append)
    assert notes[0] == f"{tmp_path / 'v.txt'}: left out 2 lines of another length (2, 10)"


def test_a_header_that_is_wrong_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="line 1 says 2 words of 5 numbers, but most lines after it have 2"):
        read(tmp_path, b"2 5\na 1 2\nb 3 4\n")
    with pytest.raises(FormatError, match="line 2 has 1 numbers, 2 were expected"):
        read(tmp_path, b"3 2\na 1\nb 3 4\nc 5 6\n")
    (tmp_path / "v.txt").write_bytes(b"9 2\na 1 2\nb 3 4\n")
    found, report = read_vectors(tmp_path / "v.txt", on_problem="skip")
    assert found.words == ["a", "b"]
    assert report.notes == ("its first line says 9 words, it holds 2",)


def test_bytes_that_are_not_utf8_follow_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_bytes(b"a 1\n\xff 2\n\xfe 3\n")
    assert load_vectors(path).words == ["a", "\udcff", "\udcfe"]
    with pytest.raises(FormatError, match=r"line 2 is not UTF-8: '\\\\xff'\. Other bad lines: 1 that are not"):
        load_vectors(path, encoding_errors="strict")
    found, report = read_vectors(path, encoding_errors="replace", on_problem="skip")
    assert found.words == ["a", "\ufffd"]
    assert [(problem.kind, problem.lines, problem.left_out) for problem in report.problems] == [
        ("that are not UTF-8", (2, 3), False),
        ("that repeat a word", (3,), True),
    ]


def test_a_line_of_a_million_bytes_is_refused_by_its_number(tmp_path: Path) -> None:
    for long in (b"x" * 1_000_000, b"0.5 " * 250_000, bytes(1_000_000)):
        with pytest.raises(FormatError, match=r"line 2 has .*numbers") as raised:
            read(tmp_path, b"a 1 2\n" + long + b"\nb 3 4\nc 5 6\n")
        assert len(str(raised.value)) < 700


def test_a_line_without_an_end_is_not_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 1000)
    monkeypatch.setattr(text, "LONGEST_LINE", 1000)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 64)
    monkeypatch.setattr(text, "_HEAD_BYTES", 64)
    with pytest.raises(FormatError, match="line 2 has more than 1,000 bytes"):
        read(tmp_path, b"a 1 2\n" + b"x" * 5000 + b" 3 4\nb 3 4\n")
    with pytest.raises(FormatError, match="line 1 has more than 1,000 bytes"):
        read(tmp_path, b"x" * 5000)


def test_a_mark_of_byte_order_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa 1\nb 2\n")[0] == ["a", "b"]
