"""What every benchmark needs: the machine's facts, measured commands, the corpus, and a table.

A command is measured by a small process of its own: on Linux a child's peak memory starts at its parent's, so a
benchmark that has a matrix in memory must not be the parent.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import lzma
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glove_cli.cooc.store import CoocMatrix

REPOSITORY = Path(__file__).resolve().parent.parent
REFERENCE_TOOLS = ("vocab_count", "cooccur", "shuffle", "glove")
GLOVE = (sys.executable, "-m", "glove_cli")

_MEASURE = """
import json, os, sys, time
report, stdin, stdout, stderr, *command = sys.argv[1:]
actions = [(os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0)]
for number, name in ((1, stdout), (2, stderr)):
    if name:
        actions.append((os.POSIX_SPAWN_OPEN, number, name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644))
begin = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - begin
unit = 1 if sys.platform == "darwin" else 1024
result = {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak": usage.ru_maxrss * unit}
with open(report, "w") as file:
    json.dump(result, file)
"""


@dataclass(frozen=True)
class Run:
    """A command that ended well: wall time in seconds, peak memory in bytes, and what it said on stderr."""

    seconds: float
    peak: int
    stderr: str


def measure(command: Sequence[str | Path], *, stdin: Path | None = None, stdout: Path | None = None) -> Run:
    """Run a command and measure its wall time and peak resident memory; stop the benchmark if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        report, stderr = Path(folder, "report"), Path(folder, "stderr")
        os.sync()  # what the command before left to be written would be written, and waited for, now
        files = [report, stdin or os.devnull, stdout or os.devnull, stderr]
        subprocess.run(measuring(files, command), check=True, env=child_environment())
        result, said = json.loads(report.read_text()), stderr.read_text(errors="replace")
    if result["code"] != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: ended with {result['code']}\n{said[-2000:]}")
    return Run(result["seconds"], result["peak"], said)


def measuring(files: Sequence[str | Path], command: Sequence[str | Path]) -> list[str]:
    """Return the command that measures a command; the files are report, stdin, stdout, stderr, and "" is this one's."""
    return [sys.executable, "-S", "-c", _MEASURE, *map(str, files), *map(str, command)]


def child_environment() -> dict[str, str]:
    """Return an environment in which `python -m glove_cli` is this repository's, unless it is installed.

    Python keeps its bytecode there, as an install does, whatever this process's environment says.
    """
    path = os.environ.get("PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{path}" if path else str(REPOSITORY)}


def parser(description: str | None, *, reference: bool = True) -> argparse.ArgumentParser:
    """Return a parser with the options that the benchmarks share."""
    result = argparse.ArgumentParser(description=(description or "").split("\n")[0])
    if reference:
        result.add_argument(
            "--reference", type=Path, metavar="DIR", help="folder with the reference's four built tools"
        )
    result.add_argument("--corpus", type=Path, metavar="FILE", help="text (default: wiki8s of the shared data)")
    result.add_argument("--threads", type=int, default=2)
    result.add_argument(
        "--work", type=Path, metavar="DIR", help="folder for what is made on the way, kept and used again"
    )
    return result


def check_reference(folder: Path | None) -> Path | None:
    """Return the folder of the reference's tools after looking whether all are there."""
    if folder is not None:
        missing = [tool for tool in REFERENCE_TOOLS if not os.access(folder / tool, os.X_OK)]
        if missing:
            raise SystemExit(f"--reference: {folder} lacks {', '.join(missing)}. Build the reference there with make.")
        return folder.resolve()
    return None


@contextlib.contextmanager
def work_folder(path: Path | None) -> Iterator[Path]:
    """Give the folder to work in: the one named, or a temporary one that goes away."""
    if path is not None:
        path.mkdir(parents=True, exist_ok=True)
        yield path.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="glove-benchmark-") as folder:
        yield Path(folder)


def shared_data() -> Path:
    """Return the folder of the shared data."""
    return Path(os.environ.get("GLOVE_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


def find_corpus(corpus: Path | None, work: Path) -> Path:
    """Return the text to use: the one named, or wiki8s, unpacked."""
    if corpus is not None:
        if not corpus.is_file():
            raise SystemExit(f"--corpus: {corpus} is not a file. Name a text.")
        return corpus.resolve()
    packed = shared_data() / "corpora" / "wiki8s.txt.xz"
    target = work / "wiki8s.txt"
    if not target.exists():
        if not packed.exists():
            raise SystemExit(f"{packed}: is not there. Set GLOVE_SHARED_DATA, or name a text with --corpus.")
        with lzma.open(packed) as source, target.with_suffix(".part").open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        target.with_suffix(".part").rename(target)
    return target


def training_matrix(path: Path | None, corpus: Path, work: Path, threads: int) -> CoocMatrix:
    """Return the matrix to train on: the one named, or that of the corpus."""
    from glove_cli.cooc.build import build_cooc
    from glove_cli.cooc.store import load_cooc

    if path is not None:
        return load_cooc(path)
    made = work / "training.cooc"
    return load_cooc(made) if made.exists() else build_cooc(corpus, made, threads=threads)


def print_facts(threads: int, corpus: Path) -> None:
    """Print what a number depends on: processor, memory, versions, commit, corpus, date."""
    import numba
    import numpy

    commit = output("git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD")
    changed = output("git", "-C", str(REPOSITORY), "status", "--porcelain", "--", "glove_cli")
    print(f"date       {date.today().isoformat()}")
    print(f"machine    {processor()}, {os.cpu_count()} cores, {_memory():.0f} GiB, {platform.system()}")
    print(f"software   Python {platform.python_version()}, numpy {numpy.__version__}, numba {numba.__version__}")
    print(f"commit     {commit or 'unknown'}{' and changes' if changed else ''}")
    print(f"corpus     {corpus.name}, {corpus.stat().st_size:,} bytes")
    print(f"threads    {threads}")
    print(f"load       {os.getloadavg()[0]:.1f} at the start (near 0 when the machine is quiet)\n", flush=True)


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a header, the first column to the left, the others to the right."""
    table = [list(map(str, row)) for row in (header, *rows)]
    widths = [max(len(row[k]) for row in table) for k in range(len(header))]
    for number, row in enumerate(table):
        cells = [
            cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * w for w in widths))
    print(flush=True)


def claim(text: str, good: bool) -> bool:
    """Print whether a claim holds on this run, and return it."""
    print(f"{'holds' if good else 'FAILS'}: {text}", flush=True)
    return good


def finish(claims: Sequence[bool]) -> None:
    """Leave with exit code 1 if a claim failed."""
    sys.exit(0 if all(claims) else 1)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def mib(size: float) -> str:
    """Return bytes as MiB."""
    return f"{size / 2**20:,.0f} MiB"


def output(*command: str) -> str:
    """Return what a command prints; nothing if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor() -> str:
    """Return the name of the processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
