"""What a file is, told by its first bytes: names are not looked at."""

from __future__ import annotations

import codecs
import re

from glove_cli.errors import CorpusError

MAGIC_BYTES = 10  # so many bytes tell how a file is compressed
TEXT_HEAD = 8000  # among so many bytes of a text git looks for a NUL
PARQUET_MAGIC = b"PAR1"

_XZ = b"\xfd7zXZ\x00"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_BZIP2 = re.compile(rb"BZh[1-9]")
_BZIP2_NEXT = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")  # a block; the end of an empty text
_UNPACK = "Unpack it and name the text files in it"
_ARCHIVES = (
    (b"PK\x03\x04", "a ZIP archive or an office document", "Unpack it, or save it as text"),
    (b"PK\x05\x06", "an empty ZIP archive", "Name a text file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\x1f\x9d", "compressed by the old program compress", "Unpack it with gzip -d"),
    (b"\x04\x22\x4d\x18", "compressed by LZ4", "Unpack it with lz4 -d"),
    (b"%PDF-", "a PDF document", "Extract its text, as with pdftotext"),
)
_OTHER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def compression_of(head: bytes) -> str | None:
    """Tell how a file is compressed.

    Parameters
    ----------
    head : bytes
        The first MAGIC_BYTES bytes, fewer only of a file that has no more.

    Returns
    -------
    {"gzip", "bzip2", "xz", "zstd"} or None
    """
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if _begins(head, _XZ):
        return "xz"
    if _begins(head, _ZSTD) or _ZSTD_SKIPPABLE.match(head):
        return "zstd"
    if _BZIP2.match(head) and any(magic.startswith(head[4:MAGIC_BYTES]) for magic in _BZIP2_NEXT):
        return "bzip2"
    return None


def check_text(name: str, head: bytes, *, within: str | None = None, nul: bool = True) -> None:
    """Refuse what is no text, or not in UTF-8 as a whole.

    Parameters
    ----------
    name : str
        What messages call the file.
    head : bytes
        The first TEXT_HEAD bytes of the (unpacked) text.
    within : str, optional
        How the text was compressed.
    nul : bool
        Whether a NUL byte shows that this is no text.

    Raises
    ------
    CorpusError
        If it is an archive, a document, a Parquet file, compressed twice, in UTF-16 or UTF-32, or has a NUL byte.
    """
    inside = f", within {within}" if within else ""
    for magic, what, advice in _ARCHIVES:
        if head.startswith(magic):
            raise CorpusError(f"{name}: is {what}{inside}. {advice}.")
    if head[257:262] == b"ustar" and b"\x00" in head[:257]:  # a tar's header holds NULs, a text with this word does not
        raise CorpusError(f"{name}: is a tar archive{inside}. {_UNPACK}.")
    if is_parquet(head):
        advice = "Unpack it and read it with --column" if within else "Name the column of its texts with --column"
        raise CorpusError(f"{name}: is a Parquet file{inside}. {advice}.")
    if within and compression_of(head[:MAGIC_BYTES]):
        raise CorpusError(f"{name}: is compressed twice, the second time by {within}. Unpack it once.")
    for mark, encoding in _OTHER_MARKS:
        if head.startswith(mark):
            raise CorpusError(f"{name}: is no plain text ({encoding}). Convert it to UTF-8 first.")
    if nul and (place := head.find(b"\x00", 0, TEXT_HEAD)) >= 0:
        raise CorpusError(f"{name}: is no plain text (NUL byte at byte {place + 1}). Convert it to UTF-8 first.")


def is_parquet(head: bytes) -> bool:
    """Tell whether a file is Parquet: a text that begins with the word PAR1 has no control byte after it."""
    return head.startswith(PARQUET_MAGIC) and head[4:5] < b"\x20" and head[4:5] not in (b"", b"\t", b"\n", b"\r")


def _begins(head: bytes, magic: bytes) -> bool:
    """Tell whether a file begins with a magic, or is what is left of a file cut within it."""
    return head.startswith(magic) or (len(head) >= 2 and magic.startswith(head))
