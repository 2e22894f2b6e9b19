"""Give a reader what a coverage-guided fuzzer thinks of (atheris; `pip install atheris`, not among our dependencies).

    python reliability/fuzz.py vectors -max_total_time=600 corpus/
    python reliability/fuzz.py                    lists the targets; fuzz_all.py goes through all

Any end but a success or a GloveError is a finding, and the fuzzer writes the input to a file. Options after the target
are libFuzzer's. Kernels are compiled by Numba and not seen by the fuzzer.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import atheris

KERNELS = ["corpus.kernels", "corpus.kernels_ids", "cooc.kernels", "training.kernels", "training.kernels_tiles",
           "training.kernels_plain", "vectors.kernels"]  # fmt: skip
sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["glove_cli"], exclude=[f"glove_cli.{name}" for name in KERNELS]):
    from fuzz_targets import TARGETS

    from glove_cli.errors import GloveError


def main() -> None:
    """Fuzz one target."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        print(*(f"{name}: {target.__doc__}" for name, target in TARGETS.items()), sep="\n")
        return
    target = TARGETS[sys.argv.pop(1)]

    def one(data: bytes) -> None:
        with contextlib.suppress(GloveError):
            target(data)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
