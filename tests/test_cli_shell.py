"""`glove shell`: what its lines mean, through a pipe and on a real terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli_build_cooc import glove
from test_vectors_export import make_model

from glove_cli.cli import prompt
from glove_cli.cli.main import main
from glove_cli.cli.prompt import completions, history_path
from glove_cli.cli.session import Session
from glove_cli.errors import GloveError
from glove_cli.vectors.keyed import WordVectors

WORDS = ["france", "paris", "italy", "rome", "romania"]
ROOT = Path(__file__).parents[1]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Give a session; its vectors are also a file in the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).normal(size=(len(WORDS), 4)).round(6).astype(np.float32)
    lines = [f"{w} {' '.join(f'{x:.6f}' for x in row)}\n" for w, row in zip(WORDS, rows, strict=True)]
    Path("v.txt").write_text("".join(lines))
    return Session(WordVectors(WORDS, rows))


def test_expressions_and_proportions_are_analogies(session: Session) -> None:
    best = session.vectors.analogy("france", "paris", "italy")
    for line in ("paris - france + italy", "france : paris :: italy : ?", "analogy france paris italy"):
        assert [row.split()[0] for row in session.answer(line).splitlines()[1:]] == [n.word for n in best]
    assert session.answer("- france + paris + italy") == session.answer("paris - france + italy")


def test_settings_hold_from_then_on(session: Session) -> None:
    assert session.answer(":n 1") == ":n 1  :restrict all  :metric cosine  :method add"
    assert len(session.answer("paris").splitlines()) == 2
    session.answer(":restrict 2")
    session.answer(":metric dot")
    assert session.answer("paris").split() == [
        "word", "dot", "product", "france", f"{session.vectors.similarity('france', 'paris', metric='dot'):.4f}",
    ]  # fmt: skip
    assert ":restrict all" in session.answer(":restrict all")
    session.answer(":method mul")
    assert session.answer("analogy france paris italy").startswith("word")


@pytest.mark.parametrize(
    "line",
    [
        "pariss",
        "paris -",
        "paris + + rome",
        "a : b :: c",
        "similarity paris",
        "odd paris rome",
        ":n 0",
        ":n",
        ":metric x",
    ],
)
def test_a_line_without_an_answer_is_an_error(session: Session, line: str) -> None:
    with pytest.raises(GloveError):
        session.answer(line)


def test_a_pipe_gets_every_answer_and_no_prompt(session: Session) -> None:
    result = glove(
        "shell", "--model", "v.txt", stdin=b"similarity paris rome\npariss\n\nsimilarity rome paris\nquit\nx\n"
    )
    score = f"{session.vectors.similarity('paris', 'rome'):.4f}\n"
    assert (result.exit_code, result.stdout) == (1, 2 * score)
    assert result.stderr == "Error: pariss: is not among the 5 words. Did you mean paris?\n"
    assert glove("shell", "--model", "v.txt", stdin=b"paris").exit_code == 0


def test_what_is_offered_begins_alike_most_frequent_first(session: Session) -> None:
    assert completions(session, "", "rom") == ["rome", "romania"]
    assert completions(session, ":metric ", "") == ["cosine", "dot", "euclidean"]
    assert completions(session, "", "si") == ["similarity"]
    many = Session(WordVectors([*(f"xa{i}" for i in range(300)), "xb"], np.ones((301, 1), np.float32)))
    offered = completions(many, "", "x")
    assert (offered[:2], len(offered)) == (["xa0", "xa1"], 51)
    assert "xb" in offered  # or else readline would write xa for x


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text("ab\U0010ffff\udcff", min_size=1, max_size=4), unique=True, min_size=1), st.text("ab\U0010ffff")
)
def test_all_words_that_begin_so_are_offered(words: list[str], text: str) -> None:
    offered = completions(Session(WordVectors(words, np.ones((len(words), 1), np.float32))), "x ", text)
    assert offered == [word for word in words if word.startswith(text)][:50]


def test_words_with_terminal_commands_are_not_listed() -> None:
    words = ["x\x1b[2J", "x\x9b2J", "xa"]
    session = Session(WordVectors(words, np.ones((3, 1), np.float32)))
    assert completions(session, "", "x") == completions(session, "a ", "") == ["xa"]


def test_the_history_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.delenv("GLOVE_HISTORY", raising=False)
    assert history_path() == Path("/state/glove/history")
    monkeypatch.setenv("GLOVE_HISTORY", "mine")
    assert history_path() == Path("mine")
    monkeypatch.setenv("GLOVE_HISTORY", "")
    assert history_path() is None


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of Unix")
def test_a_terminal_completes_remembers_and_clears_lines(session: Session, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    pytest.importorskip("readline")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "GLOVE_HISTORY": str(tmp_path / "kept" / "history"), "TERM": "xterm"}

    def converse(*said: bytes) -> str:
        master, slave = pty.openpty()
        arguments = [sys.executable, "-m", "glove_cli", "shell", "--model", "v.txt"]
        process = subprocess.Popen(
            arguments, stdin=slave, stdout=slave, stderr=slave, env=env, close_fds=True, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        seen = b""
        for prompts, text in enumerate(said, 1):
            end = time.monotonic() + 30
            quiet = False  # what is typed while a prompt is being drawn again after Ctrl-C may be thrown away
            while not (quiet and seen.count(b"glove> ") >= prompts) and time.monotonic() < end:
                quiet = not select.select([master], [], [], 0.3)[0]
                if not quiet:
                    seen += os.read(master, 4096)
            os.write(master, text)
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:  # Linux: the other end was closed
                break
            if not piece:
                break
            seen += piece
        os.close(master)
        assert process.wait(30) == 0, seen
        return seen.decode()

    score = f"{session.vectors.similarity('paris', 'italy'):.4f}"
    assert score in converse(b"nonsense\x03", b"similarity par\t it\t\n", b"\x04")
    assert (tmp_path / "kept" / "history").read_text() == "similarity paris italy\n"
    assert score in converse(b"\x1b[A\n", b"quit\n")  # the key for the line before


@pytest.mark.skipif(sys.platform == "win32", reason="has no readline")
def test_two_shells_at_once_keep_the_lines_of_both(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    readline = pytest.importorskip("readline")
    if not hasattr(readline, "append_history_file"):
        pytest.skip("this editor can't append")
    path = tmp_path / "kept" / "history"
    monkeypatch.setenv("GLOVE_HISTORY", str(path))
    monkeypatch.setattr(prompt, "_KEPT_LINES", 4)
    readline.clear_history()
    try:
        with prompt._editing(session):
            readline.add_history("first")
        assert (path.read_text(), path.stat().st_mode & 0o777) == ("first\n", 0o600)
        readline.clear_history()
        with prompt._editing(session):
            readline.add_history("mine")
            with path.open("a") as file:
                file.write("another shell's\n")
        assert path.read_text() == "first\nanother shell's\nmine\n"
        readline.clear_history()
        with prompt._editing(session):
            readline.add_history("four")
            readline.add_history("five")
        assert path.read_text() == "another shell's\nmine\nfour\nfive\n"  # no more than are kept
        readline.clear_history()
        with prompt._editing(session):
            pass
        assert path.read_text() == "another shell's\nmine\nfour\nfive\n"
    finally:
        readline.clear_history()
        readline.set_history_length(-1)


@pytest.mark.parametrize("arguments", [("shell",), ("nearest", "-")])
def test_a_closed_standard_input_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    make_model().save(tmp_path / "run" / "model")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--run", str(tmp_path / "run")])
    assert ended.value.code == 1
