"""Fixtures shared by the tests: the reference's files, and small texts and matrices of our own."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import lzma
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glove_cli import CoocMatrix, build_cooc, export_vectors, load_vectors, train
from glove_cli.uncertainty.kernels import add_product

NOBODY = 65534  # the user that owns nothing
MEMORY_DISK = Path("/dev/shm")
MEMORY_DISK_BYTES = 4 << 30  # free, for it to be used; the tests leave some hundred MB there until they end
REPOSITORY = Path(__file__).resolve().parent.parent

# A small text with everything that can go wrong in reading: blank lines, carriage returns, tabs, no-break spaces, bytes
# that are not UTF-8, a word that no other document has, and a last line without an end.
AWKWARD_TEXT = (
    b"the cat sat on the mat\n"
    b"\n"
    b"the  dog\tsat on\r\n"
    b"   the c\rat   \n"
    b"\r\n"
    b"the\xc2\xa0cat \xff\xfe caf\xc3\xa9 the the the\n"
    b"mat the caf\xc3\xa9 dog on sat the\x0bmat a\x01b a\x01b a\x01"
)


def pytest_configure(config: pytest.Config) -> None:
    """Fail at once where the shared data must be there and isn't."""
    if os.environ.get("GLOVE_REQUIRE_SHARED_DATA") == "1" and not _shared_folder().is_dir():
        raise pytest.UsageError(f"GLOVE_REQUIRE_SHARED_DATA=1, but there is no folder {_shared_folder()}")
    _write_to_memory()


def _write_to_memory() -> None:
    """Have temporary files on a disk in memory, if there is a large one and TMPDIR names no other place.

    Results are made sure to be on the disk, hundreds of times for some tests, and a real disk takes its time for that.
    """
    with contextlib.suppress(OSError):
        if "TMPDIR" not in os.environ and shutil.disk_usage(MEMORY_DISK).free >= MEMORY_DISK_BYTES:
            os.environ["TMPDIR"] = str(MEMORY_DISK)
            tempfile.tempdir = None  # it may have been asked for before


def _shared_folder() -> Path:
    return Path(os.environ.get("GLOVE_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


class SharedData:
    """The shared test data: a folder whose `.xz` files are unpacked when they are asked for."""

    def __init__(self, root: Path, unpacked: Path) -> None:
        self.root = root
        self._unpacked = unpacked

    def path(self, name: str) -> Path:
        """Return the path of a file; `name` leaves out the `.xz` of a packed one."""
        plain = self.root / name
        if plain.exists():
            return plain
        packed = self.root / f"{name}.xz"
        target = self._unpacked / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(lzma.decompress(packed.read_bytes()))
        return target

    def bytes(self, name: str) -> bytes:
        """Return the (unpacked) bytes of a file."""
        return self.path(name).read_bytes()


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> SharedData:
    """Give the shared data; a test that needs it is skipped where it is absent."""
    root = _shared_folder()
    if not (root / "stanford").is_dir():
        if os.environ.get("GLOVE_REQUIRE_SHARED_DATA") == "1":
            pytest.fail(f"GLOVE_REQUIRE_SHARED_DATA=1, but there is no folder {root / 'stanford'}")
        pytest.skip(f"the reference's files are not here (no folder {root / 'stanford'}; see GLOVE_SHARED_DATA)")
    return SharedData(root, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the tests and their commands put into the cache out of the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLOVE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled(_own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Have every kernel compiled before the first test, so that none meets the word about compiling."""
    folder = tmp_path_factory.mktemp("compiled")
    text = " ".join(f"w{i}" for i in range(40_000)).encode()  # so many words that the table has to grow
    cooc = build_cooc(io.BytesIO(text), folder / "cooc", min_count=1, window=1, threads=2, _chunk_tokens=30_000)
    export_vectors(train(cooc, dim=1, epochs=1), folder / "vectors.txt")
    train(cooc, dim=1, epochs=1, dtype="float64", holdout=0.1, init_biases="fit", min_weight=0.1)
    train(cooc, dim=1, epochs=1, holdout=0.1, init_biases="fit", min_weight=0.1)
    load_vectors(folder / "vectors.txt")
    add_product(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)))
    options = {"min_count": 1, "lowercase": True, "max_doc_share": 1.0, "subsample": 0.9, "_chunk_tokens": 3}
    build_cooc(io.BytesIO(b"a a " * 9), folder / "single", window=1, _block_bytes=9, **options)


def zipf_text(tokens: int, words: int, seed: int) -> bytes:
    """Return a text whose words are as unequally frequent as those of a language."""
    rng = np.random.default_rng(seed)
    ids = np.minimum(rng.zipf(1.2, size=tokens), words)
    ends = np.where(rng.random(tokens) < 0.05, "\n", " ")
    return "".join(np.char.add(np.char.add("w", ids.astype(str)), ends).tolist()).encode()


@pytest.fixture(scope="session")
def cooc(tmp_path_factory: pytest.TempPathFactory) -> CoocMatrix:
    """Give a symmetric matrix of some hundred words, whose tiles are trained in four rounds."""
    out = tmp_path_factory.mktemp("zipf") / "cooc"
    return build_cooc(io.BytesIO(zipf_text(30_000, 2000, 1)), out, window=5)


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def awkward_corpus(tmp_path: Path) -> Path:
    """Write the awkward text to a file."""
    path = tmp_path / "awkward.txt"
    path.write_bytes(AWKWARD_TEXT)
    return path


@pytest.fixture
def as_ordinary_user() -> Iterator[Path]:
    """Run a test without the superuser's rights, which know no locked file; give a folder to work in."""
    folder = Path(tempfile.mkdtemp(prefix="glove-test-"))
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    groups = os.getgroups() if root else []
    try:
        if root:
            os.chown(folder, NOBODY, NOBODY)
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, 0)
            os.setresuid(NOBODY, NOBODY, 0)
        yield folder
    finally:
        if root:
            os.setresuid(0, 0, 0)
            os.setresgid(0, 0, 0)
            os.setgroups(groups)
        shutil.rmtree(folder)


def change_meta(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a result's `meta.json` says; without the digest of itself, as older ones are."""
    path = folder / "meta.json"
    meta = json.loads(path.read_text())
    meta.pop("sha256", None)
    change(meta)
    path.write_text(json.dumps(meta))


def describe_again(folder: Path, name: str) -> None:
    """Write down size and digest of a file of a result that was changed."""
    data = (folder / name).read_bytes()
    entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    change_meta(folder, lambda meta: meta["files"].update({name: entry}))


def file_hashes(folder: Path, *, leave_out: tuple[str, ...] = ("meta.json",)) -> dict[str, str]:
    """Return the SHA-256 of every file of a result but its `meta.json`, which holds times."""
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir()) if p.name not in leave_out
    }
