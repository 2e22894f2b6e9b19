"""Readers that are given any bytes.

A target may take its input or refuse it with a GloveError; any other end is a finding. What a reader takes must come
out the same when it is written and read again. Tokens must be the oracle's.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import numpy as np
from test_tokens import documents_of, expected, words_of

from glove_cli.cooc.exchange import import_cooc
from glove_cli.cooc.store import load_cooc
from glove_cli.corpus.config import TextConfig
from glove_cli.corpus.stretches import Tokenizer
from glove_cli.corpus.vocabulary import build_vocab
from glove_cli.errors import GloveError
from glove_cli.evaluation.categories import evaluate_categories
from glove_cli.evaluation.outliers import evaluate_outliers
from glove_cli.evaluation.questions import read_pairs, read_questions
from glove_cli.model import GloveModel
from glove_cli.training.history import read_history
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vocab import Vocab

os.environ["GLOVE_CACHE_SIZE"] = "0"
FOLDER = Path(tempfile.mkdtemp(prefix="glove-fuzz-"))
atexit.register(shutil.rmtree, FOLDER)
WORDS = ("a", "b", "the", "c")
VECTORS = np.eye(4, dtype=np.float32)
ENDINGS = ("txt", "vec", "bin", "npy", "kv", "safetensors", "parquet", "txt.gz", "txt.xz", "txt.zst", "zip")


def ignore(text: str) -> None:
    """Take a note of what was left out, and do nothing."""


@cache
def own_results() -> tuple[Path, Path]:
    """Make a matrix and a model."""
    vocab = Vocab(list(WORDS), np.array([9, 7, 5, 3]))
    entries = np.array([(1, 1, 2.0), (1, 2, 0.5), (2, 1, 0.5)], [("i", np.int32), ("j", np.int32), ("x", np.float64)])
    entries.tofile(FOLDER / "own.bin")
    import_cooc(FOLDER / "own.bin", FOLDER / "own.cooc", vocab=vocab)
    ones = np.ones(4)
    model = GloveModel(vocab, *2 * [np.eye(4)], *2 * [ones], *2 * [np.eye(4) + 1], *2 * [ones])
    model.save(FOLDER / "own.model")
    return FOLDER / "own.cooc", FOLDER / "own.model"


def vectors(data: bytes) -> None:
    """Files of vectors, whatever their content is; those that can be read are written and read again."""
    if not data:
        return
    ending = ENDINGS[data[0] % len(ENDINGS)]
    lenient = bool(data[0] & 0x80)
    path = FOLDER / f"in.{ending}"
    path.write_bytes(data[1:])
    found = load_vectors(path, on_problem="skip" if lenient else "error", cache=False, note=ignore)
    assert len(found.words) == len(found.matrix)
    again = FOLDER / "out.kv"
    export_vectors(found, again, force=True)
    read = load_vectors(again)
    assert read.words == found.words
    assert np.array_equal(read.matrix, found.matrix)


def pickles(data: bytes) -> None:
    """What gensim saves."""
    path = FOLDER / "in.model"
    path.write_bytes(b"\x80\x04" + data)
    load_vectors(path)


def vocabulary(data: bytes) -> None:
    """Vocabularies, and what they are when written again."""
    found = Vocab.from_bytes(data)
    assert Vocab.from_bytes(found.to_bytes()) == found


def matrix(data: bytes) -> None:
    """Matrices of other programs."""
    if not data:
        return
    ending = ("bin", "mtx", "npz")[data[0] % 3]
    path = FOLDER / f"in.{ending}"
    path.write_bytes(data[1:])
    vocab = Vocab(list(WORDS), np.array([9, 7, 5, 3]))
    found = import_cooc(path, FOLDER / "cooc", vocab=vocab, force=True, sum_duplicates=bool(data[0] & 0x80))
    whole = found.to_scipy()
    assert whole.shape == (4, 4)
    assert whole.nnz == found.nnz


def questions(data: bytes) -> None:
    """Analogy questions and word pairs."""
    path = FOLDER / "questions.txt"
    path.write_bytes(data)
    for read in (read_questions, read_pairs):
        with contextlib.suppress(GloveError):
            read(path)


def groups(data: bytes) -> None:
    """Words in categories, and groups with outliers."""
    path = FOLDER / "groups.txt"
    path.write_bytes(data)
    for score in (evaluate_categories, evaluate_outliers):
        with contextlib.suppress(GloveError):
            score(VECTORS, WORDS, path)


def history(data: bytes) -> None:
    """A training's history that is being written: JSON, a line an epoch."""
    home = FOLDER / ".model.work"
    home.mkdir(exist_ok=True)
    (home / "history.jsonl").write_bytes(data)
    read_history(FOLDER / "model")


def tokens(data: bytes) -> None:
    """Tokens by the options in the first byte, against the oracle."""
    if not data:
        return
    choice = data[0]
    chosen = {
        "lowercase": bool(choice & 1),
        "normalize": (None, "NFC", "NFKC", None)[choice >> 1 & 3],
        "encoding_errors": ("keep", "replace", "skip-token", "keep")[choice >> 3 & 3],
    }
    if choice & 32:
        chosen["tokenizer"] = "words"
    elif choice & 64:
        chosen["token_pattern"] = r"\w+"
    text = data[1:].replace(b"\r", b"")  # as the reader does
    if choice & 32 and "Cn" in map(unicodedata.category, text.decode("utf-8", "replace")):
        return  # a character that Python doesn't know yet, though others may
    tokenizer = Tokenizer(TextConfig(**chosen))
    ids = tokenizer.tokenize(text + b"\n").tolist()
    assert documents_of(ids, words_of(tokenizer.table)) == expected(text, chosen)


def texts(data: bytes) -> None:
    """Corpora: plain and packed texts, JSON Lines, Parquet, with the options in the first byte."""
    if not data:
        return
    choice = data[0]
    path = FOLDER / "corpus"
    path.write_bytes(data[1:])
    record = ({}, {"json_field": "text"}, {"column": "text"}, {"json_field": "a.b"})[choice & 3]
    document = ("line", "paragraph", "file", "none")[choice >> 2 & 3]
    report = build_vocab(path, min_count=1, document=document, threads=1, **record)
    assert report.tokens >= report.vocab.counts.sum()


def descriptions(data: bytes) -> None:
    """What describes a matrix or a model of ours."""
    if not data:
        return
    matrix, model = own_results()
    path, load = ((matrix, load_cooc), (model, GloveModel.load))[data[0] & 1]
    (path / "meta.json").write_bytes(data[1:])
    load(path)


def asking(data: bytes) -> None:
    """Words asked for, of any kind."""
    WordVectors(list(WORDS), VECTORS).nearest(data.decode("utf-8", "surrogateescape"), 2)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        vectors,
        pickles,
        vocabulary,
        matrix,
        questions,
        groups,
        history,
        tokens,
        texts,
        descriptions,
        asking,
    )
}
