"""Which competitors are there, in which version, and how to get those that are not."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import common

HOW = {
    "reference": "git clone https://github.com/stanfordnlp/GloVe && make -C GloVe, then --reference GloVe/build",
    "gensim": "pip install gensim, in the environment of this Python",
    "mittens": "pip install --target DIR --no-deps mittens, then PYTHONPATH=DIR",
}


@dataclass(frozen=True)
class Competitor:
    """A competitor; `why` it is absent and `how` to get it."""

    present: bool
    version: str = ""
    why: str = ""
    how: str = ""

    def as_json(self) -> dict[str, object]:
        """Return what a result says of it."""
        return asdict(self)


def find(reference: Path | None, without: set[str]) -> dict[str, Competitor]:
    """Look which competitors can take part."""
    unknown = without - set(HOW)
    if unknown:
        raise SystemExit(f"--without: there is no {', '.join(sorted(unknown))}. Name some of {', '.join(HOW)}.")
    found = {name: Competitor(False, why="left out by --without", how=HOW[name]) for name in without}
    if "reference" not in found:
        found["reference"] = _reference(reference)
    for name in ("gensim", "mittens"):
        if name not in found:
            found[name] = _package(name)
    return {name: found[name] for name in HOW}


def _reference(folder: Path | None) -> Competitor:
    tools = common.check_reference(folder)
    if tools is None:
        return Competitor(False, why="no --reference", how=HOW["reference"])
    commit = common.output("git", "-C", str(tools), "rev-parse", "--short", "HEAD")
    digest = hashlib.sha256((tools / "glove").read_bytes()).hexdigest()[:12]
    return Competitor(True, version=f"commit {commit or 'unknown'}, sha256 of glove {digest}")


def _package(name: str) -> Competitor:
    code = f"import {name}; print({name}.__version__)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["does not import"])[-1]
        return Competitor(False, why=why, how=HOW[name])
    return Competitor(True, version=done.stdout.split()[-1])
