"""Fuzz every reader, beginning with files that are right, and count executions and findings (needs atheris).

    python reliability/fuzz_all.py --seconds 600 --keep corpus/

Each target of `fuzz.py` gets so many seconds. What has led to new code is kept in the folder, and begun with again next
time. After a finding a target goes on with the rest of its time.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import lzma
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import scenarios
from fuzz_targets import ENDINGS, TARGETS
from scenarios import MATRIX, MODEL, Scenario, call_well

PROGRAM = Path(__file__).with_name("fuzz.py")
TEXT = "The cat, the café; a cat\u0301's 3.5\u00a0kg\n\nΣΔΣ ﬁn don't 中文 x\u0000y\n".encode()
JSON = b'{"text": "a b", "a": {"b": "c"}}\n\n{"text": "x\\ud83d\\ude00", "a": {"b": ""}}\n'


def packed(data: bytes) -> Iterator[bytes]:
    """Pack a text in each way."""
    yield data
    yield from (pack(data) for pack in (gzip.compress, bz2.compress, lzma.compress))
    yield lzma.compress(data, lzma.FORMAT_ALONE)
    yield zstd(data)


def zstd(data: bytes) -> bytes:
    """Pack by zstd, where its package is installed."""
    try:
        import zstandard
    except ImportError:
        return data
    return zstandard.compress(data)


def zipped(data: bytes) -> bytes:
    """Make an archive of a text."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("glove.txt", data)
    return file.getvalue()


def seeds(work: Path) -> Iterator[tuple[str, bytes]]:
    """Make inputs that are right, each with the name of its target."""
    Scenario("", [], [[*MATRIX, "--max-vocab", "4"], [*MODEL, "--dim", "3"]]).prepare(work)
    os.chdir(work)
    only_read = {"zip": zipped, "txt.zst": zstd}
    for number, ending in enumerate(ENDINGS):
        for plain in ("txt", "vec") if ending in only_read else (ending,):
            name = f"{number}.{plain}"
            call_well(["export", name, "--run", "old"])
            data = only_read.get(ending, bytes)(Path(name).read_bytes())
            for lenient in (0, 0x80):
                yield "vectors", bytes([number | lenient]) + data
            if ending == "kv":
                yield "pickles", data[2:]
    for number, ending in enumerate(("bin", "mtx", "npz")):
        call_well(["export-cooc", f"m.{ending}", "--run", "old"])
        for again in (0, 0x81):  # a multiple of three, with and without the highest bit
            yield "matrix", bytes([number + again]) + Path(f"m.{ending}").read_bytes()
    yield "vocabulary", Path("old/cooc/vocab.txt").read_bytes()
    yield "questions", b": capitals\na b c the\n"
    yield "questions", b"a b 7.5\nthe\tc\t1\n"
    yield "questions", b"word1,word2,score\na,b,1\n"
    yield "groups", b": one\na\nb\n: two\nthe c\n"
    yield "groups", b"a b c\n\nthe\n"
    yield "history", Path("old/model/history.jsonl").read_bytes()
    for result, name in enumerate(("cooc", "model")):
        described = Path(f"old/{name}/meta.json").read_bytes()
        yield "descriptions", bytes([result]) + described
        yield "descriptions", bytes([result]) + re.sub(rb',\s*"sha256": "\w+"\s*}\s*$', b"}", described)
    for options in range(0, 256, 5):
        yield "tokens", bytes([options]) + TEXT
    for document in range(4):
        for data in packed(TEXT):
            yield "texts", bytes([document << 2]) + data
        for data in packed(JSON):
            yield "texts", bytes([document << 2 | 1]) + data
            yield "texts", bytes([document << 2 | 3]) + data
    for data in parquet():
        yield "texts", b"\2" + data
    yield "asking", "thé".encode()


def parquet() -> Iterator[bytes]:
    """Make Parquet files of texts, where pyarrow is installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return
    for packing in ("none", "snappy"):
        file = io.BytesIO()
        pq.write_table(pa.table({"text": ["a b", None, "c"]}), file, compression=packing)
        yield file.getvalue()


def damage(data: bytes, chance: random.Random) -> bytes:
    """Change an input at some places after its first byte, which for some targets has options."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        begin = chance.randrange(min(1, len(changed)), len(changed) + 1)
        length = chance.choice((0, 1, 1, 4, 20))
        new = chance.choice((b"", bytes([chance.randrange(256)]), b"\xff" * 4, b"\n", changed[begin : begin + 9] * 2))
        changed[begin : begin + length] = new
    return bytes(changed)


def fuzz(target: str, corpus: Path, found: Path, seconds: float, longest: int) -> tuple[int, int, int, str]:
    """Fuzz a target; return executions, findings, the number of kept inputs and what was said of the findings."""
    executions = findings = 0
    said = ""
    end = time.monotonic() + seconds
    while time.monotonic() < end - 1 and findings < 20:
        left = max(1, round(end - time.monotonic()))
        done = subprocess.run(
            [
                sys.executable, str(PROGRAM), target, f"-max_total_time={left}", f"-max_len={longest}", "-timeout=30",
                "-rss_limit_mb=4096", f"-artifact_prefix={found}/{target}-", str(corpus),
            ],
            capture_output=True, check=False,
        )  # fmt: skip
        text = (done.stdout + done.stderr).decode("utf-8", "replace")
        numbers = re.findall(r"^#(\d+)\s|^Done (\d+) runs", text, re.M)
        executions += max((int(a or b) for a, b in numbers), default=0)
        if done.returncode == 0:
            continue
        findings += 1
        lines = [line for line in text.splitlines() if not line.startswith(("INFO", "#", "\t"))]
        said += f"\n{target}, exit code {done.returncode}:\n" + "\n".join(lines[-60:]) + "\n"
    return executions, findings, len(list(corpus.iterdir())), said


def main() -> int:
    """Fuzz all targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="for each target (default %(default)s)")
    parser.add_argument("--longest", type=int, default=8192, metavar="BYTES", help="(default %(default)s)")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), metavar="DIR", help="(default %(default)s)")
    parser.add_argument("-k", default="", metavar="NAME", help="only targets with this in their name")
    options = parser.parse_args()
    keep = options.keep.absolute()
    found = keep / "found"
    found.mkdir(parents=True, exist_ok=True)
    os.environ |= scenarios.ENVIRONMENT
    chosen = [target for target in TARGETS if options.k in target]
    total = [0, 0]
    all_said = ""
    shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="glove-fuzz-", dir=shm) as folder:
        here = Path.cwd()
        for number, (target, data) in enumerate(seeds(Path(folder) / "seeds")):
            (keep / target).mkdir(exist_ok=True)
            (keep / target / f"seed-{number}").write_bytes(data)
        os.chdir(here)
        os.environ["TMPDIR"] = folder
        print("| target | executions | inputs kept | findings |\n|---|---|---|---|", flush=True)
        for target in chosen:
            executions, findings, kept, said = fuzz(target, keep / target, found, options.seconds, options.longest)
            total = [total[0] + executions, total[1] + findings]
            all_said += said
            print(f"| {target} | {executions:,} | {kept:,} | {findings} |", flush=True)
    hours = options.seconds * len(chosen) / 3600
    print(f"| all, {hours:.2f} hours | {total[0]:,} | | {total[1]} |", flush=True)
    print(all_said)
    if not any(found.iterdir()):
        shutil.rmtree(found)
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
