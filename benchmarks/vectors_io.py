"""Measure reading and writing a large text file of vectors, against gensim and against the reference's way of writing.

Claims for 400,000 words and 300 dimensions: read at least 10 times faster than by gensim's load_word2vec_format, and a
second time, from the cache, in a tenth of that; written at least 5 times faster than by a C loop that prints every
number with fprintf(" %lf"), as the reference does. What is read equals what gensim reads, and what is written are the
bytes of the C loop.
"""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
from pathlib import Path

import common
import numpy as np
from common import claim

READ_RATIO, CACHE_RATIO, WRITE_RATIO = 10, 10, 5
_BLOCK_ROWS = 10_000
# Of each row its number as a word; the numbers as float64, as the reference holds them.
_C = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    long rows = atol(argv[1]), d = atol(argv[2]);
    FILE *in = fopen(argv[3], "rb"), *out = fopen(argv[4], "wb");
    double *row = malloc(d * sizeof(double));
    for (long i = 0; i < rows; i++) {
        if (fread(row, sizeof(double), d, in) != (size_t)d) return 1;
        fprintf(out, "w%ld", i);
        for (long k = 0; k < d; k++) fprintf(out, " %lf", row[k]);
        fprintf(out, "\n");
    }
    return fclose(out);
}
"""
_OURS = "import sys; from glove_cli import load_vectors; v = load_vectors(sys.argv[1], cache=sys.argv[2] == 'cache')"
_WRITE = (
    "import sys, numpy as np; from glove_cli import WordVectors, export_vectors;"
    "m = np.load(sys.argv[1], mmap_mode='r');"
    "export_vectors(WordVectors([f'w{i}' for i in range(len(m))], m), sys.argv[2], force=True)"
)
_GENSIM = (
    "import sys, numpy as np; from gensim.models import KeyedVectors;"
    "v = KeyedVectors.load_word2vec_format(sys.argv[1], no_header=True); np.save(sys.argv[2], v.vectors)"
)


def main() -> None:
    """Make a file, read it and write it by each program, compare, print the times."""
    options = common.parser(__doc__)
    options.add_argument("--words", type=int, default=400_000, help="rows (default 400,000)")
    options.add_argument("--dim", type=int, default=300, help="numbers in each (default 300)")
    arguments = options.parse_args()
    rows, claims = [], []
    with common.work_folder(arguments.work) as work:
        os.environ["GLOVE_CACHE_DIR"] = str((work / "vectors_io.cache").resolve())
        matrix, doubles = make(work, arguments.words, arguments.dim)
        ours, theirs, gensim_matrix = work / "vectors_io.txt", work / "vectors_io.c.txt", work / "vectors_io.gensim.npy"
        common.print_facts(arguments.threads, matrix)
        python = (sys.executable, "-c")
        common.measure([*python, _WRITE, matrix, ours])  # compiles
        ours.unlink()  # both make a new file: to replace one, the system has to take it away first
        written = common.measure([*python, _WRITE, matrix, ours])
        printed = common.measure([compiled(work), str(arguments.words), str(arguments.dim), doubles, theirs])
        claims.append(claim("what is written are the bytes of the C loop", filecmp.cmp(ours, theirs, shallow=False)))
        theirs.unlink()
        read = common.measure([*python, _OURS, ours, "plain"])
        first = common.measure([*python, _OURS, ours, "cache"])
        second = common.measure([*python, _OURS, ours, "cache"])
        gensim = common.measure([*python, _GENSIM, ours, gensim_matrix])
        from glove_cli.vectors.load import load_vectors

        same = np.array_equal(load_vectors(ours).matrix, np.load(gensim_matrix, mmap_mode="r"))
        claims.append(claim("what is read equals what gensim reads", same))
        for name, run in (
            ("glove, writing", written),
            ("C loop, writing", printed),
            ("glove, reading", read),
            ("glove, reading, and filling the cache", first),
            ("glove, from the cache", second),
            ("gensim, reading", gensim),
        ):
            rows.append([name, f"{run.seconds:.2f}", common.mib(run.peak)])
        for text, least, ratio in (
            ("times faster than gensim", READ_RATIO, gensim.seconds / read.seconds),
            ("times faster from the cache", CACHE_RATIO, read.seconds / second.seconds),
            ("times faster than the C loop", WRITE_RATIO, printed.seconds / written.seconds),
        ):
            claims.append(claim(f"{least} {text}: {ratio:.1f}", ratio >= least))
    print()
    common.print_table(["start of the program included", "seconds", "peak"], rows)
    common.finish(claims)


def make(work: Path, words: int, dim: int) -> tuple[Path, Path]:
    """Return a file of random vectors as float32 (.npy), and one of the same numbers as float64 without a header."""
    matrix, doubles = work / "vectors_io.npy", work / "vectors_io.f64"
    rng = np.random.default_rng(1)
    made = np.lib.format.open_memmap(matrix, "w+", np.float32, (words, dim))
    with doubles.open("wb") as file:
        for begin in range(0, words, _BLOCK_ROWS):
            block = (0.4 * rng.standard_normal((min(_BLOCK_ROWS, words - begin), dim))).astype(np.float32)
            made[begin : begin + len(block)] = block
            file.write(block.astype(np.float64).tobytes())
    made.flush()
    return matrix, doubles


def compiled(work: Path) -> Path:
    """Compile the C loop as the reference's Makefile compiles its tools."""
    source, program = work / "vectors_io.c", work / "vectors_io"
    source.write_text(_C)
    flags = ["-O3", "-march=native", "-funroll-loops"]
    subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", program, source], check=True)
    return program.resolve()


if __name__ == "__main__":
    main()
