"""Tables on terminals: they fit, nothing is lost, and colours come only where they are wanted."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cli_help import PACKAGE_ROOT
from test_vectors_export import make_model

from glove_cli.cli.history import history_table
from glove_cli.cli.tables import pairs, table
from glove_cli.cli.terminal import colour_choice
from glove_cli.cli.widths import cut, display_width, wrapped

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HEADER = ("word", "cosine", "rank")
ROWS = [("extraordinarily-long-word", "0.6210", "1"), ("日本語日本語日本語", "0.6090", "12,345")]
STYLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Let standard output be a terminal without colours."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("word", 4),
        ("café", 4),
        ("cafe\u0301", 4),
        ("日本", 4),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("ｱ", 1),
        ("สวัสดี", 4),
        ("a\u200bb", 2),
        ("👍", 2),
        ("👍\U0001f3fd", 2),
        (FAMILY, 2),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 4),
        ("❤", 1),
        ("❤\ufe0f", 2),
        ("\u0301a", 1),
    ],
)
def test_the_columns_that_a_text_takes(text: str, width: int) -> None:
    assert display_width(text) == width


def test_a_text_is_cut_between_what_is_drawn_as_one() -> None:
    assert cut("paris", 5) == "paris"
    assert cut("parish", 5) == "pari…"
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"
    assert cut("cafe\u0301teria", 5) == "cafe\u0301…"
    assert cut(f"{FAMILY}abcd", 4) == f"{FAMILY}a…"
    assert cut("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 3) == "\U0001f1e9\U0001f1ea…"


@given(st.text(), st.integers(1, 20))
def test_a_cut_text_is_a_beginning_and_fits(text: str, width: int) -> None:
    short = cut(text, width)
    assert display_width(short) <= width
    assert short == text or text.startswith(short.removesuffix("…"))


def test_an_output_that_lacks_the_ellipsis_gets_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "latin-1"))
    assert cut("parish", 5) == "pari~"


def test_texts_are_cut_as_far_as_it_has_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, 29)
    assert table(HEADER, ROWS).splitlines() == [
        "word           cosine    rank",
        "extraordinar…  0.6210       1",
        "日本語日本語…  0.6090  12,345",
    ]
    on_terminal(monkeypatch, 41)
    assert table(HEADER, ROWS).splitlines()[1] == "extraordinarily-long-word  0.6210       1"


def test_columns_that_do_not_fit_follow_with_the_first_again(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, 20)
    rows = [*ROWS, "a line between the rows", ("end", "1", "2")]
    assert table(HEADER, rows, indent=" ").splitlines() == [
        " word         cosine",
        " extraordin…  0.6210",
        " 日本語日本…  0.6090",
        " a line between the rows",
        " end               1",
        "",
        " word           rank",
        " extraordin…       1",
        " 日本語日本…  12,345",
        " end               2",
    ]


def test_numbers_are_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, 10)
    numbers = [("1,000,000,000,000", "2,000,000,000,000")]
    assert table(("count", "sum"), numbers).splitlines()[1] == "1,000,000,000,000  2,000,000,000,000"


@given(
    st.lists(
        st.tuples(st.text("abß日", max_size=40), *[st.integers(0, 10**9).map("{:,}".format)] * 6),
        min_size=1,
        max_size=5,
    ),
    st.integers(26, 200),
)
def test_no_line_is_wider_than_the_terminal_and_no_number_is_lost(rows: list[tuple[str, ...]], columns: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        on_terminal(monkeypatch, columns)  # 10 for the text, 2 between, 13 for a number and 1 for the indent fit
        text = table(("text", *"abcdef"), rows, indent=" ")
    lines = text.splitlines()
    assert max(map(display_width, lines)) <= columns
    groups = [group.splitlines() for group in text.split("\n\n")]
    for k, row in enumerate(rows):
        shown = [cell for group in groups for cell in re.findall(r"[\d,]+", group[k + 1])]
        assert shown == list(row[1:])


def test_columns_of_text_may_stand_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, 26)
    found = table(("a", "b"), [("x", "a very very very long text"), ("y", "short")], text_columns=(0, 1)).splitlines()
    assert found == ["a  b", "x  a very very very long …", "y  short"]


def test_nothing_is_cut_where_no_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    long = "w" * 200
    assert table(HEADER, [(long, "1", "2")]).splitlines()[1].split() == [long, "1", "2"]
    assert pairs([("name", "many words " * 20)]).count("\n") == 0


def test_one_long_word_does_not_widen_all_lines() -> None:
    lines = table(["word", "n"], [["a" * 5000, "1"], ["b", "2"]]).splitlines()
    assert [len(line) for line in lines] == [1003, 1003, 1003]


def test_long_values_are_broken_at_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, 24)
    assert pairs([("from", "one two three four five"), ("sha", "f" * 30)], " ").splitlines() == [
        " from  one two three",
        "       four five",
        " sha   " + "f" * 30,
    ]
    assert wrapped("日本 語語 a", 5) == ["日本", "語語", "a"]


def test_a_history_fits_and_tells_its_events_once(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, 30)
    epochs = [{"epoch": k, "cost": 0.1 / k, "holdout_cost": 0.2 / k, "seconds": 1.5} for k in (1, 2, 3)]
    found = history_table([epochs[0], {**epochs[1], "event": "something happened"}, epochs[2]])
    assert found.count("something happened") == 1
    assert max(map(len, found.splitlines())) <= 30
    assert all(f"{0.2 / k:.6f}" in found for k in (1, 2, 3))


@pytest.mark.parametrize(
    ("environment", "choice"),
    [
        ({}, None),
        ({"TERM": "xterm"}, None),
        ({"NO_COLOR": ""}, None),
        ({"NO_COLOR": "0"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, None),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True),
        ({"CLICOLOR": "0"}, False),
        ({"CLICOLOR": "1"}, None),
        ({"TERM": "dumb"}, False),
    ],
)
def test_the_environment_decides_about_colours(
    environment: dict[str, str], choice: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in STYLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colour_choice() is choice


def glove(
    *arguments: str, terminals: tuple[str, ...], folder: Path, columns: int = 80, **environment: str
) -> dict[str, str]:
    """Run a command some of whose outputs, "stdout" and "stderr", are pseudo-terminals, the others pipes."""
    env = {key: value for key, value in os.environ.items() if key not in (*STYLES, "COLUMNS", "GLOVE_RUN")}
    env |= {"PYTHONPATH": str(PACKAGE_ROOT), "TERM": "xterm", **environment}
    found, outputs, leaders = {}, {}, {}
    for name in ("stdout", "stderr"):
        leaders[name], outputs[name] = pty.openpty() if name in terminals else os.pipe()
        if name in terminals:
            fcntl.ioctl(outputs[name], termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "glove_cli", *arguments]
    with subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, **outputs) as process:  # type: ignore[call-overload]
        for name, leader in leaders.items():  # what these commands print finds room in a pipe
            os.close(outputs[name])
            read = b""
            while piece := _read(leader):
                read += piece
            os.close(leader)
            found[name] = read.decode().replace("\r\n", "\n")
    assert process.returncode in (0, 1)
    return found


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 1 << 16)
    except OSError:  # so ends a pseudo-terminal on Linux
        return b""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a run."""
    make_model().save(tmp_path / "glove-run" / "model")
    return tmp_path


BOTH = ("stdout", "stderr")
BOLD, RED, PLAIN = "\x1b[1m", "\x1b[31m\x1b[1mError:\x1b[0m", "Error: "


@pytest.mark.parametrize(
    ("terminals", "environment", "bold", "red"),
    [
        (BOTH, {}, True, True),
        (("stdout",), {}, True, False),
        (("stderr",), {}, False, True),
        ((), {}, False, False),
        (BOTH, {"NO_COLOR": "1"}, False, False),
        (BOTH, {"TERM": "dumb"}, False, False),
        ((), {"FORCE_COLOR": "1"}, True, True),
    ],
)
def test_colours_are_seen_on_terminals_only(
    folder: Path, terminals: tuple[str, ...], environment: dict[str, str], bold: bool, red: bool
) -> None:
    good = glove("nearest", "w1", terminals=terminals, folder=folder, **environment)
    assert good["stderr"] == ""
    header = "word   cosine"
    assert (f"\n{BOLD}{header}\x1b[0m\n" if bold else f"\n{header}\n") in good["stdout"]
    bad = glove("nearest", "nothing", terminals=terminals, folder=folder, **environment)
    assert bad["stdout"] == ""
    assert bad["stderr"].startswith(f"{RED} nothing: is not" if red else f"{PLAIN}nothing: is not")
    assert ("\x1b" in good["stdout"], "\x1b" in bad["stderr"]) == (bold, red)


@pytest.mark.parametrize("columns", [40, 70, 80, 130])
def test_checksums_are_whole_on_every_terminal(folder: Path, columns: int) -> None:
    piped = glove("info", terminals=(), folder=folder)["stdout"]
    digests = re.findall(r"\b[0-9a-f]{64}\b", piped)
    assert len(digests) == 9
    shown = glove("info", terminals=("stdout",), folder=folder, columns=columns)["stdout"]
    assert re.findall(r"\b[0-9a-f]{64}\b", shown) == digests
    for name in ("vocab.txt", "gradsq_b_w.npy", "gradsq_b_c.npy"):
        assert f"  {name} " in shown
    if columns >= 70:
        assert max(len(line) for line in re.sub(r"\x1b\[\d+m", "", shown).splitlines()) <= columns


def test_the_width_is_that_of_the_terminal_unless_columns_says_another(folder: Path) -> None:
    narrow = glove("info", terminals=("stdout",), folder=folder, columns=80, NO_COLOR="1")["stdout"]
    assert (
        glove("info", terminals=("stdout",), folder=folder, columns=130, COLUMNS="80", NO_COLOR="1")["stdout"] == narrow
    )
    assert glove("info", terminals=(), folder=folder, COLUMNS="80")["stdout"] != narrow
