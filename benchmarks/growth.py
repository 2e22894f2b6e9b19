"""Measure how counting grows: time, peak memory and disk, from a million tokens to a whole corpus.

Claims: the peak stays within the memory given plus 300 MB; a token of the whole corpus costs at most 1.5 times what one
of wiki8s costs, both as plain text and both unpacked from xz; the bytes are the same as with eight times the memory.
With --plot a picture is drawn by matplotlib.
"""

from __future__ import annotations

import filecmp
import lzma
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import common
from common import GLOVE, claim, measure

from glove_cli.cooc.store import load_cooc
from glove_cli.memory import memory_limit

MILLIONS = (1, 3, 10, 30)
ALLOWANCE = 300e6  # bytes for interpreter and libraries
FILES = ("indptr.npy", "indices.npy", "data.npy", "vocab.txt", "meta.json")

T = TypeVar("T")


class Measured:
    """A run of `glove build-cooc`, and the most disk that it took meanwhile, in bytes."""

    def __init__(self, corpus: Path, out: Path, memory: str, threads: int) -> None:
        self.corpus = corpus
        command = [*GLOVE, "build-cooc", corpus, "-o", out, "--force", "--min-count", "10", "--window", "10"]
        command += ["--memory", memory, "--threads", str(threads)]
        self.run, self.disk = most_disk(out, lambda: measure(command))
        self.cooc = load_cooc(out)
        self.tokens = int(self.cooc.meta["tokens"])

    @property
    def cost(self) -> float:
        """Microseconds a token."""
        return self.run.seconds / self.tokens * 1e6

    def row(self) -> list[str]:
        """Return a line of the table."""
        final = sum(file["bytes"] for file in self.cooc.meta["files"].values())
        mb = [self.run.peak / 1e6, self.disk / 1e6, final / 1e6]
        return [
            self.corpus.name, f"{self.tokens:,}", f"{self.cooc.V:,}", f"{self.cooc.nnz:,}",
            f"{self.run.seconds:.1f}", f"{self.cost:.2f}", *(f"{size:,.0f}" for size in mb),
        ]  # fmt: skip


def most_disk(out: Path, work: Callable[[], T]) -> tuple[T, int]:
    """Return what `work` returns, and the most bytes on disk that the making of the matrix `out` took meanwhile."""
    folder, most, done = out.with_name(f".{out.name}.work"), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            sizes = []
            for path in folder.rglob("*"):
                try:
                    sizes.append(path.stat().st_size)
                except OSError:
                    continue
            most[0] = max(most[0], sum(sizes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = work()
    finally:
        done.set()
        watcher.join()
    return result, most[0]


def main() -> None:
    """Count beginnings of a corpus and the whole; print the table."""
    options = common.parser(__doc__)
    options.add_argument("--memory", default="1G", help="what --memory is given (default 1G)")
    options.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures to this file")
    arguments = options.parse_args()
    with common.work_folder(arguments.work) as work:
        whole = arguments.corpus or common.shared_data() / "corpora" / "enwiki.tok.txt.xz"
        if not whole.is_file():
            raise SystemExit(f"{whole}: is not there. Set GLOVE_SHARED_DATA, or name a text with --corpus.")
        common.print_facts(arguments.threads, whole)
        out = work / "growth.cooc"

        def count(corpus: Path, memory: str = arguments.memory, target: Path = out) -> Measured:
            return Measured(corpus.resolve(), target, memory, arguments.threads)

        count(beginning(whole, work / "growth-1.txt", 1_000_000))  # warm-up
        runs = [count(beginning(whole, work / f"growth-{million}.txt", million * 1_000_000)) for million in MILLIONS]
        runs.append(count(beginning(whole, work / "growth-all.txt", None)))
        packed = count(whole)
        more = count(whole, eight_times(arguments.memory), work / "growth-8.cooc")
        same = all(filecmp.cmp(out / name, work / "growth-8.cooc" / name, shallow=False) for name in FILES)
        standard = count(common.find_corpus(None, work))
        standard_packed = count(common.shared_data() / "corpora" / "wiki8s.txt.xz")
        header = ["text", "tokens", "words", "pairs", "seconds", "us/token", "peak MB", "disk MB", "result MB"]
        common.print_table(header, [run.row() for run in (*runs, packed, more, standard, standard_packed)])
        limit = memory_limit(arguments.memory) + ALLOWANCE
        peak = max(run.run.peak for run in (*runs, packed))
        claims = [
            claim(f"peak {peak / 1e6:,.0f} MB, with {arguments.memory} given and 300 MB allowed on top", peak <= limit),
            claim(f"the same bytes with {eight_times(arguments.memory)}", same),
        ]
        for how, all_of_it, wiki8s in (("plain text", runs[-1], standard), ("unpacked", packed, standard_packed)):
            ratio = all_of_it.cost / wiki8s.cost
            claims.append(
                claim(f"{how}: a token costs at most 1.5 times one of wiki8s: {ratio:.2f} times", ratio <= 1.5)
            )
        print(f"unpacked, against wiki8s as plain text: {packed.cost / standard.cost:.2f} times")
        if arguments.plot is not None:
            draw(runs, arguments.plot)
    common.finish(claims)


def eight_times(memory: str) -> str:
    """Return eight times a size, as `--memory` takes it."""
    return str(8 * memory_limit(memory))


def beginning(corpus: Path, target: Path, tokens: int | None) -> Path:
    """Write so many tokens of a corpus, up to the end of a document, to a file; all, unless it is said how many."""
    if not target.exists():
        opened = lzma.open if corpus.suffix == ".xz" else open
        with opened(corpus, "rb") as source, target.open("wb") as file:
            if tokens is None:
                shutil.copyfileobj(source, file, 1 << 20)
                return target
            for line in source:
                file.write(line)
                tokens -= len(line.split())
                if tokens <= 0:
                    break
    return target


def draw(runs: list[Measured], target: Path) -> None:
    """Draw time, memory and disk over the number of tokens."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot

    millions = [run.tokens / 1e6 for run in runs]
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    axes[0].plot(millions, [run.run.seconds for run in runs], "o-", color="#1b6ca8", label="seconds")
    axes[0].set_ylabel("seconds")
    axes[1].plot(millions, [run.run.peak / 1e6 for run in runs], "o-", color="#b4452c", label="peak memory")
    axes[1].plot(
        millions, [run.disk / 1e6 for run in runs], "s--", color="#3f7d3a", label="disk meanwhile, result included"
    )
    axes[1].set_ylabel("MB")
    axes[1].legend(frameon=False)
    for axis in axes:
        axis.set_xlabel("million tokens")
        axis.set_xlim(left=0)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
