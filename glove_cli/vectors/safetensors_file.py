"""safetensors: one file with the tensors `vectors`, F32 (V, d), and `words`, the bytes of all words with LF between.

The format is a length (8 bytes, little-endian), so many bytes of JSON that give type, shape and place of each tensor,
and the tensors. It is read and written here as it stands: the package of that name would hold everything twice in
memory, and doesn't know bfloat16 without a second one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.vectors.checks import check_unique, check_words, named_errors
from glove_cli.vectors.matrices import float32_rows, read_word_list, words_beside
from glove_cli.vectors.outputs import open_output
from glove_cli.vectors.rows import Rows, blocks, finite_block
from glove_cli.vectors.word2vec_binary import as_float32
from glove_cli.vocab import word_from_bytes, word_to_bytes

_LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000  # what the package of that name allows
_FLOATS = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}
_ADVICE = "Make the file again."


class _Tensor(NamedTuple):
    """What the header says of a tensor; its place counts from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = False,
    threads: int | None = None,
    force: bool = False,
    counts: NDArray[np.int64] | None = None,
) -> None:
    """Write vectors as safetensors.

    The parameters are those of `glove_text.write`; `counts`, int64 (V,), are how often each word occurred.

    Raises
    ------
    FormatError
        If a value isn't finite, or a word can't be written.
    OutputError
        If the file exists and `force` is false, or can't be written.
    """
    check_words(words, "vectors", forbidden="\n")
    joined = b"\n".join(word_to_bytes(word) for word in words)
    entries: dict[str, Any] = {"__metadata__": {"format": "np"}}
    place = 0
    sizes = [("counts", "I64", [len(words)], 8 * len(words))] if counts is not None else []
    sizes += [("vectors", "F32", list(rows.shape), 4 * rows.shape[0] * rows.shape[1])]
    for name, dtype, shape, size in (*sizes, ("words", "U8", [len(joined)], len(joined))):
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    parts = blocks(rows, "vectors", words)
    with open_output(out, force=force) as file:
        file.write(len(text).to_bytes(_LENGTH_BYTES, "little") + text)
        if counts is not None:
            file.write(counts.astype("<i8").tobytes())
        for begin, end in parts:
            file.write(as_float32(finite_block(rows, begin, end, "vectors", words)).astype("<f4", copy=False).data)
        file.write(joined)


def read(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Read a file of safetensors.

    The parameters and what is returned are those of `glove_text.read`. `path` is a file as `write` makes it; or one
    with a single matrix of floats (F16, BF16, F32, F64) of any name, whose words stand beside it in NAME.words.txt,
    one a line.

    Raises
    ------
    FormatError
        If a file can't be read, is cut short, or holds no such tensors; if a word stands twice, or a value isn't
        finite.
    """
    path = Path(path)
    with named_errors(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        tensors, start = _header(file.read(_LENGTH_BYTES), file, size, path)
        matrices = [name for name, t in tensors.items() if t.dtype in _FLOATS and len(t.shape) == 2 and t.end > t.begin]
        own = "vectors" in matrices and "words" in tensors
        if not own and len(matrices) != 1:
            listed = ", ".join(tensors) or "none"
            raise FormatError(
                f"{path}: holds {len(matrices)} matrices of floats where one was expected (tensors: {listed[:60]}). "
                "Name a file with one, or with the tensors `vectors` and `words`."
            )
        found = tensors["vectors" if own else matrices[0]]
        array = _array(file, found, start)
        raw = _bytes(file, tensors["words"], start) if own else b""
    if own:
        words, source = raw.split(b"\n"), path
        if len(words) != len(array):
            raise FormatError(f"{path}: holds {len(words):,} words, but {len(array):,} vectors. {_ADVICE}")
    else:
        source = words_beside(path, ".safetensors")
        words = read_word_list(source, len(array), path)
    check_unique(words, source, first=1, unit="word" if own else "line")
    return [word_from_bytes(word) for word in words], float32_rows(array, words, path)


def parse_header(head: bytes) -> dict[str, Any] | None:
    """Return the header at the beginning of a file of safetensors, or None if it has none.

    Parameters
    ----------
    head : bytes
        The length, and all bytes of the header.
    """
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    if not 2 <= length <= min(_LONGEST_HEADER, len(head) - _LENGTH_BYTES) or head[_LENGTH_BYTES] != ord("{"):
        return None
    try:
        entries = json.loads(head[_LENGTH_BYTES : _LENGTH_BYTES + length])
    except (ValueError, RecursionError):
        return None
    return entries if isinstance(entries, dict) else None


def looks_cut(head: bytes) -> bool:
    """Tell whether a file begins as safetensors do, but ends within the header, or has a damaged one."""
    return head[4:_LENGTH_BYTES] == bytes(4) and head[_LENGTH_BYTES : _LENGTH_BYTES + 2] == b'{"'


def _header(length: bytes, file: BinaryIO, size: int, path: Path) -> tuple[dict[str, _Tensor], int]:
    """Return the tensors that the header lists, and where they begin."""
    wanted = min(int.from_bytes(length, "little"), _LONGEST_HEADER)
    if _LENGTH_BYTES + wanted > size:
        raise FormatError(f"{path}: ends within its header. {_ADVICE}")
    entries = parse_header(length + file.read(wanted))
    if entries is None:
        raise FormatError(f"{path}: has no header of safetensors, or a damaged one. {_ADVICE}")
    tensors = {}
    start = _LENGTH_BYTES + wanted
    for name, entry in entries.items():
        if name == "__metadata__":
            continue
        try:
            begin, end = entry["data_offsets"]
            tensor = _Tensor(entry["dtype"], tuple(entry["shape"]), begin, end)
            itemsize = np.dtype(_FLOATS.get(tensor.dtype, "u1")).itemsize
            right = 0 <= begin <= end and all(isinstance(n, int) and n >= 0 for n in tensor.shape)
            known = tensor.dtype in (*_FLOATS, "U8")
            right = right and (not known or end - begin == itemsize * int(np.prod(tensor.shape, dtype=object)))
        except (KeyError, TypeError, ValueError):
            right = False
        if not right:
            raise FormatError(f"{path}: its header is wrong about the tensor {name[:40]!r}. {_ADVICE}")
        if start + end > size:
            raise FormatError(f"{path}: ends within the tensor {name[:40]!r}. {_ADVICE}")
        tensors[name] = tensor
    return tensors, start


def _array(file: BinaryIO, tensor: _Tensor, start: int) -> NDArray[Any]:
    file.seek(start + tensor.begin)
    count = tensor.shape[0] * tensor.shape[1]
    array = np.fromfile(file, _FLOATS[tensor.dtype], count).reshape(tensor.shape)
    if tensor.dtype == "BF16":  # the upper half of a float32
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array


def _bytes(file: BinaryIO, tensor: _Tensor, start: int) -> bytes:
    file.seek(start + tensor.begin)
    return file.read(tensor.end - tensor.begin)
