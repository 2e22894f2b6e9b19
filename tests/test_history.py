"""How a training went: read from a model or a training that has not ended, as a table, as JSON, as a picture."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import change_meta
from matplotlib.text import Text
from test_cli_build_cooc import fails, glove
from test_vectors_export import make_model

import glove_cli
from glove_cli import FormatError, OptionError, OutputError, draw_history, read_history
from glove_cli.plots import history as plots
from glove_cli.training.history import find_history, standing_epochs
from glove_cli.workspace import workspace

Epochs = list[dict[str, Any]]

PLAIN: Epochs = [
    {"epoch": 1, "cost": 0.08, "eta": 0.05, "seconds": 1.5},
    {"epoch": 2, "cost": 0.06, "eta": 0.05, "seconds": 75.0},
    {"epoch": 3, "cost": 0.0606, "eta": 0.05, "seconds": 1.25},
]
EVENTFUL: Epochs = [
    {"epoch": 1, "cost": 0.08, "eta": 0.05, "seconds": 1.5, "holdout_cost": 0.09},
    {"epoch": 2, "cost": 7.5, "eta": 0.05, "seconds": 0.5, "event": "diverged in round 3; eta halved to 0.025"},
    {"epoch": 2, "cost": 0.06, "eta": 0.025, "seconds": 1.5, "holdout_cost": 0.07, "accuracy": 0.2},
    {"epoch": 3, "cost": 0.05, "eta": 0.025, "seconds": 1.5, "holdout_cost": 0.065, "accuracy": 0.2515},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    return tmp_path


def lines(history: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(epoch) + "\n" for epoch in history)


def save(name: str, history: Sequence[dict[str, Any]] | None = None, meta: Any = None) -> Path:
    """Make a finished model with a file of epochs, or with epochs in its meta.json."""
    model = make_model()
    model.meta.update({} if meta is None else {"history": meta})
    model.save(name)
    if history is not None:
        (Path(name) / "history.jsonl").write_text(lines(history))
    return Path(name)


def begin(name: str, text: str) -> None:
    """Leave what a killed training leaves."""
    home = Path(name).with_name(f".{Path(name).name}.work")
    home.mkdir(parents=True)
    (home / "history.jsonl").write_text(text)


def rows(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


# --- read -----------------------------------------------------------------------------------------------------------


def test_a_run_a_model_and_the_default_give_the_same_history(folder: Path) -> None:
    save("glove-run/model", EVENTFUL)
    assert read_history("glove-run") == read_history("glove-run/model") == EVENTFUL
    assert read_history(folder / "glove-run") == EVENTFUL
    for arguments in ([], ["glove-run"], ["glove-run/model"], ["--run", "glove-run"]):
        assert json.loads(glove("history", "--json", *arguments).stdout) == EVENTFUL


def test_the_folder_one_is_in_can_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = save("glove-run/model", PLAIN)
    begin("other/model", lines(PLAIN[:1]))
    monkeypatch.chdir(model)
    assert read_history(".") == read_history("..") == PLAIN
    begin("../model", lines(EVENTFUL))
    assert read_history(".") == read_history("..") == EVENTFUL
    monkeypatch.chdir(folder / "other")
    assert read_history(".") == PLAIN[:1]
    with pytest.raises(FormatError, match="holds no model"):
        read_history("/")


def test_an_older_model_keeps_its_history_in_meta_json(folder: Path) -> None:
    old = [{"epoch": 1, "cost": 0.08}, {"epoch": 2, "cost": 0.06}]
    save("glove-run/model", meta=old)
    assert read_history("glove-run") == old
    assert rows(glove("history").stdout) == [
        ["epoch", "cost", "change"],
        ["1", "0.080000"],
        ["2", "0.060000", "-25.00 %"],
    ]
    (folder / "glove-run" / "model" / "history.jsonl").write_text(lines(PLAIN))
    assert read_history("glove-run") == PLAIN


def test_a_trained_model_has_an_epoch_a_line(folder: Path) -> None:
    (folder / "corpus.txt").write_text("the cat saw the dog\nthe dog saw the cat\n" * 5)
    cooc = glove_cli.build_cooc("corpus.txt", "glove-run/cooc", min_count=1)
    reports: list[glove_cli.EpochReport] = []
    glove_cli.train(cooc, dim=2, epochs=3, on_epoch=reports.append).save("glove-run/model")
    epochs = [(epoch["epoch"], epoch["cost"]) for epoch in read_history("glove-run")]
    assert epochs == [(report.epoch, report.cost) for report in reports]


def test_looking_at_a_history_loads_neither_numba_nor_scipy_nor_matplotlib(folder: Path) -> None:
    save("glove-run/model", EVENTFUL)
    code = (
        "import sys\nfrom contextlib import suppress\nfrom glove_cli.cli.main import main\n"
        "with suppress(SystemExit): main(['history'])\n"
        "import glove_cli; glove_cli.read_history; glove_cli.draw_history\n"
        "sys.exit(', '.join({'numba', 'scipy', 'tqdm', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(glove_cli.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0.050000" in done.stdout


def test_drawing_a_history_loads_neither_numba_nor_pyplot(folder: Path) -> None:
    save("glove-run/model", EVENTFUL)
    code = (
        "import sys\nfrom contextlib import suppress\nfrom glove_cli.cli.main import main\n"
        "with suppress(SystemExit): main(['history', '--plot', 'a.svg'])\n"
        "sys.exit(', '.join({'numba', 'scipy', 'matplotlib.pyplot'} & set(sys.modules)) or 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(glove_cli.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "a.svg").exists()


def test_epochs_that_were_done_again_do_not_count() -> None:
    assert standing_epochs(EVENTFUL) == [EVENTFUL[0], *EVENTFUL[2:]]
    twice = [{"epoch": n, "cost": cost} for n, cost in ((1, 0.9), (2, 0.8), (3, 0.7), (2, 0.6), (3, 0.5))]
    assert standing_epochs(twice) == [twice[0], *twice[3:]]
    assert standing_epochs([{"epoch": 1, "cost": None, "event": "diverged"}]) == []
    assert standing_epochs([]) == []


# --- a training that has not ended ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["", '{"epo', lines(PLAIN[2:])[:-1]], ids=["whole", "cut short", "without its end"])
def test_a_training_that_has_not_ended_shows_what_it_has_done(folder: Path, cut: str) -> None:
    begin("glove-run/model", lines(PLAIN[:2]) + cut)
    result = glove("history")
    assert result.exit_code == 0, result.output
    assert result.stderr == "Training of glove-run/model has not ended: epoch 2 so far.\n"
    assert [row[0] for row in rows(result.stdout)] == ["epoch", "1", "2"]
    assert glove("history", "glove-run/model").stdout == result.stdout
    assert json.loads(glove("history", "--json").stdout) == read_history("glove-run") == PLAIN[:2]


def test_the_training_is_newer_than_the_model_that_it_will_replace(folder: Path) -> None:
    save("glove-run/model", PLAIN)
    assert glove("history").stderr == ""
    begin("glove-run/model", lines(EVENTFUL[:3]))
    assert glove("history").stderr == (
        "Training of glove-run/model has not ended: epoch 2 so far. "
        "This is its history, not that of the finished model.\n"
    )
    assert read_history("glove-run") == EVENTFUL[:3]


def test_a_training_without_an_epoch_yet_leaves_the_model_or_an_error(folder: Path) -> None:
    begin("glove-run/model", '{"epoch": 1, "co')
    fails(glove("history"), 1, r"glove-run/model: its training has finished no epoch yet\. Look again")
    save("glove-run/model", PLAIN)
    assert glove("history").stderr == (
        "A new training of glove-run/model has finished no epoch yet. This is the history of the finished model.\n"
    )
    assert read_history("glove-run") == PLAIN


def test_the_history_is_looked_for_where_a_job_has_its_workspace(folder: Path) -> None:
    out = Path("glove-run") / ("a-name-of-more-than-forty-characters-" * 2)
    with workspace(out, {}) as work:
        (work.path / "history.jsonl").write_text(lines(PLAIN))
        assert find_history(out).ended is False
        assert read_history(out) == PLAIN
    with pytest.raises(FormatError, match="does not exist"):
        read_history(out)


# --- several models -------------------------------------------------------------------------------------------------


def test_one_of_several_models_is_named(folder: Path) -> None:
    save("glove-run/model-d50", PLAIN)
    begin("glove-run/model-s2", lines(EVENTFUL))
    (folder / "glove-run" / "cooc").mkdir()
    (folder / "glove-run" / "cooc" / "meta.json").write_text('{"format": "glove-cooc"}')
    (folder / "glove-run" / "notes.txt").write_text("mine\n")
    assert read_history("glove-run/model-d50") == PLAIN
    assert read_history("glove-run/model-s2") == EVENTFUL
    fails(
        glove("history"),
        1,
        r"glove-run: holds no model named model, but model-d50, model-s2\. "
        r"Name one of them, as in glove-run/model-d50\.",
    )
    save("glove-run/model", PLAIN[:1])
    assert read_history("glove-run") == PLAIN[:1]


# --- tables ---------------------------------------------------------------------------------------------------------


def test_a_table_has_the_columns_that_have_values(folder: Path) -> None:
    save("glove-run/model", PLAIN)
    assert rows(glove("history").stdout) == [
        ["epoch", "cost", "change", "time"],
        ["1", "0.080000", "1.5 s"],
        ["2", "0.060000", "-25.00 %", "1 min 15 s"],
        ["3", "0.060600", "+1.00 %", "1.2 s"],
    ]


def test_an_event_is_a_line_and_what_it_rolled_back_is_no_row(folder: Path) -> None:
    save("glove-run/model", EVENTFUL)
    result = glove("history")
    assert result.stderr == ""
    assert rows(result.stdout) == [
        ["epoch", "cost", "change", "held-out cost", "accuracy", "eta", "time"],
        ["1", "0.080000", "0.090000", "0.05", "1.5 s"],
        ["2", "diverged in round 3; eta halved to 0.025"],
        ["2", "0.060000", "-25.00 %", "0.070000", "20.0 %", "0.025", "1.5 s"],
        ["3", "0.050000", "-16.67 %", "0.065000", "25.1 %", "0.025", "1.5 s"],
    ]


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "null", "1e999", None])
def test_the_cost_of_an_epoch_that_diverged_may_be_no_number(folder: Path, cost: str | None) -> None:
    begin("glove-run/model", '{"epoch": 1, %s"event": "diverged"}\n' % (f'"cost": {cost}, ' if cost else ""))
    result = glove("history")
    assert (result.exit_code, result.stdout) == (0, "    1  diverged\n")
    assert json.loads(glove("history", "--json").stdout) == [{"epoch": 1, "event": "diverged", "cost": None}]
    fails(glove("history", "--plot", "a.png"), 2, r"a\.png: nothing to draw, no epoch of this history has a cost")


def test_a_cost_of_zero_has_no_change_after_it(folder: Path) -> None:
    save("glove-run/model", [{"epoch": 1, "cost": 0.0}, {"epoch": 2, "cost": 0.0}])
    assert rows(glove("history").stdout) == [["epoch", "cost"], ["1", "0.000000"], ["2", "0.000000"]]


def test_numbers_of_epochs_stand_below_each_other(folder: Path) -> None:
    save("glove-run/model", [{"epoch": n, "cost": 1 / n} for n in range(1, 12)])
    first, *_, last = glove("history").stdout.splitlines()[1:]
    assert first.index("1.000000") == last.index("0.090909")
    assert (first[:5], last[:5]) == ("    1", "   11")


# --- wrong input ----------------------------------------------------------------------------------------------------


def test_what_has_no_history_is_refused(folder: Path) -> None:
    fails(glove("history"), 1, r"glove-run: does not exist\. Train one with `glove train`, or name")
    (folder / "glove-run").mkdir()
    fails(glove("history"), 1, r"glove-run: holds no model\. Train one with")
    (folder / "glove-run" / "meta.json").write_text('{"format": "glove-cooc"}')
    fails(glove("history"), 1, r"glove-run: is a 'glove-cooc', not a 'glove-model'\. Train")
    (folder / "file").write_text("")
    fails(glove("history", "file"), 1, r"file: is a file, not the folder of a run or a model\.")
    (folder / "half" / "model").mkdir(parents=True)
    fails(glove("history", "half"), 1, r"half/model: holds no finished result \(meta\.json: No such file")
    save("none/model")
    fails(glove("history", "none"), 1, r"none/model: says nothing about its training, there is no history\.jsonl\.")


DAMAGED = [
    ("{}", r"line 2 has the epoch null, not a number from 1"),
    ("", r"line 2 is damaged: ''"),
    ('{"epoch": 2, "cos', r"""line 2 is damaged: '{"epoch": 2, "cos'"""),
    ("\udcff", r"line 2 is damaged: '\\\\xff'"),
    ("[1, 2]", r"line 2 is not an object: \[1, 2\]"),
    ('{"epoch": 0, "cost": 1}', "line 2 has the epoch 0, not a number from 1"),
    ('{"epoch": true, "cost": 1}', "line 2 has the epoch true, not a number from 1"),
    ('{"epoch": 1.5, "cost": 1}', "line 2 has the epoch 1.5, not a number from 1"),
    ('{"epoch": 2}', "line 2 has the cost null, not a finite number"),
    ('{"epoch": 2, "cost": "low"}', "line 2 has the cost 'low', not a finite number"),
    ('{"epoch": 2, "cost": "low", "event": "x"}', "line 2 has the cost 'low', not a finite number"),
    ('{"epoch": 2, "cost": NaN}', "line 2 has the cost NaN, not a finite number"),
    ('{"epoch": 2, "cost": true}', "line 2 has the cost true, not a finite number"),
    ('{"epoch": 2, "cost": 1, "eta": 0}', "line 2 has the eta 0, not a positive number"),
    ('{"epoch": 2, "cost": 1, "seconds": -1}', "line 2 has the seconds -1, not a number of seconds"),
    ('{"epoch": 2, "cost": 1, "holdout_cost": []}', r"line 2 has the holdout_cost \[\], not a finite number"),
    ('{"epoch": 2, "cost": 1, "accuracy": 29.2}', "line 2 has the accuracy 29.2, not a share from 0 to 1"),
    ('{"epoch": 2, "cost": 1, "event": 3}', "line 2 has the event 3, not a text"),
]


@pytest.mark.parametrize(("line", "message"), DAMAGED)
def test_a_damaged_line_is_named(folder: Path, line: str, message: str) -> None:
    path = save("glove-run/model") / "history.jsonl"
    path.write_bytes(f"{lines(PLAIN[:1])}{line}\n{lines(PLAIN[2:])}".encode("utf-8", "surrogateescape"))
    fails(glove("history"), 1, rf"glove-run/model/history\.jsonl: {message}\. Restore the file")
    path.rename("history.jsonl")
    begin("other/model", "")
    Path("history.jsonl").rename("other/.model.work/history.jsonl")
    fails(glove("history", "other"), 1, rf"other/\.model\.work/history\.jsonl: {message}\. Restore the file")


def test_a_finished_history_that_is_cut_short_is_damaged(folder: Path) -> None:
    path = save("glove-run/model", PLAIN) / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    fails(glove("history"), 1, r"glove-run/model/history\.jsonl: line 3 is damaged: ")


def test_an_empty_or_missing_history_is_named(folder: Path) -> None:
    model = save("glove-run/model", [])
    fails(glove("history"), 1, r"glove-run/model/history\.jsonl: is empty\. Restore the file")
    (model / "history.jsonl").unlink()
    change_meta(model, lambda meta: meta["files"].update({"history.jsonl": {"bytes": 3, "sha256": ""}}))
    fails(glove("history"), 1, r"glove-run/model/history\.jsonl: can't be read: No such file or directory\. Restore")


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([{"epoch": 1, "cost": 0.1}, {"epoch": 2, "cost": "x"}], "epoch 2 of its history has the cost 'x', not a fin"),
        ([3], "epoch 1 of its history is not an object: 3"),
        ({"epoch": 1}, 'its history is not a list: {"epoch": 1}'),
    ],
)
def test_a_damaged_history_in_meta_json_is_named(folder: Path, history: Any, message: str) -> None:
    save("glove-run/model", meta=history)
    fails(glove("history"), 1, rf"glove-run/model/meta\.json: {message}")


def test_a_locked_folder_is_named(as_ordinary_user: Path) -> None:
    run = as_ordinary_user / "run"
    run.mkdir(mode=0o300)
    with pytest.raises(FormatError, match=r"run: can't be read: Permission denied\. Change its permissions"):
        read_history(run)
    run.chmod(0o700)
    begin(str(run / "model"), lines(PLAIN))
    (run / ".model.work" / "history.jsonl").chmod(0)
    with pytest.raises(FormatError, match=r"history\.jsonl: can't be read: Permission denied"):
        read_history(run)


# --- pictures -------------------------------------------------------------------------------------------------------


def texts(path: Path) -> list[str]:
    """Return the texts of an SVG file."""
    tree = ElementTree.parse(path)
    return ["".join(element.itertext()).strip() for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def groups(path: Path, prefix: str) -> int:
    return sum(e.get("id", "").startswith(prefix) for e in ElementTree.parse(path).iter())


def test_a_png_has_its_size_and_is_not_blank(folder: Path) -> None:
    draw_history(PLAIN, "a.png")
    data = (folder / "a.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1050, 630)
    from matplotlib.image import imread

    pixels = imread(folder / "a.png")[:, :, :3]
    ink = (pixels < 0.9).any(axis=2)
    assert 0.005 < ink.mean() < 0.2
    assert not ink[:3].any()
    assert not ink[-3:].any()
    assert not ink[:, :3].any()
    assert not ink[:, -3:].any()


@pytest.mark.parametrize("history", [PLAIN, EVENTFUL], ids=["plain", "eventful"])
def test_all_texts_stand_within_the_picture_and_the_notes_below_the_axes(history: Epochs) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = plots._figure(standing_epochs(history), history, "glove-run/model")
    assert figure.get_figheight() == pytest.approx(4.2 + 0.19 * ("event" in history[1]))
    FigureCanvasAgg(figure).draw()
    whole = figure.bbox
    boxes = {text.get_text(): text.get_window_extent() for text in figure.findobj(Text) if text.get_text()}
    for box in boxes.values():
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    assert "glove-run/model" in boxes
    for text, box in boxes.items():
        if text.startswith("epoch 2"):
            assert box.y1 < boxes["epoch (passes over all pairs)"].y0


def test_a_picture_says_what_it_shows_in_words(folder: Path) -> None:
    draw_history(EVENTFUL, "a.svg", title="the $run$ & its <model>")
    shown = texts(folder / "a.svg")
    for text in (
        "the $run$ & its <model>",
        "epoch (passes over all pairs)",
        "cost (mean per pair)",
        "accuracy (% of analogy questions)",
        "cost",
        "held-out cost",
        "accuracy (right)",
        "epoch 2: diverged in round 3; eta halved to 0.025",
    ):
        assert text in shown
    assert {"1", "2", "3", "0.05", "0.06", "0.08"} <= {re.sub(r"(\.\d\d)0+$", r"\1", text) for text in shown}
    assert groups(folder / "a.svg", "legend") == 1


def test_a_long_title_keeps_its_end(folder: Path) -> None:
    draw_history(PLAIN, "a.svg", title="folder/" * 20 + "model-d50")
    (title,) = [text for text in texts(folder / "a.svg") if "model" in text]
    assert len(title) == 70
    assert title.startswith("\u2026")
    assert title.endswith("/folder/model-d50")


def test_a_single_line_has_no_legend(folder: Path) -> None:
    draw_history(PLAIN, "a.svg")
    assert groups(folder / "a.svg", "legend") == 0
    assert "held-out cost" not in texts(folder / "a.svg")
    assert not any("accuracy" in text for text in texts(folder / "a.svg"))


def test_lines_hold_the_values_and_leave_out_what_was_rolled_back() -> None:
    figure = plots._figure(standing_epochs(EVENTFUL), EVENTFUL, None)
    left, right = figure.axes
    cost, holdout, event = left.lines
    (accuracy,) = right.lines
    assert list(zip(*cost.get_data(), strict=True)) == [(1, 0.08), (2, 0.06), (3, 0.05)]
    assert list(zip(*holdout.get_data(), strict=True)) == [(1, 0.09), (2, 0.07), (3, 0.065)]
    assert list(zip(*accuracy.get_data(), strict=True)) == [(2, 20.0), (3, pytest.approx(25.15))]
    assert list(event.get_xdata()) == [2, 2]
    low, high = right.get_ylim()
    assert low < 0 < 25.15 < high < 30
    assert len({line.get_marker() for line in (cost, holdout, accuracy)}) == 3
    assert len({line.get_linestyle() for line in (cost, holdout, accuracy)}) == 3


def test_a_long_history_keeps_its_marks_apart_and_the_first_and_last() -> None:
    history = [{"epoch": n, "cost": 1 / n} for n in range(1, 1001)]
    marks = plots._figure(history, history, None).axes[0].lines[0].get_markevery()
    assert len(marks) <= 26
    assert {0, 999} <= set(marks)


def test_many_events_are_counted_and_long_ones_cut() -> None:
    history = [{"epoch": n, "cost": 1.0, "event": "x\ty" * 60} for n in range(1, 11)]
    notes = plots._notes(history)
    assert len(notes) == 6
    assert notes[0].startswith("epoch 1: x yx y")
    assert notes[0].endswith("\u2026")
    assert len(notes[0]) == 100
    assert notes[-1] == "and 5 more"


def test_one_epoch_is_a_picture(folder: Path) -> None:
    draw_history(PLAIN[:1], "a.svg")
    assert "1" in texts(folder / "a.svg")


@pytest.mark.parametrize(("name", "magic"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF-"), ("a.PNG", b"\x89PNG")])
def test_the_same_history_gives_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, magic: bytes
) -> None:
    import matplotlib

    draw_history(EVENTFUL, name)
    first = Path(name).read_bytes()
    assert first.startswith(magic)
    with matplotlib.rc_context({"font.size": 30, "lines.marker": "x"}):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
        draw_history(EVENTFUL, name, force=True)
        assert matplotlib.rcParams["font.size"] == 30
    assert Path(name).read_bytes() == first


def test_a_plot_is_drawn_beside_the_table(folder: Path) -> None:
    save("glove-run/model", EVENTFUL)
    result = glove("history", "--plot", "pictures/a.svg")
    assert result.exit_code == 0, result.output
    assert result.stdout == glove("history").stdout
    assert "glove-run/model" in texts(folder / "pictures" / "a.svg")


def test_a_picture_is_not_overwritten_without_force(folder: Path) -> None:
    Path("a.svg").write_text("mine")
    fails(glove("history", "nothing", "--plot", "a.svg"), 1, r"a\.svg: already exists\. Use --force")
    save("glove-run/model", PLAIN)
    fails(glove("history", "--plot", "a.svg"), 1, r"a\.svg: already exists\. Use --force")
    with pytest.raises(OutputError, match=r"a\.svg: already exists"):
        draw_history(PLAIN, "a.svg")
    assert Path("a.svg").read_text() == "mine"
    assert glove("history", "--plot", "a.svg", "--force").exit_code == 0
    assert "cost (mean per pair)" in texts(Path("a.svg"))


def test_a_picture_that_fails_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(plots, "_figure", fail)
    with pytest.raises(RuntimeError):
        draw_history(PLAIN, "a.svg")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "what"), [("a.gif", r"ends in \.gif"), ("a", "has no suffix"), (".png", "has no suf")]
)
def test_another_suffix_is_refused(folder: Path, name: str, what: str) -> None:
    fails(glove("history", "--plot", name), 2, rf"{re.escape(name)}: {what}.* Choose \.png, \.svg, \.pdf\.")
    with pytest.raises(OptionError, match=what):
        draw_history(PLAIN, name)


def test_a_place_that_cannot_be_written_is_refused(folder: Path) -> None:
    save("glove-run/model", PLAIN)
    Path("file").write_text("")
    fails(glove("history", "--plot", "file/a.png"), 1, r"file/a\.png: .*file is not a folder")


def test_a_missing_matplotlib_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("glove-run/model", PLAIN)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    message = r"a\.png: needs the package matplotlib\. Install it with: pip install 'glove-cli\[plot\]'\."
    fails(glove("history", "--plot", "a.png"), 1, message)
    with pytest.raises(OutputError, match=message):
        draw_history(PLAIN, "a.png")
    assert glove("history").exit_code == 0
