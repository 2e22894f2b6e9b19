"""Run a job again and again, each time killed at a later moment, then go on with it: is the result the same?

A program of its own, because it forks: `python crash.py CORPUS FOLDER STEP`. It is killed at every STEP-th moment; see
`dying`.
"""

from __future__ import annotations

import random
import sys
from functools import partial
from pathlib import Path
from typing import Any

from conftest import file_hashes
from dying import killed_at

from glove_cli.cooc import merge
from glove_cli.cooc.build import build_cooc

CUT = {"threads": 2, "_block_bytes": 300, "_chunk_tokens": 250, "_spool_memory": 400, "_segment_bytes": 2000}
merge.MAX_PARTS = 3
OPTIONS: dict[str, Any] = {"min_count": 2, "window": 4, "subsample": 0.01, "document": "paragraph", "oov": "hold"}


def main(corpus: Path, folder: Path, step: int) -> int:
    """Print the number of the last moment at which the job was killed; fail if any result is another."""
    whole = build_cooc(corpus, folder / "whole", threads=1, **OPTIONS)
    expected = file_hashes(whole.path, leave_out=())
    chance = random.Random(1)
    moments = 0
    while True:
        out = folder / f"killed-{moments}"
        job = partial(build_cooc, corpus, out, resume=True, **CUT, **OPTIONS)
        if not killed_at(moments, job):
            break
        if chance.random() < 0.3:  # and then once more
            killed_at(chance.randrange(20), job)
        build_cooc(corpus, out, resume=True, **CUT, **OPTIONS)
        assert file_hashes(out, leave_out=()) == expected, moments
        moments += step
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert not left, left
    print(moments)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
