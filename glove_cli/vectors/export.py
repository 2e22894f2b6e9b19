"""Vectors to a file that other programs read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from glove_cli.errors import OptionError
from glove_cli.files import META_NAME, check_apart, check_folder, check_output, is_stream
from glove_cli.model import GloveModel
from glove_cli.vectors.formats import Format, find_format, format_of_name
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.names import GLOVE, UNK, WORD2VEC
from glove_cli.vectors.outputs import NOT_PACKED, PACKED, packed_suffix
from glove_cli.vectors.process import chosen_steps, process_vectors
from glove_cli.vectors.rows import ModelRows, Rows, mean_of_rarest
from glove_cli.vectors.select import load_model, select_vectors


@dataclass(frozen=True)
class Exported:
    """What `export_vectors` wrote.

    Attributes
    ----------
    words, dim : int
        Rows, that of `<unk>` included, and numbers in each.
    unk : bool
        Whether the last row is the mean of the rarest words.
    own_unk : bool
        Whether no such row was added because the vocabulary has a word `<unk>` of its own.
    title : str
        Name of the format.
    files : tuple of Path
        What was made: a file, two, or a folder; none for a stream.
    """

    words: int
    dim: int
    unk: bool
    own_unk: bool
    title: str
    files: tuple[Path, ...] = ()


def export_vectors(
    model: GloveModel | WordVectors | str | os.PathLike[str],
    out: str | os.PathLike[str] | BinaryIO,
    *,
    vectors: str = "sum",
    process: str | None = None,
    unk: bool | None = None,
    header: bool = False,
    format: str | None = None,
    threads: int | None = None,
    force: bool = False,
) -> Exported:
    """Write vectors to a file.

    Parameters
    ----------
    model : GloveModel, WordVectors or path-like
        A model or the folder of one (or of its run); or vectors, or a file of them, which are written as they are.
    out : path-like or binary file
        The file to make, or the folder; it appears when it is complete. A pipe or device is written straight through.
    vectors : {"sum", "word", "context", "concat"}
        Which vectors of a model: W + C, W, C, or both side by side.
    process : str, optional
        What is done to them first, see `parse_steps`; "none" for nothing. Unless given, what the model was trained to
        be used with. It takes all of them into memory, as float32.
    unk : bool, optional
        Whether the last row is `<unk>`, the mean of the model's 100 rarest words (of all, if there are fewer). Unless
        given, it is, but for a model that has a word `<unk>` of its own: that keeps its vector and its place.
    header : bool
        Whether GloVe text begins with a line `words dimensions`, as word2vec's formats always do.
    format : str, optional
        By the name, unless given:

        - "glove": GloVe text, also for names without an ending below. This one and the next two are packed if the name
          ends in `.gz`, `.bz2` or `.xz` besides.
        - "word2vec", or "fasttext", which is the same (`.vec`, `.w2v`); "word2vec-binary" (`.bin`).
        - "npy" (`.npy`): an array, and the words beside it in NAME.words.txt.
        - "gensim" (`.kv`): KeyedVectors, and the array beside it in NAME.kv.vectors.npy.
        - "safetensors" (`.safetensors`): the tensors `vectors` and `words`.
        - "parquet" (`.parquet`): a row a word, with a projection to two dimensions; needs pyarrow.
        - "projector": a folder for the TensorFlow Embedding Projector.
        - "spacy": a folder for `spacy init vectors`.
        - "reference": a folder with the `vectors.bin`, `gradsq.bin` and `vocab.txt` of the original tools; of a model
          only, and the whole of it.
    threads : int, optional
        All cores that this process may use, unless given.
    force : bool
        Whether an existing file, or a folder that was exported before, may be replaced.

    Returns
    -------
    Exported

    Raises
    ------
    OptionError
        If an option can't work; so `unk` with a word `<unk>` in the vocabulary.
    FormatError
        If there is no model, a value isn't finite, or a word can't be written in the format.
    OutputError
        If the file exists and `force` is false, or can't be written.
    """
    chosen = find_format(format) if format is not None else format_of_name(out)
    if header and chosen.name not in (GLOVE, WORD2VEC):
        raise OptionError(f"--header: is for text, not for {chosen.title}. Leave it out.")
    if chosen.whole and (vectors != "sum" or process or unk):
        raise OptionError(
            f"--format: {chosen.name} holds a whole model, not vectors of it. Leave out --vectors, --process and --unk."
        )
    _check_output(chosen, out, force)
    chosen_steps(process)
    if isinstance(model, (str, os.PathLike)):
        if isinstance(out, (str, os.PathLike)) and (chosen.folder or not os.path.isdir(out)):
            results = (Path(model), Path(model) / "model")  # or the run of one
            check_apart(out, [path for path in results if os.path.exists(path / META_NAME)])
        if os.path.isfile(model):
            model, vectors = load_vectors(model, vectors=vectors), "sum"
        else:
            model = load_model(model)
    made = tuple(chosen.files(out)) if isinstance(out, (str, os.PathLike)) and not is_stream(out) else ()
    if chosen.whole:
        if not isinstance(model, GloveModel):
            raise OptionError(f"--format: {chosen.name} holds a whole model, these are vectors. Choose another format.")
        chosen.write(model, out, force=force)
        return Exported(len(model.vocab), model.dim, unk=False, own_unk=False, title=chosen.title, files=made)
    words, rows, own = _rows(model, vectors, unk, process)
    added = isinstance(model, GloveModel) and len(words) > len(model.vocab)
    extra = {}
    if chosen.counted and isinstance(model, GloveModel):
        extra["counts"] = np.append(model.vocab.counts, np.zeros(int(added), np.int64))
    chosen.write(out, words, rows, header=header, threads=threads, force=force, **extra)
    return Exported(
        rows.shape[0],
        rows.shape[1],
        unk=added,
        own_unk=isinstance(model, GloveModel) and own and unk is None,
        title=chosen.title,
        files=made,
    )


def _check_output(chosen: Format, out: str | os.PathLike[str] | BinaryIO, force: bool) -> None:
    """Refuse, before any work, outputs that could not be written at its end."""
    suffix = packed_suffix(out)
    if suffix and not chosen.packable:
        raise OptionError(f"{out}: {chosen.title} isn't written packed. Leave out {suffix}.")
    if suffix in NOT_PACKED:
        raise OptionError(f"{out}: can't be packed so. Choose {', '.join(PACKED)}, or write to - and pack that.")
    if chosen.check is not None:
        chosen.check(out)
    if not isinstance(out, (str, os.PathLike)):
        return
    check = check_folder if chosen.folder and not is_stream(out) else check_output
    check(out, force=force)  # before the others, whose names are made from it
    for path in chosen.files(out)[1:]:
        check(path, force=force)


def _rows(
    model: GloveModel | WordVectors, vectors: str, unk: bool | None, process: str | None
) -> tuple[list[str], Rows, bool]:
    """Return the words and rows to write, and whether there is a word `<unk>`."""
    if isinstance(model, WordVectors):
        if unk or vectors != "sum":
            raise OptionError(
                "--vectors, --unk: are for a model; these vectors are written as they are. Leave them out."
            )
        done = process_vectors(model, chosen_steps(process))
        return list(done.words), done.matrix, UNK in model.index
    words = list(model.vocab.words)
    own = UNK in model.vocab.index
    if unk and own:
        raise OptionError(
            "--unk: the vocabulary has a word <unk> of its own. Give --no-unk; its vector is written then."
        )
    add = unk if unk is not None else not own
    if not chosen_steps(process, model.meta.get("process")):
        return words + [UNK] * add, ModelRows(model, vectors, unk=add), own
    matrix = select_vectors(model, vectors, process).matrix
    if add:
        matrix = np.concatenate((matrix, mean_of_rarest(matrix)), dtype=np.float32)
    return words + [UNK] * add, matrix, own
