"""Go to the limits: of sizes, names, places, memory, disk, processors and clocks.

    python reliability/limits.py                  some minutes; some parts need the superuser, and say so
    python reliability/limits.py -k memory

Each limit is tried with the commands as a user types them, in processes of their own.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from glove_cli import GloveModel, load_cooc
from glove_cli.cooc.reference_format import ENTRY

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "corpora" / "sample.txt"
GLOVE = [sys.executable, "-m", "glove_cli"]


class SkippedError(Exception):
    """What is needed isn't here."""


def glove(*arguments: object, code: int = 0, **options: object) -> str:
    """Run a command and return what it printed; fail if its exit code is another, or it ends with a traceback."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}  # type: ignore[dict-item]
    command = [*GLOVE, *(a if isinstance(a, bytes) else str(a) for a in arguments)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False, **options)  # type: ignore[call-overload]
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == code and "Traceback" not in said, f"{command[3:]}: exit code {done.returncode}\n{said}"
    return said


def last(said: str) -> str:
    """Return the last line."""
    return (said.splitlines() or [""])[-1]


def write_text(path: Path, tokens: int, words: int) -> None:
    """Write a text whose words are as unequally frequent as those of a language."""
    ids = np.minimum(np.random.default_rng(1).zipf(1.15, tokens), words)
    names = np.array([f"w{i}" for i in range(words + 1)], object)
    with path.open("w") as file:
        for begin in range(0, tokens, 1000):
            file.write(" ".join(names[ids[begin : begin + 1000]]) + "\n")


def one_word(folder: Path) -> str:
    """A vocabulary of one word."""
    (folder / "text.txt").write_text("word word word word word\n")
    glove("build-cooc", "text.txt", "--min-count", 1, cwd=folder)
    glove("train", "--dim", 2, "--epochs", 2, "--x-max", 10, cwd=folder)
    glove("export", "vectors.txt", cwd=folder)
    asked = glove("nearest", "word", cwd=folder)
    plotted = glove("plot", "map.png", "--method", "pca", cwd=folder, code=2)
    return f"counted, trained, exported, asked ({last(asked).strip() or 'no neighbour'}); plot: {last(plotted)}"


def no_words(folder: Path) -> str:
    """Texts without anything to count."""
    (folder / "empty.txt").write_bytes(b"")
    (folder / "blank.txt").write_bytes(b" \n\t\n" * 1000)
    (folder / "rare.txt").write_text("each word once\n")
    return "; ".join(
        last(glove("build-cooc", name, code=1, cwd=folder)) for name in ("empty.txt", "blank.txt", "rare.txt")
    )


def many_words(folder: Path) -> str:
    """Three million words, 50 dimensions."""
    V = 3_000_000
    (folder / "vocab.txt").write_bytes(b"".join(b"word%d %d\n" % (i, V - i) for i in range(V)))
    entries = np.empty(2 * V, ENTRY)
    ids = np.arange(V, dtype=np.int64)
    other = (ids * 7919 + 1) % V
    entries["row"] = np.concatenate([ids, other]) + 1
    entries["col"] = np.concatenate([other, ids]) + 1
    entries["x"] = 2.5
    entries.tofile(folder / "in.bin")
    glove("import-cooc", "in.bin", "--vocab", "vocab.txt", "--sum-duplicates", cwd=folder)
    said = glove("train", "--dim", 50, "--epochs", 1, "--x-max", 10, "--checkpoint-every", "never", cwd=folder)
    glove("export", "vectors.bin", cwd=folder)
    near = glove("nearest", "word1", "-n", 1, cwd=folder)
    model = GloveModel.load(folder / "glove-run" / "model", verify=())
    assert model.W.shape == (V, 50) and np.isfinite(model.W[:: V // 1000]).all()
    plan = next((line for line in said.splitlines() if "memory" in line.lower()), "")
    return f"trained ({plan.strip()}), exported, asked: {last(near).strip()}"


def too_many_dimensions(folder: Path) -> str:
    """Parameters that can't fit are refused before any work."""
    glove("build-cooc", SAMPLE, cwd=folder)
    return last(glove("train", "--dim", 1_000_000_000, code=2, cwd=folder))


def ids_of_other_programs(folder: Path) -> str:
    """Ids beyond the vocabulary, near 2**31, and negative ones."""
    (folder / "vocab.txt").write_text("a 3\nb 2\n")
    said = []
    for row in (3, 2**31 - 1, 0, -1):
        np.array([(row, 1, 1.0)], ENTRY).tofile(folder / "in.bin")
        said.append(last(glove("import-cooc", "in.bin", "--vocab", "vocab.txt", code=1, cwd=folder)))
    return f"refused: {said[1]}"


def large_counts(folder: Path) -> str:
    """A count beyond 2**29, where sums stop being exact."""
    units = 2.0**28
    (folder / "vocab.txt").write_text("a 3\nb 2\n")
    for name, x in (("first", units + 0.25), ("second", units), ("third", 0.5)):
        np.array([(1, 2, x), (2, 1, x)], ENTRY).tofile(folder / "in.bin")
        glove("import-cooc", "in.bin", "--vocab", "vocab.txt", "-o", name, cwd=folder)
    within = glove("merge-cooc", "first", "third", "-o", "within", cwd=folder)
    beyond = glove("merge-cooc", "first", "second", "-o", "beyond", cwd=folder)
    assert "exactness" not in within and "exactness" in beyond
    assert float(load_cooc(folder / "beyond").data.max()) == 2 * units + 0.25
    return "; ".join(line for line in beyond.splitlines() if "exactness" in line)


def many_files(folder: Path) -> str:
    """Ten thousand texts in a folder, with few files allowed to be open."""
    texts = folder / "texts"
    texts.mkdir()
    lines = SAMPLE.read_text().splitlines(keepends=True)
    for i in range(10_000):
        (texts / f"{i}.txt").write_text(lines[i % len(lines)])
    (folder / "one.txt").write_text("".join((texts / name).read_text() for name in sorted(os.listdir(texts))))
    few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))}
    glove("build-cooc", "texts", "-o", "many", cwd=folder, **few)
    glove("build-cooc", "one.txt", "-o", "one", cwd=folder)
    many, one = load_cooc(folder / "many"), load_cooc(folder / "one")
    assert many.meta["tokens"] == one.meta["tokens"] and np.array_equal(many.data, one.data)
    return f"{len(os.listdir(texts)):,} files, 40 open at a time: the matrix of one file of all, {many.nnz:,} pairs"


def names(folder: Path) -> str:
    """Paths with blanks, line ends, quotes and bytes that are not UTF-8."""
    place = os.fsencode(folder) + b"/a b\n'\"$(c) \xff\xfe"
    os.mkdir(place)
    shutil.copy(SAMPLE, place + b"/t \n\xff.txt")
    run = place + b"/run \xff"
    glove("build-cooc", place + b"/t \n\xff.txt", "--run", run)
    glove("train", "--dim", 5, "--epochs", 1, "--x-max", 10, "--run", run)
    glove("export", place + b"/v \xff.txt", "--run", run)
    glove("info", run)
    missing = glove("build-cooc", place + b"/missing\n\xff", code=1)
    assert len(missing.splitlines()) == 1
    return f"all commands; a missing one: {ascii(missing.strip())[-60:]}"


def plain_locale(folder: Path) -> str:
    """The locale C, without UTF-8 mode."""
    (folder / "text.txt").write_text("caf\u00e9 \u4eba caf\u00e9 \u4eba b\n" * 9, encoding="utf-8")
    plain = {"env": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "cwd": folder}
    glove("build-cooc", "text.txt", **plain)
    glove("train", "--dim", 4, "--epochs", 2, "--x-max", 1, **plain)
    glove("export", "vectors.txt", **plain)
    words = [line.split()[0] for line in (folder / "vectors.txt").read_text(encoding="utf-8").splitlines()]
    assert set(words) == {"caf\u00e9", "\u4eba", "b", "<unk>"}
    return f"same words; on the terminal: {glove('nearest', 'b', **plain).split()[-2:]}"


def no_home(folder: Path) -> str:
    """No HOME, and a user without an entry."""
    (folder / "text.txt").write_text("a b c a b\n" * 9)
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_CACHE_HOME")}
    environment |= {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*GLOVE, "build-cooc", "text.txt"], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return "counted"


@contextlib.contextmanager
def mounted(place: Path, options: str) -> Iterator[None]:
    """Mount a file system in memory."""
    place.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SkippedError("needs the superuser, to mount a file system") from error
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def read_only_home(folder: Path) -> str:
    """Nothing can be written but the folder that one works in: Numba's cache goes elsewhere, and that is said."""
    disk, work = folder / "disk", folder / "work"
    work.mkdir()
    (work / "text.txt").write_text("a b c a b\n" * 9)
    with mounted(disk, "size=50m"):
        shutil.copytree(ROOT / "glove_cli", disk / "glove_cli", ignore=shutil.ignore_patterns("__pycache__"))
        (disk / "home").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True, capture_output=True)
        others = ("NUMBA_CACHE_DIR", "GLOVE_CACHE_DIR", "XDG_CACHE_HOME")
        environment = {key: value for key, value in os.environ.items() if key not in others}
        environment |= {"PYTHONPATH": str(disk), "HOME": str(disk / "home"), "TMPDIR": str(work)}
        said = []
        for _ in range(2):
            done = subprocess.run(
                [*GLOVE, "build-cooc", "text.txt", "--force"],
                cwd=work,
                env=environment,
                capture_output=True,
                check=False,
            )
            said.append(done.stderr.decode())
            assert done.returncode == 0 and "Traceback" not in said[-1], said[-1]
    assert "glove-compiled-" in said[0] and not said[1], said
    return f"counted; the first time: {said[0].splitlines()[0]}"


def _enter(processes: Path) -> None:
    processes.write_text(str(os.getpid()))


@contextlib.contextmanager
def control_group(limit: int) -> Iterator[Callable[[], None]]:
    """Make a control group with a limit of memory; give what puts a process into it."""
    for root, file, sign in (
        (Path("/sys/fs/cgroup"), "memory.max", "cgroup.controllers"),
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.limit_in_bytes"),
    ):
        group = root / "glove-limits"
        try:
            if not (root / sign).exists():
                continue
            group.mkdir(exist_ok=True)
            (group / file).write_text(str(limit))
        except OSError:
            continue
        for swap in ("memory.swap.max", "memory.memsw.limit_in_bytes"):
            with contextlib.suppress(OSError):
                (group / swap).write_text("0" if "max" in swap else str(limit))
        try:
            yield partial(_enter, group / "cgroup.procs")
        finally:
            with contextlib.suppress(OSError):
                group.rmdir()
        return
    raise SkippedError("needs the superuser and control groups of memory")


def memory_of_a_control_group(folder: Path) -> str:
    """A control group that allows 700 MB: nothing is killed, and what is said to fit does."""
    write_text(folder / "text.txt", 1_500_000, 50_000)
    limit = 700 << 20
    with control_group(limit) as enter:
        inside = {"preexec_fn": enter, "cwd": folder}
        glove("build-cooc", "text.txt", "--run", "small", **inside)
        glove("train", "--run", "small", "--dim", 50, "--epochs", 2, "--x-max", 10, **inside)
        glove("export", "vectors.txt", "--run", "small", **inside)
        large = ("train", "--run", "small", "-o", "large", "--epochs", 1)
        refused = glove(*large, "--dim", 5000, code=1, **inside)
        advised = re.search(r"Give --dim (\d+) or less", refused)
        assert advised, refused
        glove(*large, "--dim", advised[1], **inside)
    glove("build-cooc", "text.txt", "--run", "free", "--threads", 1, cwd=folder)
    one, other = (load_cooc(folder / run / "cooc") for run in ("small", "free"))
    assert np.array_equal(one.data, other.data) and np.array_equal(one.indices, other.indices)
    return (
        f"1.5 million tokens, {one.nnz:,} pairs: the same matrix as without a limit; d = {advised[1]} is trained; "
        f"d = 5000: {last(refused)}"
    )


def full_disk(folder: Path) -> str:
    """A disk of 3 MB: each command ends in one line, and leaves the disk as it was."""
    disk = folder / "disk"
    with mounted(disk, "size=3m"):
        run = ("--run", folder / "run")
        text = folder / "text.txt"
        write_text(text, 600_000, 40_000)
        glove("build-cooc", text, *run, "--min-count", 1)
        glove("train", *run, "--dim", 50, "--epochs", 1, "--x-max", 10)
        here = {"code": 1, "cwd": disk}
        said = [
            glove("build-cooc", text, "-o", "cooc", **here), glove("train", *run, "-o", "model", **here),
            *(glove("export", f"out.{kind}", *run, **here) for kind in ("txt", "bin", "kv", "npy", "parquet")),
            glove("export-cooc", "out.bin", *run, **here),
            glove("explore", "page.html", "--method", "pca", *run, **here),
        ]  # fmt: skip
        assert not os.listdir(disk), os.listdir(disk)
    assert all(last(text).startswith("Error: ") for text in said)
    return f"{len(said)} commands refused, nothing left behind; the first: {last(said[0])}"


def one_processor(folder: Path) -> str:
    """One processor allowed, and 64 threads asked for on it: the same bytes as with one thread."""
    glove("build-cooc", SAMPLE, "--run", "one", "--threads", 1, cwd=folder)
    few = {"preexec_fn": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}), "cwd": folder}
    glove("build-cooc", SAMPLE, "--run", "many", "--threads", 64, **few)
    train = ("train", "--dim", 10, "--epochs", 2, "--x-max", 10)
    glove(*train, "--run", "one", "--threads", 1, cwd=folder)
    glove(*train, "--run", "many", "--threads", 64, **few)
    for name in ("cooc/data.npy", "cooc/indices.npy", "cooc/vocab.txt", "model/W.npy", "model/C.npy", "model/b_w.npy"):
        assert (folder / "one" / name).read_bytes() == (folder / "many" / name).read_bytes(), name
    return "matrix and model equal those of one thread"


def clocks(folder: Path) -> str:
    """A clock that goes back during training, and files from the future."""
    glove("build-cooc", SAMPLE, cwd=folder)
    future = 4_102_444_800
    for path in (folder / "glove-run" / "cooc").iterdir():
        os.utime(path, (future, future))
    code = (
        "import time, itertools\n"
        "steps = itertools.count()\n"
        "time.time = lambda: 2_000_000_000.0 - 1000 * next(steps)\n"
        "from glove_cli.cli.main import main\n"
        "main(['train', '--dim', '5', '--epochs', '5', '--x-max', '10', '--resume', '--checkpoint-every', '0.01s'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    glove("train", "--dim", 5, "--epochs", 5, "--x-max", 10, "-o", "straight", cwd=folder)
    assert (folder / "glove-run" / "model" / "W.npy").read_bytes() == (folder / "straight" / "W.npy").read_bytes()
    return "trained with checkpoints: the same bytes"


def bombs(folder: Path) -> str:
    """Small files that unpack to large ones: 4 GB of one letter without a blank, in bounded memory and time."""
    packed = gzip.compress(b"x" * (64 << 20), mtime=0)
    with (folder / "bomb.gz").open("wb") as file:
        for _ in range(64):
            file.write(packed)
    bounded = {
        "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30)),
        "cwd": folder,
        "code": 1,
    }
    corpus = last(glove("build-cooc", "bomb.gz", **bounded))
    vectors = last(glove("nearest", "a", "--model", "bomb.gz", **bounded))
    deep = json.dumps({"text": "a b"}) + "\n" + "[" * 200_000 + "\n"
    (folder / "deep.jsonl").write_text(deep)
    nested = last(glove("build-cooc", "deep.jsonl", "--json-field", "text", **bounded))
    return f"{corpus} / {vectors} / {nested}"


LIMITS = (
    one_word, no_words, many_words, too_many_dimensions, ids_of_other_programs, large_counts, many_files, names,
    plain_locale, no_home, read_only_home, memory_of_a_control_group, full_disk, one_processor, clocks, bombs,
)  # fmt: skip


def main() -> int:
    """Try all limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", default="", metavar="NAME", help="only limits with this in their name")
    options = parser.parse_args()
    good = True
    print("| limit | what happens |\n|---|---|")
    for limit in LIMITS:
        if options.k not in limit.__name__:
            continue
        with tempfile.TemporaryDirectory(prefix="glove-limits-", ignore_cleanup_errors=True) as folder:
            try:
                result = limit(Path(folder))
            except SkippedError as error:
                result = f"skipped: {error}"
            except AssertionError as error:
                good, result = False, f"FAILS: {error}"
        what = " ".join((limit.__doc__ or "").split())
        print(f"| {what} | {result.replace(folder, '.')} |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
