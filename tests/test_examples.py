"""The examples run as they stand, print what the library says, and refuse wrong input in one line."""

from __future__ import annotations

import csv
import importlib.util
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scipy.sparse
from conftest import REPOSITORY

from glove_cli import GloveModel, WordVectors, build_cooc, export_vectors, load_vectors, train

EXAMPLES = REPOSITORY / "examples"
SAMPLE = REPOSITORY / "corpora" / "sample.txt"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run an example in an empty folder, and expect it to succeed unless `code` says otherwise."""

    def run(name: str, *arguments: str | Path, code: int = 0, path: str = "") -> subprocess.CompletedProcess[str]:
        folders = os.pathsep.join(filter(None, (path, str(REPOSITORY))))
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # more would only wait for each other
        env = {**os.environ, **threads, "PYTHONPATH": folders, "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, EXAMPLES / f"{name}.py", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def module(name: str) -> ModuleType:
    """Import an example, which runs nothing of it."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def need(package: str) -> None:
    """Skip a test where a package is missing, without importing it; torch is too large for the extra dev."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def sample_model(folder: Path, **options: object) -> GloveModel:
    """Train a model as the examples do."""
    cooc = build_cooc(SAMPLE, folder / "cooc", min_count=3, window=10, **options)
    return train(cooc, dim=50, epochs=50, x_max=10, seed=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> GloveModel:
    return sample_model(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def exported(model: GloveModel, tmp_path_factory: pytest.TempPathFactory) -> WordVectors:
    """The vectors as other programs get them, with `<unk>`."""
    path = tmp_path_factory.mktemp("exported") / "vectors.npy"
    export_vectors(model, path)
    return load_vectors(path)


def test_every_example_is_listed_with_its_command() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+ \| `(\w+)\.py` \| `python examples/(\w+)\.py .+` \|$", text, re.M)
    assert sorted(rows) == [(name, name) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_short_and_says_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert f"\n    python examples/{name}.py" in (module(name).__doc__ or "")
    assert len(text.splitlines()) <= 110


# --- texts of one's own ---------------------------------------------------------------------------------------------


def test_text_comes_out_of_pages_as_it_went_in(run: Run) -> None:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()[:80]
    assert "-\n" in module("pdf_text").example()
    done = run("pdf_text")
    assert done.stdout.splitlines() == [" ".join(lines[k : k + 4]) for k in range(0, 80, 4)]
    assert done.stderr.splitlines() == [
        "example: left out 3 times: Short Sentences",
        "example: left out 3 times: - # -",
    ]


def test_words_are_joined_at_line_ends_unless_the_hyphen_is_theirs() -> None:
    pdf_text = module("pdf_text")
    text = (
        "a long sen-\ntence of a well-\nknown kind, well-known\nin Anglo-\nSaxon 2019-\n2020 soft\u00ad\nly\n\n\nnext"
    )
    assert pdf_text.paragraphs(text) == [
        "a long sentence of a well-known kind, well-known in Anglo-Saxon 2019-2020 softly",
        "next",
    ]


def test_heads_and_feet_of_pages_are_left_out_and_paragraphs_go_on() -> None:
    pdf_text = module("pdf_text")
    page = "Left {n}\n\nReport of 1999\n\n{text}\n\nPage {n} of 3\n"
    texts = ["One begins\nhere and", "ends. Its 3 parts are told.", "12\n\nNew one."]
    body, left_out = pdf_text.without_heads("\f".join(page.format(n=n, text=t) for n, t in enumerate(texts, 1)))
    assert pdf_text.paragraphs(body) == ["One begins here and ends. Its 3 parts are told.", "12", "New one."]
    assert left_out == {"Left #": 3, "Report of #": 3, "Page # of #": 3}


def test_domain_corpus_prints_the_neighbours_of_the_library(run: Run, tmp_path: Path) -> None:
    model = sample_model(tmp_path, lowercase=True, tokenizer="words", normalize="NFKC")
    with (tmp_path / "table.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = enumerate(SAMPLE.read_text(encoding="utf-8").upper().splitlines())
        csv.writer(file).writerows([("id", "what"), *((k, text.replace(",", ",\n\n")) for k, text in rows)])
    words = ["--words", "river", "queen"]
    done = run("domain_corpus", "table.csv", "--column", "what", *words, "-o", "domain.npy")
    first, *lines = done.stdout.splitlines()
    assert first == f"398 documents, 3823 words; vectors of {len(model.vocab)} words"
    written = load_vectors(tmp_path / "domain.npy")
    assert written.words[:-1] == model.vocab.words
    assert np.array_equal(written.matrix[:-1], model.W + model.C)
    vectors = WordVectors(model.vocab.words, model.W + model.C)
    assert [line.split() for line in lines] == [
        [word, *(part for near in vectors.nearest(word, 6) for part in (near.word, f"{near.similarity:.2f}"))]
        for word in ("river", "queen")
    ]
    assert run("domain_corpus", *words).stdout == done.stdout  # of the text itself


def test_documents_are_a_line_each_however_they_are_read() -> None:
    documents = module("domain_corpus").Documents
    texts = ["one\n\ntwo", "", "caf\u00e9 " * 5, "end"]
    expected = b"one two\n\n" + "caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9\n".encode() + b"end\n"
    for size in (1, 3, 100):
        file = documents("name", texts)
        assert file.read(0) == b""
        assert b"".join(iter(lambda f=file, n=size: f.read(n), b"")) == expected


# --- from vectors, and between texts --------------------------------------------------------------------------------


def test_fine_tune_prints_how_far_words_moved(run: Run, tmp_path: Path) -> None:
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    (tmp_path / "text.txt").write_bytes(b"".join(lines[1::2]))
    (tmp_path / "public.txt").write_bytes(b"".join(lines[::2]))
    reading = {"min_count": 3, "window": 10, "lowercase": True, "tokenizer": "words"}
    settings = {"epochs": 50, "x_max": 10, "seed": 1, "dim": 50}
    export_vectors(
        train(build_cooc(tmp_path / "public.txt", tmp_path / "a", **reading), **settings), tmp_path / "p.npy"
    )
    public = load_vectors(tmp_path / "p.npy")
    cooc = build_cooc(tmp_path / "text.txt", tmp_path / "b", **reading)
    model = train(cooc, init=public, anchor_strength=10, **settings)
    tuned = WordVectors(model.vocab.words, model.W + model.C)
    done = run("fine_tune", "text.txt", "--vectors", "p.npy", "--anchor", "10", "-o", "all.npy")
    known = [word for word in tuned.words if word in public]
    cosines = {word: float(public.unit_rows[public.row(word)] @ tuned.unit_rows[tuned.row(word)]) for word in known}
    assert f"{len(tuned)} words of the text: {len(known)} have a public vector" in done.stdout
    assert f"keep a cosine of {np.mean(list(cosines.values())):.3f} " in done.stdout
    shown = re.findall(r"^(\S+) +(-?\d\.\d{3})  ", done.stdout, re.M)
    assert [word for word, _ in shown] == sorted(known, key=cosines.__getitem__)[:8]
    assert [float(cosine) for _, cosine in shown] == pytest.approx([cosines[word] for word, _ in shown], abs=6e-4)
    merged = load_vectors(tmp_path / "all.npy")
    assert merged.words == public.words + [word for word in tuned.words if word not in public]
    for word in merged.words:
        assert np.array_equal(merged[word], tuned[word] if word in tuned else public[word])


def test_the_words_that_changed_places_shift_the_most(run: Run) -> None:
    done = run("compare_corpora", "--words", "river", "mother", "the")
    rows = {
        word: [float(number) for number in numbers]
        for word, *numbers in re.findall(r"^(\w+) +(\d\.\d+)  (\d\.\d+)  (\d\.\d+)  ", done.stdout, re.M)
    }
    assert list(rows) == ["river", "mother", "the"]
    for word in ("river", "mother"):
        assert rows[word][1] < 0.1 < rows[word][2] < rows[word][0]
    assert rows["the"][0] < min(rows["river"][0], rows["mother"][0])
    example = module("compare_corpora")
    first = SAMPLE.read_bytes().splitlines()
    second = [b" ".join(example.SWAP.get(word, word) for word in line.split()) for line in first]
    pairs = [[example.vectors_of(first), example.vectors_of(second)]]
    for seed in range(5):
        lines = [*first, *second]
        random.Random(seed).shuffle(lines)
        pairs.append([example.vectors_of(lines[: len(first)]), example.vectors_of(lines[len(first) :])])
    words = [word for word in pairs[0][0].words if all(word in vectors for pair in pairs for vectors in pair)]
    shift, *deals = (example.shifts(*pair, words) for pair in pairs)
    seeds = example.shifts(pairs[0][0], example.vectors_of(first, seed=2), words)
    for word, row in rows.items():
        assert row == pytest.approx([shift[word], seeds[word], max(deal[word] for deal in deals)], abs=6e-4)
    assert f"\n{sum(shift[w] > max(deal[w] for deal in deals) for w in words)} words shift more" in done.stdout
    assert f"  {np.mean(list(shift.values())):.3f} from one text to the other,\n" in done.stdout
    assert f"  {np.mean(list(seeds.values())):.3f} from one seed to another" in done.stdout
    assert f"  {np.mean([list(deal.values()) for deal in deals]):.3f} from one deal" in done.stdout
    near = dict(re.findall(r"^(river|mother) +.*\d  (.+)$", done.stdout, re.M))
    assert set(near["river"].split(" | ")[1].split()) & set(near["mother"].split(" | ")[0].split())


def test_a_shift_is_blind_to_the_axes() -> None:
    shifts = module("compare_corpora").shifts
    rng = np.random.default_rng(1)
    words = [f"w{i}" for i in range(40)]
    matrix = rng.normal(size=(40, 5)).astype(np.float32)
    turned = matrix @ np.linalg.qr(rng.normal(size=(5, 5)))[0].astype(np.float32)
    first, second = WordVectors(words, matrix), WordVectors(words[::-1], turned[::-1])
    assert max(map(abs, shifts(first, second, words).values())) < 1e-5
    other = WordVectors(words, rng.normal(size=(40, 5)).astype(np.float32))
    assert min(shifts(first, other, words).values()) > 0.01


# --- other programs -------------------------------------------------------------------------------------------------


def test_gensim_has_the_neighbours_and_counts_of_the_library(
    run: Run, model: GloveModel, exported: WordVectors
) -> None:
    need("gensim")
    words = ["paris", "rome", "bread"]
    first, *lines, last = run("feed_gensim", "--words", *words).stdout.splitlines()
    assert first == f"gensim has {len(exported)} words of 50 numbers; the last is <unk>."
    for word, line in zip(words, lines, strict=True):
        head, near = re.sub(r" +", " ", line).split(" nearest: ")
        assert head == f"{word} count {model.vocab.counts[model.vocab.index[word]]}"
        assert near.split()[::2] == [n.word for n in exported.nearest(word, 5)]
        cosines = [n.similarity for n in exported.nearest(word, 5)]
        assert [float(cosine) for cosine in near.split()[1::2]] == pytest.approx(cosines, abs=6e-4)
    assert last.split()[-1] == exported.odd_one_out(words)[0].word


def test_spacy_has_the_vectors_of_the_library(run: Run, exported: WordVectors) -> None:
    need("spacy")
    texts = ["Paris in winter", "The river xyzzy"]
    first, *lines = run("feed_spacy", "--texts", *texts, "--lang", "xx", "-o", "pipeline").stdout.splitlines()
    assert first == f"spaCy has {len(exported)} vectors of 50 numbers."
    zero = np.zeros(50, np.float32)
    rows = [
        dict(zip(exported.words, exported.matrix, strict=True)).get(w, zero) for w in " ".join(texts).lower().split()
    ]
    means = [np.mean(rows[:3], axis=0), np.mean(rows[3:], axis=0)]
    cosine = means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1])
    assert lines == [
        " 1.000  paris in winter",
        f"{cosine:6.3f}  the river xyzzy  (without a vector: xyzzy)",
    ]


def test_scikit_learn_classifies_by_weighted_means(run: Run, tmp_path: Path) -> None:
    need("sklearn")
    example = module("feed_sklearn")
    matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]], np.float32)
    weights = scipy.sparse.csr_matrix([[1.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    assert example.mean_vectors(weights, matrix).tolist() == [[4.0, 5.75], [0.0, 0.0]]
    pairs = example.labelled_sample()
    marks = {word for words in example.TOPICS.values() for word in words.split()}
    assert not any(marks & set(text.split()) for _, text in pairs)
    first, *lines = run("feed_sklearn").stdout.splitlines()
    labels = [label for label, _ in pairs]
    most = max(labels.count(label) for label in example.TOPICS)
    assert first.startswith(f"{len(pairs)} texts: {most} places, ")
    shares = {name.strip(): float(share) for name, share in (re.split(r" +(?=\d)|% right", line)[:2] for line in lines)}
    assert shares["most frequent label"] == pytest.approx(100 * most / len(pairs), abs=0.5)  # folds differ by a text
    assert min(shares["mean of word vectors"], shares["words alone"]) > shares["most frequent label"] + 3


@pytest.mark.parametrize("name", ["vectors.safetensors", "vectors.npy"])
def test_rows_for_pytorch_are_in_the_order_of_the_words(name: str, exported: WordVectors, tmp_path: Path) -> None:
    example = module("feed_pytorch")
    export_vectors(exported, tmp_path / name)
    words, matrix = example.read(tmp_path / name)
    assert words == exported.words
    assert np.array_equal(matrix, exported.matrix)
    paris, unknown, padding = exported.row("paris"), exported.row("<unk>"), len(exported)
    assert example.encode(["paris xyzzy", "paris", "paris in winter"], words).tolist() == [
        [paris, unknown, padding],
        [paris, padding, padding],
        [paris, exported.row("in"), exported.row("winter")],
    ]


def test_pytorch_has_the_vectors_of_the_library(run: Run, exported: WordVectors) -> None:
    need("torch")
    lines = run("feed_pytorch", "--texts", "paris in winter", "bread").stdout.splitlines()
    assert lines[0] == f"The layer has {len(exported) + 1} rows of 50 numbers: {len(exported)} words, padding."
    assert lines[1] == "Its gradient at the row of padding is 0: it stays 0."
    mean = np.mean([exported[word] for word in ("paris", "in", "winter")], axis=0)
    cosine = mean @ exported["bread"] / np.linalg.norm(mean) / np.linalg.norm(exported["bread"])
    assert float(lines[3].split()[0]) == pytest.approx(cosine, abs=6e-4)


# --- what is wrong --------------------------------------------------------------------------------------------------


def refused(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> str:
    """Run an example in this process, which saves the time to start one; return what it ends with."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as error:
        module(name).main()
    return str(error.value.code)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("pdf_text", ["missing.txt"], r"missing\.txt: can't be read: No such file"),
        ("pdf_text", ["latin.txt"], r"latin\.txt: can't be read: it is not UTF-8"),
        ("pdf_text", ["report.pdf"], r"report\.pdf: is a PDF itself\. Run pdftotext first\."),
        ("domain_corpus", ["missing.txt"], r"missing\.txt: can't be read: No such file"),
        ("domain_corpus", ["missing.csv"], r"missing\.csv: can't be read: No such file"),
        ("domain_corpus", ["latin.csv"], r"latin\.csv: can't be read: .*utf-8"),
        ("domain_corpus", ["table.csv"], r"table\.csv: has no column 'text', but id, what\. Name one of them"),
        ("domain_corpus", ["--min-count", "0"], r"--min-count: 0 is "),
        ("fine_tune", ["missing.txt"], r"missing\.txt: can't be read: No such file"),
        ("fine_tune", ["--vectors", "missing.txt"], r"missing\.txt: does not exist"),
        ("fine_tune", ["--anchor", "-1"], r"--anchor-strength: -1.0 is not a number of 0 or more"),
        ("fine_tune", ["--words", "xyzzy"], r"xyzzy: is not among the 153 words"),
        ("compare_corpora", ["table.csv"], r"TEXT: 1 given\. Name two texts"),
        ("compare_corpora", ["missing.txt", "table.csv"], r"missing\.txt: can't be read: No such file"),
        ("compare_corpora", ["table.csv", "table.csv"], r".*--min-count"),
        ("feed_gensim", ["missing.txt"], r"missing\.txt: does not exist"),
        ("feed_spacy", ["missing.txt"], r"missing\.txt: does not exist"),
        ("feed_sklearn", ["missing.tsv"], r"missing\.tsv: can't be read: .*No such file"),
        ("feed_sklearn", ["table.csv"], r"table\.csv: line 1 has no tab"),
        ("feed_sklearn", ["few.tsv"], r"few\.tsv: has 2 texts\. Give two labels or more, with 5 texts each"),
        ("feed_pytorch", ["missing.npy"], r"missing\.npy: can't be read: .*No such file"),
    ],
)
@pytest.mark.usefixtures("in_a_folder")
def test_wrong_input_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, arguments: list[str], message: str
) -> None:
    for package in ("gensim.models", "spacy", "torch"):  # they are not come to
        stub = ModuleType(package)
        stub.KeyedVectors = None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, package, stub)
    Path("report.pdf").write_bytes(b"%PDF-1.7\n")
    Path("latin.txt").write_bytes(b"caf\xe9\n")
    Path("latin.csv").write_bytes(b"text\ncaf\xe9\n")
    Path("table.csv").write_text("id,what\n1,words\n")
    Path("few.tsv").write_text("a\tone\nb\ttwo\n")
    assert re.fullmatch(rf"Error: {message}.*", refused(monkeypatch, name, *arguments))
    assert capsys.readouterr() == ("", "")


def test_what_an_example_ends_with_is_an_error_to_the_shell(run: Run) -> None:
    done = run("pdf_text", "missing.txt", code=1)
    assert done.stdout == ""
    assert re.fullmatch(r"Error: missing\.txt: .*\n", done.stderr)


@pytest.mark.parametrize(
    ("name", "modules", "package"),
    [
        ("feed_gensim", ["gensim", "gensim.models"], "gensim"),
        ("feed_spacy", ["spacy"], "spacy"),
        ("feed_sklearn", ["sklearn", "sklearn.dummy"], "scikit-learn"),
        ("feed_pytorch", ["torch"], "torch"),
    ],
)
def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, modules: list[str], package: str
) -> None:
    for missing in modules:
        monkeypatch.setitem(sys.modules, missing, None)
    message = refused(monkeypatch, name)
    assert re.fullmatch(rf"Error: [\w-]+: is not installed\. Install it with: pip install {package}", message)
