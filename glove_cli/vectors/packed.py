"""Files of vectors that are packed: gzip, bzip2, xz, zstd around them, or a member of a ZIP archive.

Told by the content, not by the name. Text is read while it is unpacked; other formats are unpacked to a temporary file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from glove_cli.corpus.compression import Unpacked
from glove_cli.corpus.content import MAGIC_BYTES, check_text, compression_of, is_parquet
from glove_cli.corpus.stream import AheadStream, FileStream, Stream
from glove_cli.errors import CorpusError, FormatError
from glove_cli.vectors.checks import named_errors

ZIP = "zip"
_ZIP_MAGIC = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_HEAD = 1 << 16
_PIECE = 1 << 22
_SHOWN = 10
_ASIDE = ("readme", "license", "licence", "copying", "notice", "changelog", "citation")
_NO_VECTORS = (".md", ".rst", ".pdf", ".html", ".py", ".json", ".yml", ".yaml")


def split_member(path: Path) -> tuple[Path, str | None]:
    """Return the file to open and, for `archive.zip/member.txt`, the member of it."""
    if os.path.lexists(path):
        return path, None
    for parent in path.parents:
        if os.path.isfile(parent):
            return (parent, path.relative_to(parent).as_posix()) if packing_of(parent) == ZIP else (path, None)
    return path, None


def packing_of(path: Path) -> str | None:
    """Tell how a file is packed by its first bytes.

    Returns
    -------
    {"zip", "gzip", "bzip2", "xz", "zstd"} or None

    Raises
    ------
    FormatError
        If it can't be read.
    """
    with named_errors(path), path.open("rb", buffering=0) as file:
        head = file.read(MAGIC_BYTES)
    return ZIP if head.startswith((_ZIP_MAGIC, _EMPTY_ZIP)) else compression_of(head)


@contextlib.contextmanager
def unpacked(path: Path, packing: str, member: str | None) -> Iterator[Stream]:
    """Open a packed file; what goes wrong in reading it within the block becomes a FormatError.

    Parameters
    ----------
    path : Path
    packing : str
        See `packing_of`.
    member : str, optional
        Of a ZIP archive.

    Yields
    ------
    stream : Stream
        Its `name` is what messages call it.

    Raises
    ------
    FormatError
        If it is cut short, damaged, an archive of other things, or needs a package that is not installed.
    """
    with format_errors(), contextlib.ExitStack() as stack:
        if packing == ZIP:
            archive = stack.enter_context(_open_zip(path))
            chosen = _choose(archive, path, member)
            with _zip_errors(path):
                file = stack.enter_context(archive.open(chosen))
            stream: Stream = FileStream(f"{path}/{chosen.filename}", file)  # type: ignore[arg-type]
        else:
            with named_errors(path):
                packed = stack.enter_context(path.open("rb", buffering=0))
            stream = Unpacked(FileStream(os.fspath(path), packed, size=os.fstat(packed.fileno()).st_size), packing)
        ahead = AheadStream(stream)
        stack.callback(ahead.close)
        head = ahead.head(_HEAD)
        if not is_parquet(head):
            check_text(stream.name, head, within=packing, nul=False)
        yield ahead


@contextlib.contextmanager
def spooled(stream: Stream, path: Path, member: str | None, packing: str) -> Iterator[Path]:
    """Unpack to a temporary file that goes away; errors about it name the packed file.

    Yields
    ------
    path : Path
        The temporary file. The words that belong to a `.npy` file lie beside it.
    """
    name = Path(stream.name)
    try:
        with tempfile.TemporaryDirectory(prefix="glove-vectors-") as folder:
            inner = name.name if name.suffix == ".npy" else name.stem
            temporary = Path(folder, inner or "vectors")
            try:
                with temporary.open("xb") as file:
                    while piece := stream.read(_PIECE):
                        file.write(piece)
                _bring_words(path, member, name.name, packing, temporary)
            except OSError as error:
                raise FormatError(
                    f"{stream.name}: can't be unpacked to {tempfile.gettempdir()}: {error.strerror or error}. "
                    "Free space there, or name another folder in the variable TMPDIR."
                ) from error
            try:
                yield temporary
            except FormatError as error:
                shown = str(error).replace(os.fspath(temporary), stream.name)
                raise FormatError(shown.replace(folder, os.fspath(path.parent))) from error
    except OSError as error:
        raise FormatError(
            f"{stream.name}: can't be unpacked: {error.strerror or error}. Name another folder in the variable TMPDIR."
        ) from error


@contextlib.contextmanager
def format_errors() -> Iterator[None]:
    """Turn what the streams of a corpus raise into errors about vectors."""
    try:
        yield
    except CorpusError as error:
        text = str(error)
        for said in ("Name a text file.", "Unpack it and name the text files in it.", "Name a text file."):
            text = text.replace(said, "Name a file of word vectors.")
        raise FormatError(text) from error


def _bring_words(path: Path, member: str | None, name: str, packing: str, temporary: Path) -> None:
    """Put the words beside an array: from the same archive, or from beside the packed file."""
    if temporary.suffix != ".npy":
        return
    from glove_cli.vectors.npy import words_path

    target = words_path(temporary)
    if packing == ZIP:
        with _open_zip(path) as archive:
            beside = _choose(archive, path, member).filename.removesuffix(".npy") + ".words.txt"
            if beside in archive.namelist():
                with _zip_errors(path), archive.open(beside) as source, target.open("xb") as file:
                    shutil.copyfileobj(source, file, _PIECE)
                return
    source_path = words_path(path.with_name(temporary.name))
    if source_path.is_file():
        shutil.copyfile(source_path, target)


def _choose(archive: zipfile.ZipFile, path: Path, member: str | None) -> zipfile.ZipInfo:
    """Return the member to read.

    Raises
    ------
    FormatError
        If there is none, or more than one that could be meant; it lists them.
    """
    files = [info for info in archive.infolist() if not info.is_dir()]
    if member is not None:
        named = [info for info in files if info.filename == member]
        if named:
            return named[-1]
        raise FormatError(f"{path}/{member}: is not in the archive, which holds {_listed(files)}. Name one of these.")
    plausible = [info for info in files if _plausible(info.filename)] if len(files) > 1 else files
    if any(info.filename.endswith(".npy") for info in plausible):
        plausible = [info for info in plausible if not info.filename.endswith(".words.txt")]
    if len(plausible) == 1:
        return plausible[0]
    if not files:
        raise FormatError(f"{path}: is an empty ZIP archive. Name a file of word vectors.")
    one = (plausible or files)[0].filename
    raise FormatError(f"{path}: holds {_listed(plausible or files)}. Name one of them, as {path}/{one}.")


def _plausible(name: str) -> bool:
    parts = name.lower().split("/")
    return not (parts[0] == "__macosx" or parts[-1].startswith((".", *_ASIDE)) or parts[-1].endswith(_NO_VECTORS))


def _listed(files: list[zipfile.ZipInfo]) -> str:
    names = [info.filename for info in files[:_SHOWN]]
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return (", ".join(names) + more) or "nothing"


@contextlib.contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    with contextlib.ExitStack() as stack:
        with _zip_errors(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
        yield archive


@contextlib.contextmanager
def _zip_errors(path: Path) -> Iterator[None]:
    """Turn what zipfile raises into an error that names the archive."""
    try:
        yield
    except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # of a place before the file's beginning
            raise
        reason = " ".join(str(error).split()).rstrip(".")
        raise FormatError(f"{path}: its zip data are cut short, damaged or locked ({reason}). Get it again.") from error
