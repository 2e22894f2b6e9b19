"""Categories and outliers: by hand, against scikit-learn and a slow twin, and what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics.cluster import contingency_matrix
from test_cli_build_cooc import glove

from glove_cli.errors import FormatError, GloveError, OptionError
from glove_cli.evaluation import evaluate, evaluate_categories, evaluate_outliers
from glove_cli.evaluation.categories import _clusters, purity
from glove_cli.evaluation.groups import find_rows, read_categories, read_outliers

# Three bundles of directions; `stone` lies with the fruits.
WORDS = ["apple", "pear", "plum", "dog", "cat", "red", "blue", "stone", "zero"]
VECTORS = np.array(
    [
        [1, 0.1, 0],
        [1, 0, 0.1],
        [1, 0.05, 0.05],
        [0, 1, 0.1],
        [0.1, 1, 0],
        [0, 0.1, 1],
        [0, 0, 1],
        [1, 0.1, 0.1],
        [0, 0, 0],
    ],
    np.float32,
)
CATEGORIES = "apple fruit\npear fruit\nplum fruit\ndog animal\ncat animal\nred colour\nblue colour\nstone thing\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# --- categories -----------------------------------------------------------------------------------------------------


def test_purity_of_the_textbook() -> None:
    # Manning, Raghavan and Schuetze, figure 16.4: clusters of 6, 6 and 5 with majorities of 5, 4 and 3; 12 of 17.
    clusters = [1] * 6 + [2] * 6 + [3] * 5
    categories = list("xxxxxo") + list("xoooo") + ["d"] + list("xxddd")
    assert purity(clusters, categories) == 12 / 17


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abcd")), min_size=1, max_size=40))
def test_purity_equals_that_of_scikit_learns_table(items: list[tuple[int, str]]) -> None:
    clusters, categories = zip(*items, strict=True)
    table = contingency_matrix(categories, clusters)
    assert purity(clusters, categories) == table.max(axis=0).sum() / table.sum()


def test_categories_that_lie_apart_are_found(tmp_path: Path) -> None:
    file = write(tmp_path / "kinds.txt", CATEGORIES.replace("stone thing\n", ""))
    score = evaluate_categories(VECTORS, WORDS, file)
    assert (score.name, score.purity, score.seen, score.of, score.categories) == ("kinds", 1.0, 7, 7, 3)


def test_a_word_that_lies_with_others_lowers_purity(tmp_path: Path) -> None:
    # Three clusters: the animal `stone` lies with the fruits, so 7 of 8 words are of their cluster's majority.
    file = write(tmp_path / "kinds.txt", CATEGORIES.replace("thing", "animal"))
    score = evaluate_categories(VECTORS, WORDS, file)
    assert score.purity == 7 / 8


def test_only_directions_are_clustered(tmp_path: Path) -> None:
    file = write(tmp_path / "kinds.txt", CATEGORIES.replace("thing", "animal"))
    lengths = np.array([1, 50, 1, 0.02, 9, 1, 30, 1, 1], np.float32)[:, None]
    assert evaluate_categories(VECTORS * lengths, WORDS, file).purity == 7 / 8


def test_unknown_words_of_categories_are_left_out_and_named(tmp_path: Path) -> None:
    file = write(tmp_path / "kinds.txt", CATEGORIES.replace("stone thing", "mars\tplanet\nEARTH planet"))
    score = evaluate_categories(VECTORS, WORDS, file)
    assert (score.seen, score.of, score.categories, score.unknown) == (7, 9, 3, ("mars", "EARTH"))
    assert score.purity == 1.0
    assert math.isnan(evaluate_categories(VECTORS[:3], WORDS[:3], file).purity)
    assert math.isnan(evaluate_categories(VECTORS[:0], WORDS[:0], file).purity)


def test_clusters_are_as_tight_as_scikit_learns(tmp_path: Path) -> None:
    # Bundles in many dimensions, where single random starts stay in poor solutions.
    rng = np.random.default_rng(0)
    kinds = np.arange(210) % 21
    vectors = (rng.normal(size=(21, 60))[kinds] + 0.5 * rng.normal(size=(210, 60))).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    theirs = KMeans(21, n_init=10, random_state=0).fit(unit)
    labels = _clusters(unit.astype(np.float64), 21, 0)
    inertia = sum(float(((unit[labels == k] - unit[labels == k].mean(axis=0)) ** 2).sum()) for k in set(labels))
    assert inertia < 1.001 * theirs.inertia_
    file = write(tmp_path / "kinds.txt", "".join(f"w{i} k{kind}\n" for i, kind in enumerate(kinds)))
    assert evaluate_categories(vectors, [f"w{i}" for i in range(210)], file).purity == purity(theirs.labels_, kinds)


def test_clusters_depend_on_the_seed_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    vectors, words = rng.normal(size=(60, 4)), [f"w{i}" for i in range(60)]
    file = write(tmp_path / "kinds.txt", "".join(f"w{i} k{i % 7}\n" for i in range(60)))
    first = evaluate_categories(vectors, words, file, seed=3)
    np.random.seed(0)  # where SciPy would draw from if it were asked to
    assert evaluate_categories(vectors, words, file, seed=3) == first


def test_equal_vectors_are_clustered_without_a_warning(tmp_path: Path) -> None:
    file = write(tmp_path / "kinds.txt", "apple a\npear b\nplum c\n")
    assert evaluate_categories(np.ones((3, 2)), WORDS[:3], file).purity == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# note\na x\nb\n", "line 3 is not a word and its category: 'b'"),
        ("a x\nb y z\n", "line 2 is not a word and its category"),
        ("a\tx\n\ty\n", "line 2 is not a word and its category"),
        ("a x\nb y\na y\n", "line 3: 'a' stands in 'x' already"),
        ("a x\nb x\n", "fewer than two categories"),
        ("\n", "fewer than two categories"),
    ],
)
def test_bad_categories_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        evaluate_categories(VECTORS, WORDS, write(tmp_path / "kinds.txt", text))


def test_names_of_several_words_may_stand_between_tabs(tmp_path: Path) -> None:
    file = write(tmp_path / "kinds.txt", "# title\n\nice cream\tsweet food\r\n# \tsign\n")
    assert read_categories(file) == [("ice cream", "sweet food"), ("#", "sign")]


# --- outliers -------------------------------------------------------------------------------------------------------


def slow_position(group: np.ndarray, outlier: np.ndarray) -> int:
    """Return the outlier's position as the paper has it: by the compactness of what is left without each word."""

    def compactness(rows: list[np.ndarray]) -> float:
        pairs = list(permutations(rows, 2))
        return sum(float(a @ b) / math.sqrt(float(a @ a) * float(b @ b)) for a, b in pairs) / len(pairs)

    every = [*group, outlier]
    scores = [compactness(every[:k] + every[k + 1 :]) for k in range(len(every))]
    return sum(score < scores[-1] for score in scores[:-1])


def test_outliers_by_hand(tmp_path: Path) -> None:
    # Unit vectors at 0, 10 and 80 degrees; the outlier at 90. Sums of cosines to the others:
    # at 0: 0.985 + 0.174 + 0 = 1.158; at 10: 0.985 + 0.342 + 0.174 = 1.501; at 80: 0.174 + 0.342 + 0.985 = 1.501;
    # at 90: 0 + 0.174 + 0.985 = 1.158. The outlier ties with the word at 0, and so stands behind two of three words.
    angles = np.radians([0, 10, 80, 90, 180])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    file = write(tmp_path / "group.txt", "a\nb\nc\n\nright\nopposite\n")
    score = evaluate_outliers(vectors, ["a", "b", "c", "right", "opposite"], file)
    # At 180 the sum is -1 - 0.985 - 0.174, smaller than that of any word: found, position 3 of 3.
    assert (score.found, score.seen, score.of, score.groups) == (1, 2, 2, 1)
    assert score.accuracy == 0.5
    assert score.opp == pytest.approx((2 / 3 + 1) / 2)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 8), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_positions_are_those_of_the_papers_compactness(
    tmp_path_factory: pytest.TempPathFactory, n: int, m: int, d: int, seed: int
) -> None:
    vectors = np.random.default_rng(seed).normal(size=(n + m, d + 1)).astype(np.float32)
    words = [f"w{i}" for i in range(n + m)]
    file = write(tmp_path_factory.mktemp("o") / "o.txt", "\n".join([*words[:n], "", *words[n:]]))
    expected = [slow_position(vectors[:n].astype(float), row) for row in vectors[n:].astype(float)]
    score = evaluate_outliers(vectors, words, file)
    assert score.found == expected.count(n)
    assert score.opp == pytest.approx(sum(expected) / n / m)


def test_a_folder_is_scored_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "fruits.txt", "# fruits\n\napple\npear\nplum\n\ndog\nred\n")
    write(tmp_path / "animals.txt", "Dog\nCat\n\r\nred\nbig cat\n\n")
    write(tmp_path / "notes.md", "not a group")
    score = evaluate_outliers(VECTORS, WORDS, tmp_path)
    assert (score.found, score.seen, score.of, score.groups) == (3, 3, 4, 2)
    assert (score.name, score.accuracy, score.opp, score.unknown) == (tmp_path.name, 1.0, 1.0, ("big_cat",))


def test_unknown_words_of_groups_are_left_out_and_named(tmp_path: Path) -> None:
    file = write(tmp_path / "group.txt", "apple\npear\nnashi\n\ndog\nufo\n")
    score = evaluate_outliers(VECTORS, WORDS, file)
    assert (score.found, score.seen, score.of, score.unknown) == (1, 1, 2, ("nashi", "ufo"))
    few = evaluate_outliers(VECTORS, ["apple", "dog", *"abcdefg"], file)  # one word of the group is left
    assert (few.seen, few.of) == (0, 2)
    assert math.isnan(few.accuracy)
    assert math.isnan(few.opp)


def test_an_outlier_that_lies_in_the_middle_has_position_zero(tmp_path: Path) -> None:
    vectors = np.array([[1, 0.3], [1, -0.3], [1, 0]])
    score = evaluate_outliers(vectors, ["a", "b", "middle"], write(tmp_path / "g.txt", "a\nb\n\nmiddle\n"))
    assert (score.accuracy, score.opp) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb\n", "is not a group and its outliers"),
        ("a\n\nb\n", "is not a group and its outliers"),
        ("", "is not a group and its outliers"),
        ("a\nb\n\nc\n\nd\n", "line 6 begins a third block"),
        ("a\nb\n\nc\nb\n", "line 5: 'b' stands in the group as well"),
    ],
)
def test_bad_groups_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        evaluate_outliers(VECTORS, WORDS, write(tmp_path / "group.txt", text))


def test_what_stands_twice_counts_once(tmp_path: Path) -> None:
    assert read_outliers(write(tmp_path / "g.txt", "a\nb\na\n\nc\nc\n")) == (["a", "b"], ["c"])


# --- both -----------------------------------------------------------------------------------------------------------


def test_words_are_found_as_written_or_in_lower_case() -> None:
    assert find_rows(["apple", "Apple", "pear", "apple"], ["Apple", "apple", "PEAR", "fig"]) == [1, 0, 2, -1]


def test_only_vectors_that_are_asked_for_have_to_be_finite(tmp_path: Path) -> None:
    vectors = VECTORS.copy()
    vectors[7] = np.nan
    kinds = write(tmp_path / "kinds.txt", CATEGORIES.replace("stone thing\n", ""))
    group = write(tmp_path / "group.txt", "apple\npear\n\ndog\n")
    assert evaluate_categories(vectors, WORDS, kinds).purity == 1.0
    assert evaluate_outliers(vectors, WORDS, group).found == 1
    vectors[1] = np.inf
    with pytest.raises(GloveError, match="'pear'"):
        evaluate_categories(vectors, WORDS, kinds)
    with pytest.raises(GloveError, match="'pear'"):
        evaluate_outliers(vectors, WORDS, group)
    for function, file in ((evaluate_categories, kinds), (evaluate_outliers, group)):
        with pytest.raises(OptionError, match="9 words"):
            function(vectors[:3], WORDS, file)
        with pytest.raises(FormatError, match=r"missing\.txt: can't be read"):
            function(vectors, WORDS, tmp_path / "missing.txt")


def test_evaluate_takes_files_and_folders_of_both(tmp_path: Path) -> None:
    kinds, groups = tmp_path / "kinds", tmp_path / "groups"
    for folder in (kinds, groups):
        folder.mkdir()
        with pytest.raises(FormatError, match=r"holds no \.txt file"):
            evaluate(VECTORS, WORDS, categories=kinds, outliers=groups)
        write(kinds / "kinds.txt", CATEGORIES)
    write(groups / "one.txt", "apple\npear\n\ndog\n")
    write(groups / "two.txt", "dog\ncat\n\nred\n")
    scores = evaluate(VECTORS, WORDS, categories=kinds, outliers=[groups, groups / "two.txt"])
    assert scores.categories == (evaluate_categories(VECTORS, WORDS, kinds / "kinds.txt"),)
    assert [(score.name, score.of) for score in scores.outliers] == [("groups", 2), ("two", 1)]


def test_the_command_shows_both_and_refuses_bad_files_first(tmp_path: Path) -> None:
    lines = [f"{word} {' '.join(map(str, row))}\n" for word, row in zip(WORDS, VECTORS.tolist(), strict=True)]
    vectors = str(write(tmp_path / "vectors.txt", "".join(lines)))
    kinds = write(tmp_path / "kinds.txt", CATEGORIES.replace("thing", "animal"))
    group = write(tmp_path / "group.txt", "apple\npear\n\ndog\nufo\n")
    arguments = ["evaluate", vectors, "--categories", str(kinds), "--outliers", str(group)]
    result = glove(*arguments)
    assert result.exit_code == 0, result.output
    told = [line.split() for line in result.stdout.splitlines()]
    for line in (["purity", "0.875"], ["accuracy", "1.000"], ["opp", "1.000"], ["seen", "1"], ["of", "2"]):
        assert line in told
    [model] = json.loads(glove(*arguments, "--json").stdout)["models"]
    assert (model["categories"][0]["purity"], model["outliers"][0]["unknown"]) == (0.875, ["ufo"])
    write(group, "apple\n")
    for option in ("--outliers", "--categories"):
        result = glove("evaluate", str(write(tmp_path / "broken.txt", "not a vector\n")), option, str(group))
        assert result.exit_code == 1
        assert "group.txt: " in result.stderr


def test_scipy_is_imported_for_clustering_only() -> None:
    code = "import sys, glove_cli.evaluation; print(sorted({'scipy', 'numba'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
