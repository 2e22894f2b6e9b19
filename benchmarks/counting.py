"""Measure counting: text to matrix, against the reference's vocab_count and cooccur.

Claims: with two threads at least 15 times faster, with one 8 times, with a peak memory no larger than the reference's;
tokenizing and counting words alone at least 3 and 2 times faster than vocab_count; a stored pair takes at most half of
the reference's bytes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import median

import common
import numpy as np
from common import GLOVE, Run, claim, measure, mib
from reference import Reference

from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.corpus.vocabulary import build_vocab

RECORD = np.dtype([("row", "<i4"), ("col", "<i4"), ("x", "<f8")])
RECORDS = 1 << 21  # records compared at a time
TOLERANCE = 1e-6  # relative; the weights' rounding to multiples of 2^-24 alone takes 4.5e-7


def check(cooc: CoocMatrix, reference: Reference) -> bool:
    """Compare vocabulary, number of entries, entries and values with the reference's files."""
    theirs = reference.vocab.read_bytes()
    same_words = sorted(cooc.vocab.to_bytes().split(b"\n")) == sorted(theirs.split(b"\n"))
    good = claim(f"{cooc.V:,} words and their counts equal the reference's", same_words)
    size = reference.matrix.stat().st_size // RECORD.itemsize
    good &= claim(f"{cooc.nnz:,} entries, the reference has {size:,}", cooc.nnz == size)
    if not good:
        return False
    if cooc.vocab.to_bytes() != theirs:
        print("values not compared: words of equal count come in another order, so ids differ\n")
        return True
    whole = cooc.to_scipy()  # both halves, in the order of the reference's file: row, then column
    position, worst, same = 0, 0.0, True
    with reference.matrix.open("rb") as file:
        while same and len(records := np.fromfile(file, RECORD, RECORDS)):
            here = slice(position, position + len(records))
            rows = np.searchsorted(whole.indptr, np.arange(here.start, here.stop), side="right")
            same = np.array_equal(whole.indices[here], records["col"] - 1) and np.array_equal(rows, records["row"])
            worst = max(worst, float(np.abs(whole.data[here] / records["x"] - 1).max()))
            position = here.stop
    good = claim("the same rows and columns", same and position == cooc.nnz)
    good &= claim(f"values within {TOLERANCE} relative (largest difference {worst:.2g})", worst <= TOLERANCE)
    print()
    return good


def main() -> None:
    """Run both sides in turn, check the matrices, print the table."""
    options = common.parser(__doc__)
    options.add_argument("--repeats", type=int, default=3, help="runs of each side, in turn (default 3)")
    arguments = options.parse_args()
    tools = common.check_reference(arguments.reference)
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        ours_out = work / "counting.cooc"
        command = [*GLOVE, "build-cooc", corpus, "-o", ours_out, "--min-count", "5", "--window", "15"]
        warm_up(work, arguments.threads)
        ours: list[Run] = []
        single: list[Run] = []
        vocabularies: dict[int, list[float]] = {1: [], arguments.threads: []}
        theirs: list[tuple[Run, Run]] = []
        claims = []
        for number in range(arguments.repeats):
            for runs, threads in ((ours, arguments.threads), (single, 1)):
                shutil.rmtree(ours_out, ignore_errors=True)
                runs.append(measure([*command, "--threads", str(threads)]))
            for threads, seconds in vocabularies.items():
                seconds.append(common.timed(lambda: build_vocab(corpus, threads=threads)))  # noqa: B023
            if tools is not None:
                reference = Reference(tools, work, corpus)
                reference.matrix.unlink(missing_ok=True)
                theirs.append((reference.vocab_count(), reference.cooccur()))
                if number == 0:
                    claims.append(check(load_cooc(ours_out), reference))
        claims += compare(ours, single, vocabularies, theirs)
        if tools is not None:
            stored = sum(file.stat().st_size for file in ours_out.glob("*.npy"))
            pair = stored / load_cooc(ours_out).nnz
            claims.append(
                claim(f"{pair:.1f} bytes of disk for a pair in one direction, 16 in the reference's", pair <= 8)
            )
    common.finish(claims)


def warm_up(work: Path, threads: int) -> None:
    """Count a few words, so that compiling isn't measured."""
    text = work / "warm-up.txt"
    text.write_text("a b c\n" * 10)
    measure([*GLOVE, "build-cooc", text, "-o", work / "warm-up.cooc", "--force", "--threads", str(threads)])


def compare(
    ours: list[Run], single: list[Run], vocabularies: dict[int, list[float]], theirs: list[tuple[Run, Run]]
) -> list[bool]:
    """Print best and median times and peaks; return what is claimed of them."""
    most = max(vocabularies)
    rows = [row(f"glove build-cooc, {most} threads", ours), row("glove build-cooc, 1 thread", single)]
    for threads, seconds in vocabularies.items():
        rows.append([f"build_vocab, threads: {threads}", f"{min(seconds):.2f}", f"{median(seconds):.2f}", ""])
    if not theirs:
        common.print_table(["", "best s", "median s", "peak"], rows)
        return []
    vocab, cooccur = ([pair[k] for pair in theirs] for k in (0, 1))
    both = [Run(a.seconds + b.seconds, max(a.peak, b.peak), "") for a, b in theirs]
    rows += [row("vocab_count", vocab), row("cooccur", cooccur), row("vocab_count + cooccur", both)]
    common.print_table(["", "best s", "median s", "peak"], rows)
    whole, words = median(run.seconds for run in both), median(run.seconds for run in vocab)
    peak, allowed = max(run.peak for run in ours), max(run.peak for run in both)
    many, one = (whole / median(run.seconds for run in runs) for runs in (ours, single))
    words_many, words_one = (words / median(vocabularies[threads]) for threads in (most, 1))
    return [
        claim(f"{most} threads at least 15 times faster: {many:.1f} times (medians)", many >= 15),
        claim(f"1 thread at least 8 times faster: {one:.1f} times", one >= 8),
        claim(f"words alone, {most} threads, at least 3 times faster: {words_many:.1f} times", words_many >= 3),
        claim(f"words alone, 1 thread, at least 2 times faster: {words_one:.1f} times", words_one >= 2),
        claim(f"peak memory no larger: {mib(peak)} against {mib(allowed)}", peak <= allowed),
    ]


def row(name: str, runs: list[Run]) -> list[str]:
    """Return a line of the table."""
    seconds = [run.seconds for run in runs]
    return [name, f"{min(seconds):.2f}", f"{median(seconds):.2f}", mib(max(run.peak for run in runs))]


if __name__ == "__main__":
    main()
