"""Word vectors from wherever they are: a run, a model, or a file of any format, packed or not."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.folder import check_exists
from glove_cli.vectors.cache import Cached, find_entry
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.names import GLOVE, NPY, WORD2VEC, WORD2VEC_BINARY
from glove_cli.vectors.packed import format_errors, packing_of, split_member, spooled, unpacked
from glove_cli.vectors.problems import ERROR, KEEP, LineProblem, Problems, ReadReport
from glove_cli.vectors.select import load_model, select_vectors

if TYPE_CHECKING:
    from glove_cli.vectors.formats import Format

_Read = tuple[list[str], NDArray[np.float32]]
_KEPT = (GLOVE, WORD2VEC, WORD2VEC_BINARY)  # others open as quickly, or lie in several files
_HEAD = 1 << 20
_REMEDY = "Name a file of word vectors, a model or a run."


def load_vectors(
    path: str | os.PathLike[str],
    *,
    vectors: str = "sum",
    format: str | None = None,
    on_problem: str = ERROR,
    encoding_errors: str = KEEP,
    cache: bool = True,
    note: Callable[[str], object] | None = None,
) -> WordVectors:
    """Read word vectors.

    Parameters
    ----------
    path : path-like
        A run's folder, a model's folder, or a file of any format, also packed by gzip, bzip2, xz, zstd or zip;
        `archive.zip/member.txt` names one of several members.
    vectors : {"sum", "word", "context", "concat"}
        Which vectors of a model, or of a `vectors.bin` of the original tools; other files have but one kind.
    format : str, optional
        Format of a file, see `export_vectors`; found by its content, unless given.
    on_problem : {"error", "skip"}
        What is done about a bad line: one of another length, with a number that isn't finite, of a word that stands
        before it. "error" refuses the file, and says how many bad lines there are of each kind; "skip" leaves them out
        (text and word2vec's binary only) and keeps the first of equal words.
    encoding_errors : {"keep", "strict", "replace"}
        What becomes of bytes of text that are not UTF-8: surrogate escapes, which come out as they went in; a bad
        line; or U+FFFD.
    cache : bool
        Whether text, word2vec's binary and packed files of 16 MiB and more are kept as arrays in the user's cache
        folder, so that the next reading takes no time.
    note : callable, optional
        Called with a sentence for each kind of line that was left out or changed. Without it they are warnings.

    Returns
    -------
    WordVectors

    Raises
    ------
    FormatError
        If there is nothing, or it can't be understood; the message names the line.
    OptionError
        If an option has no such value, or a kind of vectors is asked of a file.

    Notes
    -----
    The cache is a folder `glove` where the system keeps caches, or the one that `GLOVE_CACHE_DIR` names, and takes at
    most `GLOVE_CACHE_SIZE` bytes (8G; 0 switches it off). A file that has changed is read again. The matrix is mapped
    into memory; writing to it changes neither the cache nor the file.

    Examples
    --------
    >>> load_vectors("vectors.txt").nearest("paris", 3)  # doctest: +SKIP
    """
    found, report = read_vectors(
        path, vectors=vectors, format=format, on_problem=on_problem, encoding_errors=encoding_errors, cache=cache
    )
    for text in report.notes:
        sentence = f"{os.fspath(path)}: {text}"
        if note is not None:
            note(sentence)
        else:
            warnings.warn(sentence, stacklevel=2)
    return found


def read_vectors(
    path: str | os.PathLike[str],
    *,
    vectors: str = "sum",
    format: str | None = None,
    on_problem: str = ERROR,
    encoding_errors: str = KEEP,
    cache: bool = True,
) -> tuple[WordVectors, ReadReport]:
    """Read word vectors and report on it; see `load_vectors`.

    Parameters
    ----------
    path, vectors, format, on_problem, encoding_errors, cache
        As of `load_vectors`.

    Returns
    -------
    vectors : WordVectors
    report : ReadReport

    Raises
    ------
    FormatError, OptionError
        As `load_vectors`.
    """
    problems = Problems(on_problem, encoding_errors)
    path, member = split_member(Path(path))
    check_exists(path, remedy=_REMEDY)
    if path.is_dir():
        return select_vectors(load_model(path), vectors), ReadReport()
    options = {
        "vectors": vectors,
        "member": member,
        "format": format,
        "on_problem": on_problem,
        "encoding_errors": encoding_errors,
    }
    entry = find_entry(path, options) if cache else None
    if entry is not None and (kept := entry.load()) is not None:
        return WordVectors(kept.words, kept.matrix), _report_of(kept)
    words, matrix, name, packing = _read(path, member, vectors, format, problems)
    report = replace(problems.report(), format=name, packing=packing)
    if entry is not None and (name in _KEPT or (packing is not None and name != NPY)):
        entry.store(words, matrix, _noted(report))
    return WordVectors(words, matrix), report


def _read(
    path: Path, member: str | None, vectors: str, format: str | None, problems: Problems
) -> tuple[list[str], NDArray[np.float32], str, str | None]:
    """Return words, matrix, the format's name, and how the file is packed."""
    # The formats bring compiled code, which what comes from the cache doesn't need.
    from glove_cli.vectors.formats import FORMATS, find_format, format_of_content

    found = find_format(format) if format is not None else None
    packing = packing_of(path) if path.is_file() else None
    if packing is None:
        if member is not None:
            raise FormatError(f"{path / member}: does not exist. {_REMEDY}")
        found = found or format_of_content(path)
        if found.name == GLOVE and format is None:
            _refuse_others(path)
        return *_call(found, path, vectors, problems), found.name, None
    with format_errors(), unpacked(path, packing, member) as stream:
        if (found is None or found.name in (GLOVE, WORD2VEC)) and (text := _text_format(stream.head(_HEAD))):
            from glove_cli.vectors.text import read_stream

            _check_kind(path, vectors)
            name = found.name if found is not None else text
            header = True if name == WORD2VEC else None
            words, matrix = read_stream(stream, Path(stream.name), header=header, problems=problems)
            return words, matrix, FORMATS[name].name, packing
        with spooled(stream, path, member, packing) as temporary:
            found = found or format_of_content(temporary)
            return *_call(found, temporary, vectors, problems), found.name, packing


def _call(found: Format, path: Path, vectors: str, problems: Problems) -> _Read:
    """Read a file; a format of lines or of words counts the bad ones."""
    if found.whole:
        return found.read(path, vectors)
    _check_kind(path, vectors)
    if "problems" in inspect.signature(found.read).parameters:
        return found.read(path, problems=problems)
    return found.read(path)


def _check_kind(path: Path, vectors: str) -> None:
    if vectors != "sum":
        raise OptionError(f"--vectors: {path} is a file, which has one kind of vectors, not {vectors!r}. Leave it out.")


def _text_format(head: bytes) -> str | None:
    """Tell whether a text of lines begins so, with or without a header; None for other formats."""
    from glove_cli.vectors.text import find_shape, fits_header, header_shape

    if b"\x00" in head[: 1 << 13] or head.startswith(b"\x93NUMPY"):
        return None
    try:
        find_shape(head, Path(), None)
    except FormatError:
        return None
    if header_shape(head) and not fits_header(head):
        return None  # binary, perhaps
    return WORD2VEC if header_shape(head) else GLOVE


def _refuse_others(path: Path) -> None:
    """Refuse archives and other encodings by their name, before they are taken for damaged text."""
    from glove_cli.corpus.content import check_text
    from glove_cli.vectors.checks import named_errors

    with named_errors(path), path.open("rb", buffering=0) as file:
        head = file.read(1 << 13)
    with format_errors():
        check_text(os.fspath(path), head, nul=False)


def _noted(report: ReadReport) -> dict[str, object]:
    problems = [[p.kind, p.count, list(p.lines), p.left_out] for p in report.problems]
    return {"problems": problems, "notes": list(report.notes), "format": report.format, "packing": report.packing}


def _report_of(kept: Cached) -> ReadReport:
    notes = kept.notes
    problems = tuple(
        LineProblem(kind, count, tuple(lines), left_out) for kind, count, lines, left_out in notes["problems"]
    )
    return ReadReport(problems, tuple(notes["notes"]), notes["format"], notes["packing"], cached=True)
