"""`glove plot`: one picture for one seed, labels that stand apart, no boxes, one error for each wrong input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from test_cli_build_cooc import fails, glove
from test_vectors_export import make_model

import glove_cli
from glove_cli import FormatError, OptionError, OutputError, UnknownWordError, WordVectors, draw_words
from glove_cli.plots import fonts
from glove_cli.plots.choice import choose_words
from glove_cli.plots.clusters import cluster_words
from glove_cli.plots.figure import house_style
from glove_cli.plots.map import draw_map
from glove_cli.plots.pairs import read_pairs, read_words
from glove_cli.plots.projection import METHODS, principal_places, project


def some_vectors(n: int = 30, d: int = 8, words: list[str] | None = None) -> WordVectors:
    matrix = np.random.default_rng(1).normal(size=(n, d)).astype(np.float32)
    return WordVectors(words if words is not None else [f"w{k}" for k in range(n)], matrix)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    make_model(words=["france", "paris", "italy", "rome", "\udcff"]).save("glove-run/model")
    return tmp_path


# --- places ---------------------------------------------------------------------------------------------------------


def test_pca_is_that_of_the_singular_values() -> None:
    vectors = some_vectors()
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    centred = (unit - unit.mean(axis=0)).astype(np.float64)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    places, shares = principal_places(vectors.matrix)
    expected = left[:, :2] * values[:2]
    # float32 rows of length 1: each is off by at most d / 2**24 along a direction.
    assert np.abs(np.abs(places) - np.abs(expected)).max() < 1e-5
    assert np.abs(shares - values[:2] ** 2 / (values**2).sum()).max() < 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_places_are_finite_for_any_number_of_words_and_vectors_that_are_equal(method: str) -> None:
    for n in (3, 4, 7):
        places = project(some_vectors(n).matrix, method)
        assert (places.shape, places.dtype) == ((n, 2), np.float64)
        assert np.isfinite(places).all()
    matrix = np.repeat(some_vectors(6).matrix, 3, axis=0)
    assert np.isfinite(project(matrix, method)).all()
    assert np.isfinite(project(matrix * np.float32(1e-30), method)).all()


@pytest.mark.parametrize("method", METHODS)
def test_near_vectors_get_near_places(method: str) -> None:
    rng = np.random.default_rng(0)
    middles = np.eye(3, 12) * 10
    matrix = np.concatenate([middle + rng.normal(size=(20, 12)) for middle in middles])
    places = project(matrix, method)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 20 == np.repeat(np.arange(3), 20)).all()


@pytest.mark.parametrize("method", METHODS)
def test_vectors_that_are_all_equal_have_no_places(method: str) -> None:
    for matrix in (np.ones((5, 4)), np.outer(np.arange(1, 6), np.arange(1, 5)), np.zeros((5, 4))):
        with pytest.raises(OptionError, match=r"vectors: all 5 .*there is nothing to tell apart"):
            project(matrix.astype(np.float32), method)


def test_what_has_no_places_is_refused() -> None:
    with pytest.raises(OptionError, match=r"vectors: 2 of them, but a picture needs 3 or more"):
        project(np.eye(2))
    with pytest.raises(OptionError, match="not finite"):
        project(np.array([[1, 2], [np.nan, 1], [3, 1]]), unit=False)
    with pytest.raises(OptionError, match="--method: 'mds' is unknown"):
        project(np.eye(3), "mds")
    with pytest.raises(OptionError, match="--seed: -1 is not"):
        project(np.eye(3), seed=-1)


# --- the same bytes -------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys, numpy as np\nfrom glove_cli import WordVectors, draw_words\n"
        "m = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)\n"
        "v = WordVectors([f'w{k}' for k in range(30)], m)\n"
        "for method in ('pca', 'tsne'):\n"
        "    for suffix in ('png', 'svg', 'pdf'):\n"
        "        draw_words(v, f'{sys.argv[1]}/{method}.{suffix}', method=method, clusters=3, seed=5, title='a')\n"
    )
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "1")])
    exec(code, {})
    env = {**os.environ, "PYTHONPATH": str(Path(glove_cli.__file__).parents[1]), "PYTHONHASHSEED": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / "2")],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    made = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(made) == 6
    for name in made:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
    assert "<text" in (tmp_path / "1" / "tsne.svg").read_text()


def test_the_same_seed_gives_the_same_places_by_umap() -> None:  # which compiles for half a minute in each process
    matrix = some_vectors(30).matrix
    places = project(matrix, "umap", seed=5)
    assert np.array_equal(project(matrix, "umap", seed=5), places)
    assert not np.array_equal(project(matrix, "umap", seed=6), places)


# --- labels ---------------------------------------------------------------------------------------------------------


def test_no_label_covers_another() -> None:
    places = np.random.default_rng(0).normal(size=(500, 2))
    with house_style():
        drawn = draw_map(places, [f"word{k}" for k in range(500)], (8.0, 8.0))
        renderer = FigureCanvasAgg(drawn.figure).get_renderer()
        boxes = np.array([text.get_window_extent(renderer).extents for text in drawn.texts])
    assert len(boxes) == drawn.labelled.sum() > 100
    shared = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    overlap = np.where((shared > 0).all(axis=2), shared.prod(axis=2), 0.0)
    np.fill_diagonal(overlap, 0)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert overlap.sum() / areas.sum() < 1e-3
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= 8 * 72).all()


def test_labels_without_room_are_counted_and_their_points_stay(tmp_path: Path) -> None:
    drawn = draw_words(some_vectors(300), tmp_path / "a.svg", top=300, inches=(3, 3), method="pca")
    left = 300 - len(drawn.labelled)
    assert left > 0
    assert f"{left} of 300 labels left out: they would overlap. A larger --size has room for more." in drawn.notes
    assert len(drawn.words) == 300


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_words_that_no_font_has_are_left_out_and_no_glyph_is_missed(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    fonts._characters.cache_clear()
    words = ["paris", "\U0001e900\U0001e901", "\u0391\u03b8\u03ae\u03bd\u03b1", "\u05e9\u05dc\u05d5\u05dd", "caf\u00e9"]
    vectors = some_vectors(len(words), words=words)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw_words(vectors, tmp_path / f"a.{suffix}", method="pca", title="\U0001e900 a", clusters=2)
    assert caplog.text == ""
    lacking = fonts.fonts_for(words)[1]
    out = [word for word in words if lacking.intersection(word)]
    assert not set(out) & set(drawn.labelled)
    assert set(drawn.words) == set(words)
    notes = [note for note in drawn.notes if "no installed font" in note]
    assert len(notes) == bool(out)
    for note in notes:
        assert note.startswith(f"{len(out)} of 5 labels left out")
        assert "Install a font" in note


def test_a_font_is_looked_for_and_the_font_of_boxes_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fonts.fonts_for(["abc", "\u0391"]) == ([], set())
    having = {"DejaVu Sans": "ab", "One": "xy", "Two": "xyz", "Three": "w"}
    monkeypatch.setattr(fonts, "_characters", lambda family: frozenset(map(ord, having[family])))
    monkeypatch.setattr(fonts, "_families", lambda: iter(having))
    assert fonts.fonts_for(["axyz", "w?"]) == (["Two", "Three"], {"?"})
    monkeypatch.undo()
    assert fonts._characters("Last Resort High-Efficiency") == frozenset()


def test_letters_that_this_matplotlib_does_not_join_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = some_vectors(3, words=["\u05e9\u05dc\u05d5\u05dd", "b", "c"])
    monkeypatch.setattr("glove_cli.plots.words.is_shaped", lambda: False)
    assert "Install matplotlib 3.11" in draw_words(vectors, tmp_path / "a.png", method="pca").notes[0]


def test_a_history_with_a_title_that_no_font_has_misses_no_glyph(tmp_path: Path) -> None:
    glove_cli.draw_history([{"epoch": 1, "cost": 0.1}], tmp_path / "a.png", title="\U0001e900")


def test_a_label_is_the_word_escaped_and_cut() -> None:
    assert fonts.label_of("$a_b^c\\d") == "$a_b^c\\d"
    assert fonts.label_of("a\udcff\x07") == "a\\xff\\x07"
    assert fonts.label_of("x" * 99) == "x" * 27 + "\u2026"


def test_signs_of_formulas_are_drawn_as_they_are(tmp_path: Path) -> None:
    draw_words(some_vectors(4, words=["$x", "a_b$", "^\\frac", "d"]), tmp_path / "a.svg", method="pca")
    text = (tmp_path / "a.svg").read_text()
    assert all(f">{word}<" in text for word in ("$x", "a_b$", "^\\frac"))


# --- clusters and pairs ---------------------------------------------------------------------------------------------


def test_clusters_are_found_and_the_largest_is_first() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [10, 30, 20])
    matrix = np.eye(3, 6)[truth] * 10 + rng.normal(size=(60, 6))
    cluster, central = cluster_words(matrix, 3)
    assert (cluster == np.array([2, 0, 1])[truth]).all()
    assert [len(words) for words in central] == [3, 3, 3]
    assert all((cluster[words] == c).all() for c, words in enumerate(central))
    with pytest.raises(OptionError, match="--clusters: 4 are more than the 3 different vectors"):
        cluster_words(np.eye(3), 4)
    for clusters in (1, 25):
        with pytest.raises(OptionError, match="from 2 to 24"):
            cluster_words(np.eye(3), clusters)


def test_pairs_are_read_with_blanks_or_tabs(tmp_path: Path) -> None:
    path = tmp_path / "pairs"
    path.write_bytes(b"\xef\xbb\xbf# comment\r\n a  b \r\nnew york\tusa\n\na b\n\xff c\n")
    assert read_pairs(path) == [("a", "b"), ("new york", "usa"), ("\udcff", "c")]
    for line, message in ((b"one", "line 2 is not two words: 'one'"), (b"a a", "line 2 names the same word twice")):
        path.write_bytes(b"a b\n" + line)
        with pytest.raises(FormatError, match=message):
            read_pairs(path)
    path.write_bytes(b"# nothing\n")
    with pytest.raises(FormatError, match="holds no pair"):
        read_pairs(path)
    (tmp_path / "empty").write_bytes(b"\n")
    with pytest.raises(FormatError, match="holds no word"):
        read_words(tmp_path / "empty")
    with pytest.raises(FormatError, match="can't be read: No such file"):
        read_words(tmp_path / "none")


def test_pairs_are_arrows_between_their_words_only(tmp_path: Path) -> None:
    choice = choose_words(some_vectors(), ["w9", "w3"], [("w3", "w4"), ("w5", "nil"), ("w7", "w8")])
    assert choice.rows == [3, 4, 7, 8, 9]
    assert choice.pairs == [(0, 1), (2, 3)]
    assert choice.notes == ["1 of 3 pairs left out, unknown: nil."]
    with pytest.raises(OptionError, match=r"--pairs: 1 of 2 pairs left out, unknown: nil\. 1 left, 2 are needed"):
        choose_words(some_vectors(), None, [("w3", "w4"), ("w5", "nil")])
    drawn = draw_words(some_vectors(), tmp_path / "a.pdf", pairs=[("w1", "w2"), ("w3", "w4")])
    assert (drawn.method, drawn.words) == ("pca", ["w1", "w2", "w3", "w4"])


# --- choice ---------------------------------------------------------------------------------------------------------


def test_the_most_frequent_words_are_chosen() -> None:
    assert choose_words(some_vectors(), top=4, skip=2).rows == [2, 3, 4, 5]
    every = choose_words(some_vectors(), top=99)
    assert every.rows == list(range(30))
    assert every.notes == ["There are 30 words, fewer than the 99 asked for: all of them are used."]
    assert choose_words(some_vectors()).notes == []


def test_wrong_choices_are_refused_or_counted() -> None:
    vectors = some_vectors(words=["paris", *(f"w{k}" for k in range(29))])
    with pytest.raises(OptionError, match=r"words: 2 of them, but a picture needs 3 or more"):
        choose_words(vectors, ["w1", "w2", "w1"])
    with pytest.raises(UnknownWordError, match="Did you mean paris"):
        choose_words(vectors, ["w1", "w2", "w3", "pariss"])
    with pytest.raises(OptionError, match="--skip: 30 leaves none of the 30 words"):
        choose_words(vectors, skip=30)
    with pytest.raises(OptionError, match="--top: 5 goes with the most frequent words"):
        choose_words(vectors, ["w1", "w2", "w3"], top=5)
    with pytest.raises(OptionError, match="--top: 0 is not an integer of 1 or more"):
        choose_words(vectors, top=0)
    chosen = choose_words(vectors, ["w1", "w1", "w2", "w3", "pariss"], unknown="skip")
    assert len(chosen.rows) == 3
    assert chosen.notes == [
        "Words were named again 1 time; each is drawn once.",
        "1 of 4 words left out, unknown: pariss (did you mean paris?).",
    ]
    vectors.matrix[4] = 0
    vectors.matrix[5, 0] = np.nan
    chosen = choose_words(vectors)
    assert chosen.rows == [0, 1, 2, 3, *range(6, 30)]
    assert chosen.notes == ["2 of 30 words left out, of zeros or numbers that aren't finite: w3, w4."]


# --- the command ----------------------------------------------------------------------------------------------------


def test_what_was_drawn_is_one_line(folder: Path) -> None:
    result = glove("plot", "a.png", "--method", "pca", "--size", "4x3")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Drew 5 words, 5 with labels, by PCA (cosine): a.png, 4 x 3 inches, ")
    assert result.stdout.count("\n") == 1
    assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG"
    Path("pairs").write_text("france paris\nitaly rome\n")
    Path("words").write_text("france\nparis\nrome\nromee\n")
    assert "Drew 4 words" in glove("plot", "b.svg", "--pairs", "pairs").stdout
    result = glove("plot", "c.svg", "italy", "--words", "words", "--method", "pca", "--clusters", "2")
    assert "Drew 4 words, 4 with labels, by PCA (cosine, seed 0)" in result.stdout
    assert result.stderr == "Note: 1 of 5 words left out, unknown: romee (did you mean rome?).\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a.gif"], 2, r"a\.gif: ends in \.gif, which is no kind of picture"),
        (["a"], 2, "a: has no suffix"),
        (["there.png"], 1, r"there\.png: already exists\. Use --force"),
        (["a.png", "paris", "rome"], 2, "words: 2 of them, but a picture needs 3 or more"),
        (["a.png", "paris", "rome", "frence"], 1, "frence: is not among the 5 words. Did you mean france"),
        (["a.png", "--size", "wide"], 2, "--size: 'wide' is not a width and a height"),
        (["a.png", "--size", "1x900"], 2, "--size: 1x900 is too small or too large"),
        (["a.png", "--clusters", "6"], 2, "--clusters: 6 are more than the 5 different vectors"),
        (["a.png", "--clusters", "1"], 2, "--clusters: 1 is not an integer from 2 to 24"),
        (["a.png", "--method", "mds"], 2, "--method: 'mds' is not one of"),
        (["a.png", "--words", "none"], 1, "none: can't be read"),
        (["a.png", "--seed", "-1"], 2, "--seed: -1 is not an integer"),
        (["a.png", "--seed", "-1", "--method", "pca", "--clusters", "2"], 2, "--seed: -1 is not an integer"),
        (["a.png", "--neighbours", "1"], 2, "--neighbours: 1 is not an integer of 2 or more"),
    ],
)
def test_a_wrong_call_is_one_line_and_no_file(folder: Path, arguments: list[str], code: int, message: str) -> None:
    (folder / "there.png").write_text("kept")
    result = glove("plot", *arguments)
    error = result.stderr.splitlines()[-1]
    assert result.exit_code == code, result.output
    assert error.startswith("Error: ")
    assert re.search(message, error)
    assert not (folder / "a.png").exists()
    assert (folder / "there.png").read_text() == "kept"


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"--method umap: needs the package umap-learn\. .*glove-cli\[plot\]"):
        project(np.eye(3), "umap")


def test_a_file_that_exists_is_replaced_only_by_force(folder: Path) -> None:
    assert glove("plot", "a.png", "--method", "pca").exit_code == 0
    fails(glove("plot", "a.png", "--method", "pca"), 1, r"a\.png: already exists")
    assert glove("plot", "a.png", "--method", "pca", "--force").exit_code == 0
