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
from common import GLOVE, Run, claim, measure, mib
from proof.checks import compare_matrices
from reference import Reference

from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.corpus.vocabulary import build_vocab


def check(cooc: CoocMatrix, reference: Reference) -> bool:
    """Compare vocabulary, number of entries, entries and values with the reference's files."""
    good = [claim(one["text"], one["good"]) for one in compare_matrices(cooc, reference)]
    print()
    return all(good)


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
