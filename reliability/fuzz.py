"""Give readers what a coverage-guided fuzzer thinks of (atheris; `pip install atheris`, not among our dependencies).

    python reliability/fuzz.py vectors -max_total_time=600 corpus/
    python reliability/fuzz.py                    lists the targets

A reader may take its input or refuse it with a GloveError; any other end is a finding, and the fuzzer writes the input
to a file. What a reader takes must come out the same when it is written and read again. Tokens must be the oracle's.
Options after the target are libFuzzer's. Kernels are compiled by Numba and not seen by the fuzzer.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

KERNELS = ["corpus.kernels", "corpus.kernels_ids", "cooc.kernels", "training.kernels", "training.kernels_tiles",
           "training.kernels_plain", "vectors.kernels"]  # fmt: skip
os.environ["GLOVE_CACHE_SIZE"] = "0"
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

with atheris.instrument_imports(include=["glove_cli"], exclude=[f"glove_cli.{name}" for name in KERNELS]):
    import numpy as np
    import oracle
    from test_tokens import documents_of, expected, words_of

    from glove_cli.cooc.exchange import import_cooc
    from glove_cli.corpus.config import TextConfig
    from glove_cli.corpus.stretches import Tokenizer
    from glove_cli.errors import GloveError
    from glove_cli.evaluation.categories import evaluate_categories
    from glove_cli.evaluation.outliers import evaluate_outliers
    from glove_cli.evaluation.questions import read_pairs, read_questions
    from glove_cli.training.history import read_history
    from glove_cli.vectors.export import export_vectors
    from glove_cli.vectors.keyed import WordVectors
    from glove_cli.vectors.load import load_vectors
    from glove_cli.vocab import Vocab

SHM = Path("/dev/shm")
FOLDER = Path(tempfile.mkdtemp(prefix="glove-fuzz-", dir=SHM if SHM.is_dir() else None))
WORDS = ("a", "b", "the", "c")
VECTORS = np.eye(4, dtype=np.float32)
ENDINGS = ("txt", "vec", "bin", "npy", "kv", "safetensors", "parquet", "txt.gz", "txt.xz", "txt.zst", "zip")


def vectors(data: bytes) -> None:
    """Files of vectors, whatever their content is; those that can be read are written and read again."""
    if not data:
        return
    ending = ENDINGS[data[0] % len(ENDINGS)]
    lenient = bool(data[0] & 0x80)
    path = FOLDER / f"in.{ending}"
    path.write_bytes(data[1:])
    found = load_vectors(path, skip_bad_lines=lenient, note=lambda text: None)
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
    tokenizer = Tokenizer(TextConfig(**chosen))
    ids = tokenizer.tokenize(data[1:] + b"\n").tolist()
    assert documents_of(ids, words_of(tokenizer.table)) == expected(data[1:], chosen)


def asking(data: bytes) -> None:
    """Words asked for, of any kind."""
    text = atheris.FuzzedDataProvider(data).ConsumeUnicode(40)
    found = WordVectors(list(WORDS), VECTORS)
    found.nearest(text, 2)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (vectors, pickles, vocabulary, matrix, questions, groups, history, tokens, asking)
}


def main() -> None:
    """Fuzz one target."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        print(*(f"{name}: {target.__doc__}" for name, target in TARGETS.items()), sep="\n")
        return
    target = TARGETS[sys.argv.pop(1)]
    assert oracle.is_utf8(b"")

    def one(data: bytes) -> None:
        with contextlib.suppress(GloveError):
            target(data)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
