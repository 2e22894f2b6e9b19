"""Vectors to and from gensim, spaCy, safetensors, Arrow and the original tools: they on our files, and we on theirs."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import SharedData
from test_vectors_export import as_float64, make_model

from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.model import GloveModel
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.formats import FORMATS, format_of_content
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.names import KINDS
from glove_cli.vectors.reference_model import import_model
from glove_cli.vectors.select import select_vectors

gensim = pytest.importorskip("gensim.models")
KeyedVectors: Any = gensim.KeyedVectors

D = 24
# Both programs scale to length 1 and add d products in float32, each step of which is off by 2**-24 at most.
COSINE_TOLERANCE = 2 * (D + 4) * 2.0**-24
ODD_WORDS = [
    "cat",
    "caf\u00e9",
    "cafe\u0301",
    "\U0001f63a",
    "</s>",
    "#",
    '"quoted"',
    "'",
    "1",
    "\u00a0",
    "a\u2028b",
    "-0.5",
    "\\n",
]
SUMS = ("gradsq_W", "gradsq_C", "gradsq_b_w", "gradsq_b_c")
COLUMN = 6 * 2 * 8  # bytes of one number for each of 6 words and contexts
BINARY = ["word2vec-binary", "npy", "gensim", "safetensors", "parquet"]


@pytest.fixture(scope="module")
def model() -> GloveModel:
    return make_model(60, D, [*ODD_WORDS, *(f"w{i}" for i in range(60 - len(ODD_WORDS)))], seed=3)


def same_neighbours(theirs: list[tuple[str, float]], ours: WordVectors, word: str) -> None:
    expected = ours.nearest(word, len(theirs))
    assert [name for name, _ in theirs] == [n.word for n in expected]
    assert [cosine for _, cosine in theirs] == pytest.approx([n.similarity for n in expected], abs=COSINE_TOLERANCE)


# --- gensim ---------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("v.txt", {"no_header": True}),
        ("v.vec", {}),
        ("v.bin", {"binary": True}),
        ("v.kv", None),
    ],
)
def test_gensim_reads_what_we_write_and_has_the_same_neighbours(
    tmp_path: Path, model: GloveModel, name: str, options: dict[str, Any] | None
) -> None:
    path = tmp_path / name
    export_vectors(model, path)
    if options is None:
        theirs = KeyedVectors.load(os.fspath(path), mmap="r")
    else:
        theirs = KeyedVectors.load_word2vec_format(os.fspath(path), **options)
    ours = load_vectors(path)
    assert theirs.index_to_key == ours.words
    assert np.array_equal(theirs.vectors, ours.matrix)
    for word in ("cat", "</s>", "w7", "<unk>"):
        same_neighbours(theirs.most_similar(word, topn=10), ours, word)


def test_gensim_maps_our_vectors_and_knows_the_counts(tmp_path: Path, model: GloveModel) -> None:
    path = os.fspath(tmp_path / "v.kv")
    export_vectors(model, path, vectors="word")
    theirs = KeyedVectors.load(path, mmap="r")
    assert isinstance(theirs.vectors, np.memmap)
    assert np.array_equal(theirs.vectors[:-1], model.W)
    assert [theirs.get_vecattr(word, "count") for word in model.vocab.words] == model.vocab.counts.tolist()
    assert theirs.get_vecattr("<unk>", "count") == 0
    theirs.set_vecattr("cat", "count", 5)  # what it made of the file can be changed
    theirs.sort_by_descending_frequency()
    theirs.add_vectors(["new"], np.ones((1, D), np.float32))
    theirs.save(os.fspath(tmp_path / "again.kv"))
    assert load_vectors(tmp_path / "again.kv").words[-1] == "new"


def test_gensim_takes_vectors_without_counts_and_words_with_spaces_or_bad_bytes(tmp_path: Path) -> None:
    words = ["New York", "\udcff", "a\nb"]
    vectors = WordVectors(words, np.eye(3, dtype=np.float32))
    export_vectors(vectors, tmp_path / "v.kv")
    theirs = KeyedVectors.load(os.fspath(tmp_path / "v.kv"))
    assert (theirs.index_to_key, theirs.expandos) == (words, {})
    assert load_vectors(tmp_path / "v.kv").words == words


def test_a_name_that_gensim_would_unpack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"v\.kv\.gz: gensim isn't written packed\. Leave out \.gz"):
        export_vectors(make_model(), tmp_path / "v.kv.gz", format="gensim")
    assert os.listdir(tmp_path) == []


@pytest.fixture(scope="module")
def keyed() -> Any:
    keyed = KeyedVectors(5)
    words = [*ODD_WORDS, "New York"]
    keyed.add_vectors(words, np.random.default_rng(5).normal(size=(len(words), 5)).astype(np.float32))
    keyed.set_vecattr("cat", "count", 7)
    return keyed


@pytest.mark.parametrize("options", [{}, {"pickle_protocol": 2}, {"pickle_protocol": 5}, {"separately": ["vectors"]}])
def test_what_gensim_saves_is_read(tmp_path: Path, keyed: Any, options: dict[str, Any]) -> None:
    keyed.save(os.fspath(tmp_path / "v"), **options)
    assert format_of_content(tmp_path / "v").name == "gensim"
    ours = load_vectors(tmp_path / "v")
    assert ours.words == keyed.index_to_key
    assert np.array_equal(ours.matrix, keyed.vectors)
    same_neighbours(keyed.most_similar("cat", topn=5), ours, "cat")
    assert ours.matrix.flags.writeable


@pytest.mark.parametrize("options", [{}, {"binary": True}, {"write_header": False}])
def test_word2vec_files_of_gensim_are_read(tmp_path: Path, keyed: Any, options: dict[str, Any]) -> None:
    spaceless = KeyedVectors(5)
    words = [word for word in keyed.index_to_key if " " not in word]
    spaceless.add_vectors(words, keyed[words])
    spaceless.save_word2vec_format(os.fspath(tmp_path / "v"), **options)
    ours = load_vectors(tmp_path / "v")
    assert ours.words == words
    assert np.array_equal(ours.matrix, spaceless.vectors)


@pytest.mark.parametrize("separately", [[], ["vectors"]])
def test_word_vectors_within_a_model_of_gensim_are_read(tmp_path: Path, separately: list[str]) -> None:
    texts = [["the", "cat", "sat"], ["the", "dog"]] * 9
    trained = gensim.Word2Vec(texts, vector_size=4, min_count=1, workers=1, seed=1)
    trained.save(os.fspath(tmp_path / "v"), sep_limit=1 if separately else 2**20, separately=None)
    assert (tmp_path / "v.wv.vectors.npy").exists() == bool(separately)
    ours = load_vectors(tmp_path / "v")
    assert ours.words == trained.wv.index_to_key
    assert np.array_equal(ours.matrix, trained.wv.vectors)


@pytest.mark.parametrize("attribute", ["vectors", "syn0"])
@pytest.mark.parametrize("separately", [[], ["it"]])
def test_key_vectors_of_gensim_3_are_read(tmp_path: Path, keyed: Any, attribute: str, separately: list[str]) -> None:
    from gensim.models.keyedvectors import Vocab

    old = KeyedVectors.__new__(KeyedVectors)
    words = keyed.index_to_key
    vocab = {word: Vocab(index=i, count=9) for i, word in enumerate(words)}
    old.__dict__ = {"vector_size": 5, "index2word": list(words), "vocab": vocab, attribute: keyed.vectors}
    old.save(os.fspath(tmp_path / "v"), pickle_protocol=2, separately=[attribute] if separately else None)
    assert KeyedVectors.load(os.fspath(tmp_path / "v")).index_to_key == words
    ours = load_vectors(tmp_path / "v")
    assert ours.words == words
    assert np.array_equal(ours.matrix, keyed.vectors)


def test_a_fasttext_model_of_gensim_is_refused_with_what_to_do(tmp_path: Path) -> None:
    trained = gensim.FastText([["the", "cat"]] * 9, vector_size=4, min_count=1, workers=1, bucket=50)
    for saved in (trained, trained.wv):
        saved.save(os.fspath(tmp_path / "v"))
        with pytest.raises(FormatError, match=r"fastText model of gensim.* model\.wv\.save_word2vec_format"):
            load_vectors(tmp_path / "v")
    trained.wv.save_word2vec_format(os.fspath(tmp_path / "v.vec"))
    assert load_vectors(tmp_path / "v.vec").words == trained.wv.index_to_key


def saved_with(path: Path, **state: Any) -> None:
    """Save what gensim would not: its class with any attributes."""
    made = KeyedVectors.__new__(KeyedVectors)
    made.__dict__ = state
    path.write_bytes(pickle.dumps(made, 4))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "is a KeyedVectors of gensim without a list of words"),
        ({"index_to_key": ["a"]}, "is a KeyedVectors of gensim without vectors"),
        ({"index_to_key": [1], "vectors": np.ones((1, 2))}, "belong to numbers, not to words"),
        ({"index_to_key": ["a"], "vectors": np.ones((2, 2))}, "holds 1 words, but 2 vectors"),
        ({"index_to_key": ["a", "a"], "vectors": np.ones((2, 2))}, "word 2 repeats the word of word 1"),
        ({"index_to_key": ["a"], "vectors": np.ones(2)}, "are not a matrix of floats"),
        ({"index_to_key": ["a"], "vectors": np.ones((1, 2), int)}, "are not a matrix of floats"),
        ({"index_to_key": ["a"], "vectors": np.array([["x"]], object)}, "can't be read: an array without its bytes"),
        ({"index_to_key": ["a"], "vectors": np.array([[np.nan]])}, "the vector of 'a' isn't finite"),
        ({"index_to_key": ["a"], "__numpys": ["vectors"]}, r"v\.vectors\.npy: can't be read: No such file"),
        ({"index_to_key": ["\ud800"], "vectors": np.ones((1, 2))}, "can't be read: .*surrogates not allowed"),
    ],
)
def test_pickles_of_gensim_that_are_wrong_are_refused(tmp_path: Path, state: dict[str, Any], message: str) -> None:
    saved_with(tmp_path / "v", **state)
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "v")


@pytest.mark.parametrize("order", ["<f4", ">f4", "<f8", ">f8", "<f2"])
def test_arrays_of_any_order_of_bytes_in_a_pickle_are_read(tmp_path: Path, order: str) -> None:
    values = np.arange(6).reshape(2, 3)
    for array in (values.astype(order), np.asfortranarray(values.astype(order))):
        saved_with(tmp_path / "v", index_to_key=["a", "b"], vectors=array)
        assert np.array_equal(load_vectors(tmp_path / "v").matrix, values)


class _Call:
    """Something whose pickle calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, Any]:
        return self.call


@pytest.mark.parametrize("where", ["top", "words", "vectors"])
@pytest.mark.parametrize("function", [os.system, eval, os.mkdir, np.save, getattr, __import__])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path, function: Any, where: str) -> None:
    mark = tmp_path / "mark"
    arguments = {
        os.system: (f"touch {mark}",),
        eval: (f"open({os.fspath(mark)!r}, 'w').close()",),
        os.mkdir: (os.fspath(mark),),
        np.save: (os.fspath(mark), 1),
        getattr: (os, "system"),
        __import__: ("os",),
    }
    call = _Call(function, *(argument for argument in arguments[function] if argument is not os))
    state: dict[str, Any] = {"index_to_key": ["a"], "vectors": np.ones((1, 2))}
    if where == "top":
        (tmp_path / "v").write_bytes(pickle.dumps(call, 4))
    else:
        saved_with(tmp_path / "v", **(state | {"index_to_key" if where == "words" else "vectors": [call]}))
    with pytest.raises(FormatError, match=r"v: is a pickle that would call '[\w.]+', .*nothing of it was run"):
        load_vectors(tmp_path / "v")
    assert os.listdir(tmp_path) == ["v"]


@pytest.mark.parametrize("name", [b"os.system", b"utils.os.system", b"__builtins__"])
def test_a_way_through_gensim_to_another_module_leads_nowhere(tmp_path: Path, name: bytes) -> None:
    text = f"touch {tmp_path / 'mark'}".encode()
    parts = b"".join(b"\x8c" + bytes([len(part)]) + part for part in (b"gensim.utils", name))
    (tmp_path / "v").write_bytes(b"\x80\x04" + parts + b"\x93\x8c" + bytes([len(text)]) + text + b"\x85R.")
    with pytest.raises(FormatError, match="of gensim without a list of words"):
        load_vectors(tmp_path / "v")
    assert os.listdir(tmp_path) == ["v"]


def test_a_pickle_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(pickle.dumps({"a": [1.0]}))
    with pytest.raises(FormatError, match="is a pickle, but not of gensim's word vectors"):
        load_vectors(tmp_path / "v")


# --- fastText -------------------------------------------------------------------------------------------------------


def test_a_vec_file_as_fasttext_writes_it_is_read(tmp_path: Path) -> None:
    words = ["</s>", "the", "\u00a0", ",", "2016", "caf\u00e9"]
    matrix = np.random.default_rng(1).normal(size=(len(words), 3)) * 10.0 ** np.arange(-3, 3)[:, np.newaxis]
    lines = [word + " " + "".join(f"{x:.5g} " for x in row) for word, row in zip(words, matrix.tolist(), strict=True)]
    (tmp_path / "cc.vec").write_text("\n".join([f"{len(words)} 3", *lines, ""]), encoding="utf-8")
    assert format_of_content(tmp_path / "cc.vec").name == "word2vec"
    ours = load_vectors(tmp_path / "cc.vec")
    assert ours.words == words
    np.testing.assert_allclose(ours.matrix, matrix, rtol=5e-5)


def test_a_model_of_fasttext_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "cc.bin").write_bytes(np.array([793712314, 12, 100, 5], "<i4").tobytes() + bytes(80))
    with pytest.raises(FormatError, match=r"cc\.bin: is a model of fastText.* Name the \.vec file"):
        load_vectors(tmp_path / "cc.bin")


# --- spaCy ----------------------------------------------------------------------------------------------------------


def test_spacy_reads_what_we_write_and_has_the_same_neighbours(
    tmp_path: Path, model: GloveModel, capsys: pytest.CaptureFixture[str]
) -> None:
    spacy = pytest.importorskip("spacy")
    from spacy.cli.init_pipeline import init_vectors_cli

    export_vectors(model, tmp_path / "out", format="spacy")
    init_vectors_cli(
        "xx", tmp_path / "out" / "vectors.txt", tmp_path / "pipeline", prune=-1, truncate=0, mode="default", name=None,
        verbose=False, jsonl_loc=tmp_path / "out" / "lexemes.jsonl", attr="ORTH",
    )  # fmt: skip
    capsys.readouterr()
    vocab = spacy.load(tmp_path / "pipeline").vocab
    ours = load_vectors(tmp_path / "out" / "vectors.txt")
    assert vocab.vectors.shape == ours.matrix.shape
    for word in ours.words:
        assert np.array_equal(vocab.get_vector(word), ours[word])
    for word in ("cat", "</s>", "w7", "<unk>"):
        keys, _, scores = vocab.vectors.most_similar(ours[word][np.newaxis].copy(), n=6)  # scales what it is given
        expected = ours.nearest(ours[word], 6)
        assert [vocab.strings[key] for key in keys[0]] == [n.word for n in expected]
        # spaCy rounds to four decimals
        assert scores[0] == pytest.approx([n.similarity for n in expected], abs=5e-5 + COSINE_TOLERANCE)


def test_the_folder_for_spacy_has_log_probabilities(tmp_path: Path, model: GloveModel) -> None:
    export_vectors(model, tmp_path / "out", format="spacy")
    assert sorted(os.listdir(tmp_path / "out")) == ["lexemes.jsonl", "meta.json", "vectors.txt"]
    lines = (tmp_path / "out" / "lexemes.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    lexemes = [json.loads(line) for line in lines]
    assert [lexeme["orth"] for lexeme in lexemes] == model.vocab.words
    assert np.exp([lexeme["prob"] for lexeme in lexemes]).sum() == pytest.approx(1, abs=1e-6)
    export_vectors(load_vectors(tmp_path / "out" / "vectors.txt"), tmp_path / "plain", format="spacy")
    assert sorted(os.listdir(tmp_path / "plain")) == ["meta.json", "vectors.txt"]


# --- safetensors ----------------------------------------------------------------------------------------------------


def test_safetensors_reads_what_we_write(tmp_path: Path, model: GloveModel) -> None:
    from safetensors.numpy import load_file

    export_vectors(model, tmp_path / "v.safetensors")
    tensors = load_file(tmp_path / "v.safetensors")
    ours = load_vectors(tmp_path / "v.safetensors")
    assert np.array_equal(tensors["vectors"], ours.matrix)
    assert tensors["words"].tobytes().decode().split("\n") == ours.words
    assert tensors["counts"].tolist() == [*model.vocab.counts.tolist(), 0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_single_matrix_of_safetensors_takes_its_words_from_beside(tmp_path: Path, dtype: type) -> None:
    from safetensors.numpy import save_file

    matrix = np.random.default_rng(2).normal(size=(3, 4)).astype(dtype)
    save_file({"embedding.weight": matrix, "bias": np.ones(3), "ids": np.ones((3, 4), int)}, tmp_path / "v.safetensors")
    (tmp_path / "v.words.txt").write_text("a\nb\nc d\n")
    ours = load_vectors(tmp_path / "v.safetensors")
    assert ours.words == ["a", "b", "c d"]
    assert np.array_equal(ours.matrix, matrix.astype(np.float32))


def tensor_file(path: Path, entries: Any, data: bytes = b"") -> None:
    text = json.dumps(entries).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path: Path) -> None:
    matrix = np.array([[1.5, -2.0], [0.0, 3e38]], np.float32)
    halves = (matrix.view(np.uint32) >> 16).astype("<u2")
    tensor_file(tmp_path / "v", {"w": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}, halves.tobytes())
    (tmp_path / "v.words.txt").write_text("a\nb\n")
    expected = (halves.astype(np.uint32) << 16).view(np.float32)
    assert np.array_equal(load_vectors(tmp_path / "v").matrix, expected)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, r"holds 0 matrices of floats where one was expected \(tensors: none\)"),
        ({"a": tensor([1, 1], 0, 4), "b": tensor([1, 1], 0, 4)}, "holds 2 matrices"),
        ({"a": tensor([2, 1], 0, 4)}, "its header is wrong about the tensor 'a'"),
        ({"a": tensor([-1, -1], 0, 4)}, "its header is wrong about the tensor 'a'"),
        ({"a": tensor([1, 1], 4, 0)}, "its header is wrong about the tensor 'a'"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": 3}}, "its header is wrong about the tensor 'a'"),
        ({"a": []}, "its header is wrong about the tensor 'a'"),
        ({"a": tensor([1, 2], 0, 8)}, "ends within the tensor 'a'"),
        ({"a": tensor([1, 1], 0, 4)}, r"v\.words\.txt: can't be read: No such file"),
        ({"vectors": tensor([1, 1], 0, 4), "words": tensor([3], 1, 4, "U8")}, "holds 2 words, but 1 vectors"),
    ],
)
def test_safetensors_that_are_wrong_are_refused(tmp_path: Path, entries: Any, message: str) -> None:
    tensor_file(tmp_path / "v.safetensors", entries, b"\0a\nb")
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "v.safetensors")


# --- Parquet --------------------------------------------------------------------------------------------------------


def test_arrow_reads_what_we_write(tmp_path: Path, model: GloveModel) -> None:
    export_vectors(model, tmp_path / "v.parquet")
    table = pq.read_table(tmp_path / "v.parquet")
    ours = load_vectors(tmp_path / "v.parquet")
    assert table.column_names == ["word", "count", "rank", "vector", "projection_x", "projection_y"]
    assert table["word"].to_pylist() == ours.words
    assert table["count"].to_pylist() == [*model.vocab.counts.tolist(), None]
    assert table["rank"].to_pylist() == list(range(1, 62))
    assert table.schema.field("vector").type == pa.list_(pa.float32(), D)
    assert np.array_equal(np.array(table["vector"].to_pylist(), np.float32), ours.matrix)
    # The oracle: the two strongest right singular vectors of what is left without the mean, each either way round.
    centred = ours.matrix - ours.matrix.mean(axis=0, dtype=np.float64)
    flat = centred @ np.linalg.svd(centred)[2][:2].T
    for column, expected in zip(("projection_x", "projection_y"), flat.T, strict=True):
        values = table[column].to_numpy()
        assert min(np.abs(values - expected).max(), np.abs(values + expected).max()) < 1e-5


def test_parquet_of_one_word_or_one_dimension_has_a_place_for_it(tmp_path: Path) -> None:
    for shape in ((1, 1), (1, 3), (3, 1)):
        words = [f"w{i}" for i in range(shape[0])]
        export_vectors(WordVectors(words, np.ones(shape, np.float32)), tmp_path / "v.parquet", force=True)
        table = pq.read_table(tmp_path / "v.parquet")
        assert table["projection_y"].to_pylist() == [0.0] * shape[0]
        assert "count" not in table.column_names


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float16(), 2)]
)
@pytest.mark.parametrize(
    "text", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.string())]
)
@pytest.mark.parametrize("names", [("word", "vector"), ("token", "embedding")])
def test_columns_of_any_lists_of_floats_are_read(tmp_path: Path, kind: Any, text: Any, names: tuple[str, str]) -> None:
    words = pa.array(["a b", "caf\u00e9", "c"], pa.string()).cast(text)
    values = [[0.5, 1.0], [2.0, -3.0], [0.0, 0.0]]
    vectors = pa.array([[np.float16(x) for x in row] for row in values] if "half" in str(kind) else values, kind)
    pq.write_table(
        pa.table([words, vectors, pa.array([1, 2, 3])], names=[*names, "n"]), tmp_path / "v", row_group_size=2
    )
    ours = load_vectors(tmp_path / "v")
    assert ours.words == ["a b", "caf\u00e9", "c"]
    assert ours.matrix.tolist() == values


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n": [1]}, r"has 0 columns of text among n\. Name a file with a column `word`"),
        ({"a": ["x"], "b": ["x"], "vector": [[1.0]]}, "has 2 columns of text among a, b, vector"),
        ({"word": ["x"]}, "has 0 columns of lists of floats"),
        ({"word": ["x"], "vector": [[1]]}, "has 0 columns of lists of floats"),
        ({"word": ["x", None], "vector": [[1.0], [2.0]]}, "row 2 has no word"),
        ({"word": ["x", "y"], "vector": [[1.0], None]}, "row 2 has no vector"),
        ({"word": ["x", "y"], "vector": [[1.0], [2.0, 3.0]]}, "row 2 has 2 numbers, row 1 1"),
        ({"word": ["x", "y"], "vector": [[1.0], [None]]}, "has numbers that are missing"),
        ({"word": ["x", "x"], "vector": [[1.0], [2.0]]}, "row 2 repeats the word of row 1"),
        ({"word": ["x", "y"], "vector": [[1.0], [float("nan")]]}, "the vector of 'y' isn't finite"),
        ({"word": pa.array([], pa.string()), "vector": pa.array([], pa.list_(pa.float32()))}, "has no rows"),
    ],
)
def test_parquet_files_that_are_wrong_are_refused(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "v.parquet")


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = WordVectors(["a"], np.ones((1, 2), np.float32))
    export_vectors(vectors, tmp_path / "v.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    message = r"needs the package pyarrow\. Install it with: pip install 'glove-cli\[arrow\]'"
    with pytest.raises(OutputError, match=rf"w\.parquet: {message}"):
        export_vectors("missing", tmp_path / "w.parquet")  # before the vectors are looked for
    with pytest.raises(OutputError, match=rf"v\.parquet: {message}"):
        load_vectors(tmp_path / "v.parquet")


# --- the Embedding Projector ----------------------------------------------------------------------------------------


def test_the_projector_gets_a_line_a_word_and_a_header_for_words_alone(tmp_path: Path, model: GloveModel) -> None:
    export_vectors(model, tmp_path / "out", format="projector")
    lines = (tmp_path / "out" / "vectors.tsv").read_bytes().split(b"\n")
    listed = (tmp_path / "out" / "metadata.tsv").read_bytes().split(b"\n")
    assert listed[0] == b"word\trank\tcount"
    assert len(listed) == len(lines) + 1 == 61 + 2  # a header; both end in a line end
    assert {line.count(b"\t") for line in listed[:-1]} == {2}
    matrix = np.array([[float(field) for field in line.split(b"\t")] for line in lines[:-1]])
    assert np.abs(matrix - np.vstack([select_vectors(model).matrix, matrix[-1]])).max() < 5e-7 + 8 * 2.0**-24
    words = [line.split(b"\t")[0].decode() for line in listed[1:-1]]
    assert words == [*model.vocab.words, "<unk>"]
    config = (tmp_path / "out" / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "vectors.tsv"' in config
    assert 'metadata_path: "metadata.tsv"' in config


def test_projector_files_are_read_with_and_without_a_header(tmp_path: Path) -> None:
    vectors = WordVectors(["a b", "\udcff", "1"], np.array([[1, 2], [3, 4], [-5, 0.25]], np.float32))
    export_vectors(vectors, tmp_path / "out", format="projector")
    path = tmp_path / "out" / "vectors.tsv"
    for _ in range(2):
        assert format_of_content(path).name == "projector"
        assert load_vectors(path).words == vectors.words
        assert np.array_equal(load_vectors(path).matrix, vectors.matrix)
        (tmp_path / "out" / "metadata.tsv").write_bytes(b"a b\n\xff\n1\n")
    (tmp_path / "out" / "metadata.tsv").write_bytes(b"a b\n")
    with pytest.raises(FormatError, match=r"metadata\.tsv: holds 1 words, .*vectors\.tsv 3 vectors"):
        load_vectors(path)
    path.write_bytes(b"1\t2\n3\n")
    with pytest.raises(FormatError, match=r"vectors\.tsv: can't be read"):
        load_vectors(path)


# --- the original tools ---------------------------------------------------------------------------------------------


def test_the_parameters_of_the_original_tools_are_read_and_written_back(
    tmp_path: Path, shared_data: SharedData
) -> None:
    for name, source in (("vectors.bin", "train800.003.bin"), ("gradsq.bin", "train800.gradsq.003.bin")):
        (tmp_path / name).write_bytes(shared_data.bytes(f"stanford/{source}"))
    (tmp_path / "vocab.txt").write_bytes(shared_data.bytes("stanford/vocab800.txt"))
    assert format_of_content(tmp_path / "vectors.bin").name == "reference"
    ours = load_vectors(tmp_path / "vectors.bin")
    text = load_vectors(shared_data.path("stanford/train800.txt"))
    assert ours.words == text.words[:-1]
    assert np.abs(ours.matrix - text.matrix[:-1]).max() < 6e-7
    model = import_model(tmp_path / "vectors.bin", tmp_path / "model")
    export_vectors(model, tmp_path / "out", format="reference")
    for name in ("vectors.bin", "gradsq.bin", "vocab.txt"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes(), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [lambda model: model, as_float64])
def test_kinds_of_the_parameters_are_those_of_the_model(tmp_path: Path, kind: str, change: Any) -> None:
    model = make_model(5, 3)
    sums = {name: np.abs(getattr(model, name)) + 1 for name in SUMS}  # they begin at 1
    model = change(replace(model, **sums))
    export_vectors(model, tmp_path / "out", format="reference")
    for path in (tmp_path / "out" / "vectors.bin",):
        read = load_vectors(path, vectors=kind)
        assert np.array_equal(read.matrix, select_vectors(model, kind).matrix)
    again = import_model(tmp_path / "out" / "vectors.bin", tmp_path / "model", dtype=model.dtype.name)
    for name in ("W", "C", "b_w", "b_c", *SUMS):
        assert np.array_equal(getattr(again, name), getattr(model, name))
    done = export_vectors(tmp_path / "out" / "vectors.bin", tmp_path / "v.txt", vectors=kind)
    assert (done.words, done.dim) == (5, read.dim)


def test_parameters_without_their_words_are_refused(tmp_path: Path) -> None:
    export_vectors(make_model(5, 3), tmp_path / "out", format="reference")
    path = tmp_path / "out" / "vectors.bin"
    with pytest.raises(OptionError, match="--vectors: 'both' is not one of"):
        load_vectors(path, vectors="both")
    data = path.read_bytes()
    path.write_bytes(data[:-8])
    with pytest.raises(FormatError, match="has 312 bytes, which is not a multiple of the 80"):
        load_vectors(path)
    path.write_bytes(data[:80] + np.array(np.nan).tobytes() + data[88:])
    with pytest.raises(FormatError, match="the vector of 'w2' isn't finite"):
        load_vectors(path)
    (tmp_path / "out" / "vocab.txt").unlink()
    with pytest.raises(
        FormatError, match=r"holds binary data in no format that is known.* put their vocab\.txt beside"
    ):
        load_vectors(path)


@pytest.mark.parametrize("options", [{"vectors": "word"}, {"process": "unit"}, {"unk": True}])
def test_a_whole_model_is_written_as_it_is(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="--format: reference holds a whole model, not vectors of it"):
        export_vectors(make_model(), tmp_path / "out", format="reference", **options)
    with pytest.raises(OptionError, match="reference holds a whole model, these are vectors"):
        export_vectors(select_vectors(make_model()), tmp_path / "out", format="reference")
    assert os.listdir(tmp_path) == []


# --- every format ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, found in FORMATS.items() if not found.whole])
def test_odd_words_come_back_from_every_format(tmp_path: Path, name: str) -> None:
    # spaCy reads nothing but UTF-8; word2vec's binary file ends a word at a space.
    words = (
        ODD_WORDS
        + ([] if name == "spacy" else ["\udcff\udcfe"])
        + ([] if name == "word2vec-binary" else ["New York", " x "])
    )
    matrix = np.random.default_rng(4).normal(size=(len(words), 3)).astype(np.float32)
    FORMATS[name].write(tmp_path / "v", words, matrix)
    read, again = FORMATS[name].read(tmp_path / "v")
    assert read == words
    assert (again.dtype, again.flags.c_contiguous, again.flags.writeable) == (np.float32, True, True)
    assert np.array_equal(again, matrix) if name in BINARY else np.abs(again - matrix).max() < 6e-7


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("gensim", ["a", "a"], "the word 'a' stands twice"),
        ("gensim", [""], "a word is empty"),
        ("safetensors", ["a\nb"], r"the word 'a\\nb' holds '\\n'"),
        ("parquet", ["a", "a"], "the word 'a' stands twice"),
        ("projector", ["a\tb"], r"the word 'a\\tb' holds '\\t'"),
        ("spacy", ["a\rb"], r"the word 'a\\rb' holds a carriage return, which spaCy can't read"),
        ("spacy", ["\udcff"], r"the word '\\udcff' holds bytes that are not UTF-8, which spaCy can't read"),
        ("reference", ["a b"], "the word 'a b' holds white space or a NUL, which the original tools can't read"),
        ("reference", ["a" * 1000], "has 1,000 bytes, which the original tools can't read"),
    ],
)
def test_words_that_a_format_cannot_hold_are_refused_before_anything_is_written(
    tmp_path: Path, name: str, words: list[str], message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        export_vectors(
            make_model(len(words), 2, words), tmp_path / "out", unk=False if name != "reference" else None, format=name
        )
    assert os.listdir(tmp_path) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file become larger than 2,000 bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"v(\.vectors\.npy|\.words\.txt)?: can't be written: File too large"):
        export_vectors(make_model(40, 20), tmp_path / "v", format=name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", FORMATS)
def test_what_exists_is_replaced_only_by_force(tmp_path: Path, name: str) -> None:
    out = tmp_path / "v"
    made = export_vectors(make_model(), out, format=name).files
    assert sorted(path.name for path in made) == sorted(os.listdir(tmp_path))
    before = {path.name: path.stat().st_mtime_ns for path in made}
    for path in made:
        others = [other for other in made if other != path]
        for other in others:
            other.rename(tmp_path / "aside")
        for model in (make_model(), "missing"):  # it is seen before the model is looked for
            with pytest.raises(OutputError, match=rf"{path.name}: already exists"):
                export_vectors(model, out, format=name)
        for other in others:
            (tmp_path / "aside").rename(other)
    assert before == {path.name: path.stat().st_mtime_ns for path in made}
    export_vectors(make_model(7), out, format=name, force=True)
    assert len(FORMATS[name].read(out)[0]) == (7 if name == "reference" else 8)


@pytest.mark.parametrize("name", ["projector", "spacy", "reference"])
def test_a_folder_of_someone_else_is_never_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"mine: is not a result of glove, so --force won't replace it"):
        export_vectors(make_model(), tmp_path / "mine", format=name, force=True)
    assert os.listdir(tmp_path / "mine") == ["file"]


@pytest.mark.parametrize("name", ["projector", "spacy", "reference"])
def test_a_folder_for_other_programs_is_no_model_but_holds_vectors(tmp_path: Path, name: str) -> None:
    export_vectors(make_model(), tmp_path / "out", format=name)
    with pytest.raises(FormatError, match=r"out: is a folder for other programs, .* Name its vectors: ") as caught:
        load_vectors(tmp_path / "out")
    named = str(caught.value).rpartition(": ")[2].removesuffix(".")
    assert np.array_equal(load_vectors(named).matrix, FORMATS[name].read(tmp_path / "out")[1])


@pytest.mark.parametrize("name", ["npy", "gensim", "projector", "spacy", "reference"])
def test_two_files_or_a_folder_go_to_no_stream(name: str) -> None:
    for out in (open(os.devnull, "wb"), os.devnull):  # noqa: SIM115
        with pytest.raises(OptionError, match=f"{name} makes (two files|a folder), so it can't be written to a stream"):
            export_vectors(make_model(), out, format=name)
        if not isinstance(out, str):
            out.close()


@pytest.mark.parametrize("name", ["safetensors", "parquet"])
def test_a_single_file_goes_to_a_stream(tmp_path: Path, name: str) -> None:
    export_vectors(make_model(), tmp_path / "v", format=name)
    with (tmp_path / "w").open("wb", buffering=0) as file:
        export_vectors(make_model(), file, format=name)
    assert (tmp_path / "v").read_bytes() == (tmp_path / "w").read_bytes()


@pytest.mark.parametrize("name", [*BINARY, "reference"])
def test_a_file_cut_anywhere_is_one_clear_error(tmp_path: Path, name: str) -> None:
    export_vectors(make_model(6, 4), tmp_path / "v", format=name)
    path = tmp_path / "v" / "vectors.bin" if name == "reference" else tmp_path / "v"
    files = [path, *(p for p in tmp_path.iterdir() if p != path and p.is_file())]
    for file in files:
        data = file.read_bytes()
        # A list of words may be cut within its last one, and a last line end may be missing: neither can be seen.
        end = data.rfind(b"\n", 0, -1) + 1 if file.suffix == ".txt" else len(data) - (name == "word2vec-binary")
        for length in range(0, end, 3 if name == "parquet" else 1):
            if name == "reference" and length % COLUMN == 0 and length > COLUMN:
                continue  # a dimension less, which no size can tell
            file.write_bytes(data[:length])
            with pytest.raises(FormatError) as caught:
                load_vectors(path)
            assert str(caught.value).startswith(os.fspath(tmp_path)), length
            assert "\n" not in str(caught.value)
        file.write_bytes(data)
        assert len(load_vectors(path)) == (6 if name == "reference" else 7)


def test_no_beginning_of_any_kind_makes_anything_but_a_clear_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    begins = [
        b"\x93NUMPY\x01\x00v\x00{",
        b"PAR1",
        b"PAR1 0.5 1\n",
        b"\x80\x04",
        b"\x80\x02c",
        b"\x80\x05\x95",
        b"2 3\n",
        b"a 1 2\n",
    ]
    begins += [(20).to_bytes(8, "little") + b'{"', bytes(8), (793712314).to_bytes(4, "little"), b"", b"\x1f\x8b"]
    for number in range(600):
        rest = rng.integers(0, 256, int(rng.integers(0, 60)), np.uint8).tobytes()
        if number % 3 == 0:
            rest = bytes(byte % 96 + 32 if byte % 7 else 10 for byte in rest)
        (tmp_path / "v").write_bytes(begins[number % len(begins)] + rest)
        with contextlib.suppress(FormatError):
            load_vectors(tmp_path / "v")


@pytest.mark.parametrize(
    "word", ["PAR1", "\udc80\x04\udc95", "\udc80\x02cgensim", "\x14\0\0\0\0\0\0\0{", "\udcba\x16O/", "\udc93NUMPX"]
)
def test_a_text_whose_first_word_begins_like_another_format_stays_a_text(tmp_path: Path, word: str) -> None:
    FORMATS["glove"].write(tmp_path / "v", [word, "b"], np.ones((2, 2)))
    assert format_of_content(tmp_path / "v").name == "glove"
    assert load_vectors(tmp_path / "v").words == [word, "b"]


@pytest.mark.parametrize("opcode", [b"r" + (1 << 30).to_bytes(4, "little"), b"p1000000000\n"])
def test_a_small_pickle_that_asks_for_much_memory_is_refused(tmp_path: Path, opcode: bytes) -> None:
    (tmp_path / "v").write_bytes(b"\x80\x04]" + opcode + b".")  # would be object 1,000,000,000: a list of 16 GB
    with pytest.raises(FormatError, match=r"v: is a pickle that is cut short or damaged \((LONG_BIN)?PUT 10"):
        load_vectors(tmp_path / "v", format="gensim")
