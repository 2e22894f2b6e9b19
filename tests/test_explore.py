"""`glove explore`: the page in a real browser, its data, and wrong input."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_cli_build_cooc import fails, glove

from glove_cli import write_page
from glove_cli.errors import OptionError, OutputError
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.keyed import WordVectors

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ODD = ["</script><b>", "&amp;", "it's", '"', "a\u2028b", "caf\udcff", "日本", "Paris", "<!--", "100%"]


def make_vectors(n: int = 400, d: int = 8) -> WordVectors:
    """Return n words of random vectors: capitals and countries, odd ones, others."""
    rng = np.random.default_rng(5)
    words = ["paris", "france", "rome", "italy", "parish", *ODD]
    words += [f"w{i}" for i in range(n - len(words))]
    return WordVectors(words, rng.normal(size=(n, d)).astype(np.float32))


VECTORS = make_vectors()
PAIRS = [("france", "paris"), ("italy", "rome")]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start a headless Chromium."""
    path = os.environ.get("GLOVE_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        if os.environ.get("GLOVE_REQUIRE_CHROMIUM") == "1":
            pytest.fail("GLOVE_REQUIRE_CHROMIUM=1, but there is no Chromium on the PATH")
        pytest.skip("there is no Chromium on the PATH (see GLOVE_CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "words.html"
    counts = np.arange(len(VECTORS), 0, -1)
    write_page(VECTORS, path, method="pca", pairs=PAIRS, clusters=3, counts=counts, title="A <title> & more")
    return path


@pytest.fixture
def opened(browser: Any, page_path: Path) -> Iterator[Callable[..., Any]]:
    """Give a function that opens the page; in the end, nothing may have been complained of or asked of a network."""
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def start(fragment: str = "", path: Path = page_path, **settings: Any) -> Any:
        context = browser.new_context(
            **{"viewport": {"width": 1100, "height": 700}, "reduced_motion": "reduce"} | settings
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri() + fragment)
        return page

    yield start
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def expected(vectors: WordVectors, word: str, number: int = 20) -> list[str]:
    return [f"{shown(n.word)} {n.similarity:.3f}" for n in vectors.nearest(word, number)]


def shown(word: str) -> str:
    return word.replace("\u2028", "\\u2028").replace("\udcff", "\\xff")


def neighbours(page: Any, where: str = "#neighbours") -> list[str]:
    return [" ".join(text.split()) for text in page.locator(f"{where} li").all_inner_texts()]


def test_a_search_completes_and_shows_the_true_neighbours(opened: Callable[..., Any]) -> None:
    page = opened()
    page.keyboard.press("/")
    page.keyboard.type("par")
    options = page.get_by_role("option")
    assert options.all_inner_texts() == ["paris", "parish", "Paris"]  # in the order of the vocabulary
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("combobox", name="Search a word").get_attribute("aria-activedescendant") == "search-list-1"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.locator("#word-name").inner_text() == "paris"
    assert neighbours(page) == expected(VECTORS, "paris")
    assert page.locator("#word-facts").inner_text().startswith("Word 1 by frequency, 400 times in the corpus, in the")
    first = VECTORS.nearest("paris", 1)[0].word
    page.get_by_role("button", name=f"{first}, cosine").click()
    assert neighbours(page) == expected(VECTORS, first)
    page.go_back()
    assert page.locator("#word-name").inner_text() == "paris"


def test_a_click_on_the_map_chooses_the_word_there(opened: Callable[..., Any]) -> None:
    page = opened()
    place = page.evaluate("document.getElementById('map').getBoundingClientRect().toJSON()")
    facts = places_of(page)
    row = facts["alone"]  # a word without another near it
    page.mouse.move(place["x"] + facts["x"], place["y"] + facts["y"])
    assert page.locator("#tip").inner_text() == shown(VECTORS.words[row])
    page.mouse.click(place["x"] + facts["x"], place["y"] + facts["y"])
    assert page.locator("#word-name").inner_text() == shown(VECTORS.words[row])
    assert neighbours(page) == expected(VECTORS, VECTORS.words[row])


def places_of(page: Any) -> dict[str, Any]:
    """Return the row of the word that lies most alone on the map, and its place on the canvas, from the page's data."""
    text = page.locator("#places").text_content()
    places = np.frombuffer(base64.b64decode(text), "<f4").reshape(-1, 2)
    apart = np.linalg.norm(places[:, np.newaxis] - places, axis=2) + 9 * np.eye(len(places))
    row = int(apart.min(axis=1).argmax())
    box = page.locator("#map").bounding_box()
    scale = 0.46 * min(box["width"], box["height"])
    return {
        "alone": row,
        "x": box["width"] / 2 + float(places[row, 0]) * scale,
        "y": box["height"] / 2 - float(places[row, 1]) * scale,
    }


def test_an_analogy_is_that_of_the_library(opened: Callable[..., Any]) -> None:
    page = opened()
    for name, word in (("Word A", "france"), ("is to B", "paris"), ("as C", "italy")):
        page.get_by_label(name, exact=True).fill(word)
    page.keyboard.press("Escape")  # closes the list, which covers the button
    page.get_by_role("button", name="is to which word?").click()
    best = VECTORS.analogy("france", "paris", "italy", 8)
    assert neighbours(page, "#analogy-answer") == [f"{shown(n.word)} {n.similarity:.3f}" for n in best]
    page.get_by_label("as C", exact=True).fill("italyy")
    page.keyboard.press("Enter")
    assert page.locator("#analogy-answer").inner_text() == (
        "italyy is not among the words of this page. Did you mean italy?"
    )


def test_two_words_are_compared(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator("#similarity-a").fill("paris")
    page.locator("#similarity-b").fill("rome")
    page.keyboard.press("Enter")
    cosine = VECTORS.similarity("paris", "rome")
    assert page.locator("#similarity-answer").inner_text() == f"Cosine of paris and rome: {cosine:.3f}"


def test_unknown_words_get_suggestions_that_can_be_chosen(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_role("combobox", name="Search a word").fill("firance")
    page.keyboard.press("Enter")
    assert page.locator("#search-note").inner_text() == (
        "firance is not among the words of this page. Did you mean france?"
    )
    page.get_by_role("button", name="france").first.click()
    assert page.locator("#word-name").inner_text() == "france"


@pytest.mark.parametrize("word", ODD)
def test_odd_words_are_shown_as_they_are(opened: Callable[..., Any], word: str) -> None:
    page = opened()
    page.get_by_role("combobox", name="Search a word").fill(shown(word))
    page.keyboard.press("Enter")
    assert page.locator("#word-name").inner_text() == shown(word)
    assert neighbours(page) == expected(VECTORS, word)


def test_keys_alone_are_enough(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator("#map").focus()
    before = page.locator("#map").screenshot()
    for key in ("ArrowLeft", "ArrowUp", "+"):
        page.keyboard.press(key)
    page.wait_for_timeout(100)
    assert page.locator("#map").screenshot() != before
    page.keyboard.press("Enter")
    assert page.locator("#word").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#word").is_visible()
    assert "#" not in page.url
    page.keyboard.press("0")
    page.wait_for_timeout(100)
    assert page.locator("#map").screenshot() == before


def test_the_map_is_dragged_and_zoomed(opened: Callable[..., Any]) -> None:
    page = opened()
    canvas = page.locator("#map")
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    pictures = [canvas.screenshot()]
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 80, middle[1] + 40, steps=4)
    page.mouse.up()
    page.mouse.move(1, 1)
    page.wait_for_timeout(100)
    pictures.append(canvas.screenshot())
    page.mouse.move(*middle)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(100)
    pictures.append(canvas.screenshot())
    assert len(set(pictures)) == 3
    assert not page.locator("#word").is_visible()  # a drag is no click


def test_a_link_names_a_word(opened: Callable[..., Any]) -> None:
    assert opened("#word=100%25").locator("#word-name").inner_text() == "100%"
    assert opened("#word=100%").locator("#word-name").inner_text() == "100%"
    assert opened("#word=nothing").locator("#search-note").inner_text().startswith("nothing is not among")


def test_pairs_and_clusters_are_listed(opened: Callable[..., Any]) -> None:
    page = opened()
    assert page.locator("#pairs li").all_inner_texts() == ["france → paris", "italy → rome"]
    assert page.locator("#clusters li").count() == 3
    before = page.locator("#map").screenshot()
    page.get_by_label("Show arrows on the map").uncheck()
    page.wait_for_timeout(100)
    assert page.locator("#map").screenshot() != before


def test_what_a_screen_reader_is_told(opened: Callable[..., Any]) -> None:
    page = opened()
    assert page.title() == "A <title> & more"
    told = page.locator("body").aria_snapshot()
    for line in (
        'heading "A <title> & more" [level=1]',
        'application "Map of 400 words"',
        'combobox "Search a word"',
        'button "Zoom in"',
        'region "Analogy"',
        'complementary "Words"',
    ):
        assert line in told
    page.get_by_role("combobox", name="Search a word").fill("rome")
    page.keyboard.press("Enter")
    nearest = ", ".join(shown(n.word) for n in VECTORS.nearest("rome", 5))
    assert page.get_by_role("status").first.inner_text() == f"rome: nearest are {nearest}."
    assert page.title() == "rome - A <title> & more"


@pytest.mark.parametrize("settings", [{"viewport": {"width": 380, "height": 700}}, {"color_scheme": "dark"}])
def test_it_fits_a_phone_and_the_night(opened: Callable[..., Any], settings: dict[str, Any]) -> None:
    page = opened("#word=rome", **settings)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#map").bounding_box()["width"] > 300
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 28)"
    assert dark == ("color_scheme" in settings)


def test_large_pages_hold_rounded_vectors_and_say_so(
    opened: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glove_cli.plots.explore._FLOATS", 100)
    made = write_page(VECTORS, tmp_path / "large.html", method="pca")
    assert made.rounded
    page = opened(path=tmp_path / "large.html")
    assert "vectors rounded to 16 bits" in page.locator("aside").inner_text()
    cosine = VECTORS.similarity("paris", "rome")
    page.locator("#similarity-a").fill("paris")
    page.locator("#similarity-b").fill("rome")
    page.keyboard.press("Enter")
    found = float(page.locator("#similarity-answer").inner_text().split()[-1])
    assert found == pytest.approx(cosine, abs=VECTORS.dim / 32767 + 5e-4)
    page.get_by_role("combobox", name="Search a word").fill("rome")
    page.keyboard.press("Enter")
    assert neighbours(page) == expected(VECTORS, "rome")  # these are not computed from rounded ones


# --- the file --------------------------------------------------------------------------------------------------------


def facts_of(path: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="facts">(.*?)</script>', path.read_text("utf-8"))
    assert found is not None
    return json.loads(found[1])


def test_the_page_refers_to_nothing_outside(page_path: Path) -> None:
    text = page_path.read_text("utf-8")
    assert "default-src 'none'" in text
    assert re.findall(r"(?:https?:)?//[a-z]+\.[a-z]", text.split('id="facts"')[0] + text.rsplit("<script>", 1)[1]) == []
    assert facts_of(page_path)["words"] == [shown(word) for word in VECTORS.words]


def test_the_same_vectors_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_page(make_vectors(60), tmp_path / name, method="tsne", clusters=3)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_words_of_pairs_are_on_the_page_though_they_are_rare(tmp_path: Path) -> None:
    pairs = [("w300", "w301"), ("paris", "w300"), ("nowhere", "rome")]
    page = write_page(VECTORS, tmp_path / "p.html", top=10, method="pca", pairs=pairs)
    assert page.words == 12
    assert page.notes == ["1 of 3 pairs left out, unknown: nowhere."]
    facts = facts_of(tmp_path / "p.html")
    assert [[facts["words"][row] for row in pair] for pair in facts["pairs"]] == [["w300", "w301"], ["paris", "w300"]]


def test_vectors_of_zeros_have_no_neighbours(opened: Callable[..., Any], tmp_path: Path) -> None:
    matrix = VECTORS.matrix[:30].copy()
    matrix[2] = 0
    page = write_page(WordVectors(VECTORS.words[:30], matrix), tmp_path / "z.html", method="pca")
    assert page.notes == ["1 of 30 words have vectors of zeros, and so no nearest words."]
    shown_page = opened("#word=rome", path=tmp_path / "z.html")
    assert neighbours(shown_page) == []
    assert shown_page.locator("#search-note").inner_text() == ("rome has a vector of zeros, and so no nearest words.")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": 2}, "--top: 2 is not an integer from 3"),
        ({"top": True}, "--top: True"),
        ({"method": "map"}, "'map'"),
        ({"clusters": 1}, "--clusters: 1"),
        ({"seed": -1}, "seed"),
        ({"pairs": [("paris", "nowhere")]}, "--pairs: 1 of 1 pairs left out"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        write_page(VECTORS, tmp_path / "x.html", **{"method": "pca"} | options)
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"x\.png: ends in \.png, but a page is made"):
        write_page(VECTORS, tmp_path / "x.png")
    with pytest.raises(OptionError, match="2 words, but a map needs 3"):
        write_page(WordVectors(VECTORS.words[:2], VECTORS.matrix[:2]), tmp_path / "x.html", method="pca")
    with pytest.raises(OptionError, match="all"):
        write_page(WordVectors(VECTORS.words[:5], np.ones((5, 3), np.float32)), tmp_path / "x.html", method="pca")
    bad = VECTORS.matrix[:5].copy()
    bad[1, 1] = np.nan
    with pytest.raises(OptionError, match="aren't finite"):
        write_page(WordVectors(VECTORS.words[:5], bad), tmp_path / "x.html", method="pca")
    (tmp_path / "x.html").write_text("mine")
    with pytest.raises(OutputError, match="already exists"):
        write_page(VECTORS, tmp_path / "x.html", method="pca")
    assert (tmp_path / "x.html").read_text() == "mine"


def test_the_command_says_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain = WordVectors([f"w{i}" for i in range(50)], VECTORS.matrix[:50])
    export_vectors(plain, "v.txt")
    result = glove("explore", "out.html", "--model", "v.txt", "--method", "pca", "-n", "100")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"Wrote 50 words, placed by PCA \(cosine\): out\.html, \d+\.?\d* kB\.\n", result.stdout)
    assert "Note: There are 50 words, fewer than the 100 asked for: all of them are used.\n" in result.stderr
    assert "<title>v.txt</title>" in Path("out.html").read_text()
    fails(glove("explore", "out.html", "--model", "v.txt"), 1, r"out\.html: already exists")
    fails(glove("explore", "out.txt", "--model", "v.txt"), 2, r"out\.txt: ends in \.txt")
