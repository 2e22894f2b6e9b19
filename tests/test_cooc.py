"""The matrix: equal to the oracle bit for bit, equal to the reference's, and the same however the work is cut."""

from __future__ import annotations

import io
import re
from pathlib import Path
from unittest import mock

import numpy as np
import oracle
import pytest
from conftest import AWKWARD_TEXT, SharedData, file_hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.cooc import count, merge
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.errors import CorpusError
from glove_cli.vocab import Vocab, word_from_bytes, word_to_bytes

TOKENS = [
    b"a",
    b"b",
    b"c",
    b"d",
    b"A",
    b"\xc3\x89",
    b"\xc3\xa9",
    b"\xff\xc3",
    b"a\x01",
    b"\x0b",
    b"long" * 300,
    b"\xc2\xa0",
]
GAPS = [b" ", b"\t", b"  ", b" \r\t", b"\r "]
ENDS = [b"\n", b"\r\n", b"\n\n", b" \n\t\n", b"\n\r\n"]


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Draw a text of many short documents over few words, with everything awkward between them."""
    kinds = draw(st.integers(1, len(TOKENS)))
    line = st.lists(st.tuples(st.sampled_from(TOKENS[:kinds]), st.sampled_from(GAPS)), max_size=12)
    lines = draw(st.lists(st.tuples(line, st.sampled_from(ENDS)), min_size=1, max_size=8))
    text = b"".join(b"".join(token + gap for token, gap in tokens) + end for tokens, end in lines)
    return draw(st.sampled_from([text, text.rstrip(b"\r\n\t "), b"\n" + text]))


@st.composite
def options(draw: st.DrawFn) -> dict:
    """Draw what decides the matrix: every option there is."""
    weighting = draw(st.sampled_from(["harmonic", "flat", "linear", "1,0.25,3", "0.3"]))
    listed = weighting.count(",") + 1 if weighting[0].isdigit() else None
    tokenizer = draw(st.sampled_from(["whitespace", "whitespace", "words"]))
    return {
        "tokenizer": tokenizer,
        "token_pattern": draw(st.sampled_from([None, None, "[a-d]", "(.)n"])) if tokenizer == "whitespace" else None,
        "lowercase": draw(st.booleans()),
        "normalize": draw(st.sampled_from([None, None, "NFC", "NFKC"])),
        "document": draw(st.sampled_from(["line", "paragraph", "file", "none"])),
        "encoding_errors": draw(st.sampled_from(["keep", "replace", "skip-token"])),
        "min_count": draw(st.integers(1, 3)),
        "max_vocab": draw(st.none() | st.integers(1, 4)),
        "max_doc_share": draw(st.sampled_from([None, None, 0.3, 0.5, 1.0])),
        "window": listed or draw(st.integers(1, 20)),
        "context": draw(st.sampled_from(["symmetric", "left", "right"])),
        "weighting": weighting,
        "oov": draw(st.sampled_from(["skip", "hold"])),
        "subsample": draw(st.sampled_from([0.0, 0.0, 0.02, 0.2])),
        "seed": draw(st.integers(0, 3)),
    }


def expected_documents(data: bytes | list[bytes], chosen: dict) -> list[list[bytes]]:
    """Return the documents of a corpus under the options for reading, by the oracle."""
    names = ("lowercase", "normalize", "document", "encoding_errors")
    how = {key: chosen[key] for key in names if key in chosen}
    pattern = chosen.get("token_pattern")
    find = re.compile(pattern).findall if pattern else oracle.words if chosen.get("tokenizer") == "words" else None
    return oracle.tokenize(data, find=find, **how)


def expected_matrix(
    data: bytes | list[bytes], chosen: dict
) -> tuple[list[tuple[bytes, int]], dict[tuple[int, int], float]]:
    documents = expected_documents(data, chosen)
    vocab = oracle.vocabulary(
        documents, chosen.get("min_count", 5), chosen.get("max_vocab"), chosen.get("max_doc_share")
    )
    names = ("window", "context", "weighting", "oov", "seed")
    how = {key: chosen[key] for key in names if key in chosen}
    counts = [count for _, count in vocab]
    words = [word for word, _ in vocab]
    return vocab, oracle.cooccurrence(documents, words, counts=counts, share=chosen.get("subsample", 0.0), **how)


def stored_entries(cooc: CoocMatrix) -> dict[tuple[int, int], float]:
    rows = np.repeat(np.arange(cooc.V), np.diff(cooc.indptr)).tolist()
    return dict(zip(zip(rows, cooc.indices.tolist(), strict=True), cooc.data.tolist(), strict=True))


def vocab_pairs(vocab: Vocab) -> list[tuple[bytes, int]]:
    return [(word_to_bytes(word), count) for word, count in zip(vocab.words, vocab.counts.tolist(), strict=True)]


# --- against the oracle ---------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    texts(), options(), st.integers(1, 3), st.integers(1, 80), st.integers(1, 40), st.sampled_from([0, 100, 1 << 20]),
    st.sampled_from([1, 2, count.TOP]), st.sampled_from([1, 3, 1 << 18]),
)  # fmt: skip
def test_every_entry_equals_the_oracle(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    chosen: dict,
    threads: int,
    block: int,
    chunk: int,
    spool: int,
    top: int,
    piece: int,
) -> None:
    out = tmp_path_factory.mktemp("cooc") / "cooc"
    vocab, entries = expected_matrix(data, chosen)
    arguments = {"threads": threads, "_block_bytes": block, "_chunk_tokens": chunk, "_spool_memory": spool, **chosen}
    with mock.patch.object(count, "TOP", top), mock.patch.object(count, "_PIECE", piece):
        if not entries:
            with pytest.raises(CorpusError):
                build_cooc(io.BytesIO(data), out, **arguments)
            assert not out.exists()
            return
        cooc = build_cooc(io.BytesIO(data), out, **arguments)
    assert vocab_pairs(cooc.vocab) == vocab
    if cooc.symmetric:
        assert stored_entries(cooc) == {(i, j): x for (i, j), x in entries.items() if j <= i}
    else:
        assert stored_entries(cooc) == entries
    whole = cooc.to_scipy().tocoo()
    assert (
        dict(zip(zip(whole.row.tolist(), whole.col.tolist(), strict=True), whole.data.tolist(), strict=True)) == entries
    )
    assert cooc.nnz == len(entries)
    assert cooc.stored == len(cooc.indices)
    for i in range(cooc.V):
        columns = cooc.indices[cooc.indptr[i] : cooc.indptr[i + 1]]
        assert np.all(np.diff(columns) > 0)

    documents = expected_documents(data, chosen)
    known = {word for word, _ in vocab}
    meta = cooc.meta
    assert meta["tokens"] == sum(map(len, documents))
    assert meta["kept_tokens"] == sum(token in known for document in documents for token in document)
    assert meta["documents"] == len(documents)
    assert meta["types"] == len({token for document in documents for token in document})


@settings(max_examples=60, deadline=None)
@given(texts(), options())
def test_the_sum_of_all_entries_is_the_sum_of_all_weights(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, chosen: dict
) -> None:
    chosen |= {"subsample": 0.0, "oov": "skip"}
    vocab, entries = expected_matrix(data, chosen)
    if not entries:
        return
    documents = expected_documents(data, chosen)
    how = {key: chosen[key] for key in ("window", "context", "weighting")}
    whole = build_cooc(io.BytesIO(data), tmp_path_factory.mktemp("cooc") / "cooc", threads=1, **chosen).to_scipy()
    # Exact: both sides are sums of multiples of 2^-24.
    assert whole.sum() == oracle.total_weight(documents, [word for word, _ in vocab], **how)
    if chosen["context"] == "symmetric":
        assert (whole != whole.T).nnz == 0


@pytest.mark.parametrize("weighting", ["harmonic", "flat", "linear"])
@pytest.mark.parametrize("window", [1, 2, 15, 1000])
def test_weights_equal_the_oracle(weighting: str, window: int) -> None:
    weights = CoocConfig(window=window, weighting=weighting).weights()
    units = [oracle.weight_units(k, weighting, window) for k in range(1, window + 1)]
    assert weights.tolist() == [0.0, *(n * 2.0**-24 for n in units)]


def test_left_and_right_are_transposes_and_symmetric_is_their_sum(awkward_corpus: Path, tmp_path: Path) -> None:
    made = {c: build_cooc(awkward_corpus, tmp_path / c, min_count=1, context=c) for c in ("symmetric", "left", "right")}
    left, right, both = (made[c].to_scipy() for c in ("left", "right", "symmetric"))
    assert (left != right.T).nnz == 0
    assert (both != left + right).nnz == 0
    assert [made[c].symmetric for c in ("symmetric", "left", "right")] == [True, False, False]


def test_left_has_the_left_word_in_its_row(tmp_path: Path) -> None:
    cooc = build_cooc(io.BytesIO(b"x y\n"), tmp_path / "cooc", min_count=1, context="left")
    assert (list(cooc.vocab.words), stored_entries(cooc)) == (["x", "y"], {(0, 1): 1.0})


def test_windows_do_not_cross_documents(tmp_path: Path) -> None:
    cooc = build_cooc(io.BytesIO(b"a b\nc d\n\ne f"), tmp_path / "cooc", min_count=1)
    assert stored_entries(cooc) == {(1, 0): 1.0, (3, 2): 1.0, (5, 4): 1.0}


def test_windows_do_not_cross_files(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_bytes(b"a b")
    (tmp_path / "2.txt").write_bytes(b"c d")
    cooc = build_cooc([tmp_path / "1.txt", tmp_path / "2.txt"], tmp_path / "cooc", min_count=1)
    assert stored_entries(cooc) == {(1, 0): 1.0, (3, 2): 1.0}
    assert [Path(name).name for name in cooc.meta["sources"]] == ["1.txt", "2.txt"]


def test_unknown_words_are_dropped_before_distances_are_measured(tmp_path: Path) -> None:
    cooc = build_cooc(io.BytesIO(b"a x b\na y b\n"), tmp_path / "cooc", min_count=2, window=1)
    assert stored_entries(cooc) == {(1, 0): 2.0}


def test_a_pair_of_the_same_word_counts_twice(tmp_path: Path) -> None:
    assert stored_entries(build_cooc(io.BytesIO(b"a a"), tmp_path / "s", min_count=1)) == {(0, 0): 2.0}
    assert stored_entries(build_cooc(io.BytesIO(b"a a"), tmp_path / "l", min_count=1, context="left")) == {(0, 0): 1.0}


def test_a_given_vocabulary_is_used_whole_and_in_its_order(tmp_path: Path) -> None:
    vocab = Vocab(["rare", "b", "never", "a"], np.array([9, 8, 7, 6]))
    vocab.save(tmp_path / "vocab.txt")
    for number, given_vocab in enumerate((vocab, tmp_path / "vocab.txt")):
        cooc = build_cooc(io.BytesIO(b"a x b rare"), tmp_path / str(number), vocab=given_vocab, window=1)
        assert cooc.vocab == vocab
        assert stored_entries(cooc) == {(1, 0): 1.0, (3, 1): 1.0}


def test_what_happened_is_written_down(awkward_corpus: Path, tmp_path: Path) -> None:
    cooc = build_cooc(awkward_corpus, tmp_path / "cooc", min_count=2, window=3)
    assert CoocConfig(**cooc.meta["options"]) == CoocConfig(min_count=2, window=3)
    assert cooc.meta["V"] == cooc.V == len(cooc.vocab)
    again = load_cooc(tmp_path / "cooc")
    again.verify()
    assert again.meta == cooc.meta
    assert stored_entries(again) == stored_entries(cooc)
    assert not again.data.flags.writeable


def test_progress_goes_from_the_start_to_the_end(awkward_corpus: Path, tmp_path: Path) -> None:
    said: dict[str, list[tuple[int, int | None]]] = {}
    build_cooc(
        awkward_corpus,
        tmp_path / "cooc",
        min_count=1,
        _block_bytes=16,
        _chunk_tokens=5,
        progress=lambda stage, done, total, unit: said.setdefault(stage, []).append((done, total)),
    )
    assert {"reading", "counting"} <= set(said)
    for steps in said.values():
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)
        assert len({total for _, total in steps}) == 1
        assert steps[-1][0] == steps[-1][1]
    assert said["reading"][-1][1] == len(AWKWARD_TEXT)


# --- however the work is cut ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def longer_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 60,000 tokens over 3,000 words of Zipf's law in lines of very different length."""
    rng = np.random.default_rng(8)
    ids = np.minimum(rng.zipf(1.3, size=60_000), 3000)
    words = np.char.add("w", ids.astype(str))
    ends = np.where(rng.random(len(ids)) < 0.01, "\n", " ")
    path = tmp_path_factory.mktemp("text") / "longer.txt"
    path.write_text("".join(np.char.add(words, ends).tolist()))
    return path


@pytest.mark.parametrize("context", ["symmetric", "left", "right"])
def test_the_matrix_is_the_same_for_any_threads_blocks_and_chunks(
    longer_text: Path, tmp_path: Path, context: str
) -> None:
    cuts = [
        {"threads": 1},
        {"threads": 2},
        {"threads": 3, "_block_bytes": 1000},
        {"threads": 7, "_block_bytes": 50_000},
        {"threads": 1, "_chunk_tokens": 7001},
        {"threads": 7, "_chunk_tokens": 20_000, "_block_bytes": 12_345},
        {"threads": 2, "_chunk_tokens": 500},  # more parts than are merged at a time
    ]
    hashes = []
    for number, cut in enumerate(cuts):
        cooc = build_cooc(longer_text, tmp_path / str(number), min_count=2, context=context, **cut)
        hashes.append({**file_hashes(cooc.path), "tokens": cooc.meta["tokens"], "documents": cooc.meta["documents"]})
    assert set(hashes[0]) == {"vocab.txt", "indptr.npy", "indices.npy", "data.npy", "tokens", "documents"}
    assert all(each == hashes[0] for each in hashes[1:])
    assert merge.MAX_PARTS < 60_000 / 500


def test_the_same_tokens_are_left_out_for_any_threads(longer_text: Path, tmp_path: Path) -> None:
    hashes = []
    for threads in (1, 2, 3):
        out = tmp_path / str(threads)
        cooc = build_cooc(longer_text, out, subsample=1e-3, document="none", threads=threads, _block_bytes=1000)
        assert cooc.meta["sampled_tokens"]
        hashes.append(file_hashes(cooc.path))
    assert hashes[1:] == hashes[:-1]


def test_documents_after_the_last_known_word_are_still_counted(tmp_path: Path) -> None:
    data = b"a a a\n" + b"".join(b"x%d\n" % i for i in range(50))
    for chunk in (1, 2, 3, 5, 1000):
        cooc = build_cooc(
            io.BytesIO(data), tmp_path / str(chunk), min_count=2, window=1, _chunk_tokens=chunk, _block_bytes=8
        )
        meta = cooc.meta
        assert (meta["tokens"], meta["kept_tokens"], meta["documents"], meta["types"]) == (53, 3, 51, 51)


def test_files_streams_and_pieces_give_the_same_matrix(longer_text: Path, tmp_path: Path) -> None:
    lines = longer_text.read_bytes().split(b"\n")
    (tmp_path / "1.txt").write_bytes(b"\n".join(lines[:100]))
    (tmp_path / "2.txt").write_bytes(b"\n".join(lines[100:]))
    made = [
        build_cooc(longer_text, tmp_path / "a"),
        build_cooc(str(longer_text), tmp_path / "b"),
        build_cooc([tmp_path / "1.txt", str(tmp_path / "2.txt")], tmp_path / "c"),
        build_cooc(io.BytesIO(longer_text.read_bytes()), tmp_path / "d"),
    ]
    with longer_text.open("rb") as file:
        made.append(build_cooc(file, tmp_path / "e"))
    assert all(file_hashes(cooc.path) == file_hashes(made[0].path) for cooc in made)


# --- against the reference's files ----------------------------------------------------------------------------------

MATRICES = [
    ("symmetric.w15", {"window": 15}),
    ("left.w10", {"window": 10, "context": "left"}),
    ("flat.w5", {"window": 5, "weighting": "flat"}),
]


def test_the_vocabulary_equals_the_reference(shared_data: SharedData, tmp_path: Path) -> None:
    cooc = build_cooc(shared_data.path("stanford/corpus.txt"), tmp_path / "cooc")
    ours = vocab_pairs(cooc.vocab)
    theirs = oracle.read_reference_vocab(shared_data.path("stanford/vocab.txt"))
    # The reference orders ties by signed bytes, so that `é` comes before `a`; ours by bytes. Nothing else differs.
    assert sorted(theirs, key=lambda pair: (-pair[1], pair[0])) == ours
    assert sorted(ours, key=lambda pair: (-pair[1], oracle.signed_bytes(pair[0]))) == theirs
    assert (cooc.meta["tokens"], cooc.meta["documents"]) == (272_720, 60)


@pytest.mark.parametrize("own", [False, True], ids=["given vocabulary", "own vocabulary"])
@pytest.mark.parametrize(("name", "chosen"), MATRICES, ids=[name for name, _ in MATRICES])
def test_the_matrix_equals_the_reference(
    shared_data: SharedData, tmp_path: Path, name: str, chosen: dict, own: bool
) -> None:
    vocab = None if own else shared_data.path("stanford/vocab.txt")
    cooc = build_cooc(shared_data.path("stanford/corpus.txt"), tmp_path / "cooc", vocab=vocab, **chosen)
    words = [word_from_bytes(word) for word, _ in oracle.read_reference_vocab(shared_data.path("stanford/vocab.txt"))]
    ids = np.array([cooc.vocab.index[word] for word in words])
    row, col, x = oracle.read_reference_cooccurrence(shared_data.path(f"stanford/cooccurrence.{name}.bin"))
    row, col = ids[row], ids[col]
    order = np.lexsort((col, row))
    whole = cooc.to_scipy().tocoo()
    assert np.array_equal(whole.row, row[order])
    assert np.array_equal(whole.col, col[order])
    # 1/d rounded to a multiple of 2^-24 is off by at most 2^-25, relative to it d 2^-25: 4.5e-7 for d = 15; the
    # reference's own sums are off by a few 1e-16 each.
    assert np.abs(whole.data / x[order] - 1).max() < 15 * 2.0**-25 + 1e-12 < 1e-6
