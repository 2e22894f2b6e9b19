"""`glove info`: what a run, a matrix, a model or a file of vectors is."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import click

from glove_cli.cli.options import COOC_NAME, MODEL_NAME, PATH, example, json_option, run_option
from glove_cli.cli.terminal import check_stdout, say
from glove_cli.spectral.names import GLOVE

_READ_BYTES = 1 << 20
_FIRST_WORDS = 8


@click.command("info", epilog=example("glove info", "glove info vectors.txt"))
@click.argument("path", required=False, type=PATH)
@click.option("--verify", is_flag=True, help="Compare every file of a matrix or model with its checksum.")
@run_option
@json_option
def command(path: Path | None, verify: bool, run: Path, as_json: bool) -> None:
    """Say what PATH is: a run, a matrix, a model or a file of vectors.

    Sizes, options, where it came from, checksums (SHA-256). Without PATH, the run.
    """
    check_stdout()
    described = describe(path if path is not None else run, verify=verify)
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    parts = described["parts"] if described["kind"] == "run" else [described]
    head = [f"run {described['path']}"] if described["kind"] == "run" else []
    click.echo("\n\n".join([*head, *(_text(part) for part in parts)]))


def describe(path: Path, *, verify: bool = False) -> dict[str, Any]:
    """Return what is known of a result, in terms of JSON.

    Parameters
    ----------
    path : Path
    verify : bool
        Whether to compare checksums.

    Returns
    -------
    dict
        "kind" is "run", "matrix", "model", "tiles", "vectors" or "export".

    Raises
    ------
    FormatError
        If there is nothing, or it is damaged.
    """
    from glove_cli.errors import FormatError
    from glove_cli.files import META_NAME
    from glove_cli.folder import check_exists, read_meta
    from glove_cli.training.tile_names import TILES_NAME
    from glove_cli.vectors.names import EXPORT_FORMAT

    check_exists(path, remedy="Name a run, a matrix, a model or a file of vectors.")
    if not path.is_dir():
        if verify:
            raise FormatError(f"{path}: is a file without checksums to compare with. Leave out --verify.")
        return _describe_vectors(path)
    if os.path.exists(path / META_NAME):
        kind = read_meta(path, remedy="Name a result of glove.").get("format")
        how = {"glove-model": _describe_model, "glove-tiles": _describe_tiles, EXPORT_FORMAT: _describe_export}
        return how.get(str(kind), _describe_matrix)(path, verify)
    parts = []
    if os.path.exists(path / COOC_NAME):
        parts.append(_describe_matrix(path / COOC_NAME, verify))
    parts += [_describe_model(path / name, verify) for name in _models(path)]
    if not parts:
        raise FormatError(f"{path}: holds no result of glove. Make one with `glove build-cooc CORPUS`.")
    if parts[0]["kind"] == "matrix":
        digests = {name: entry.get("sha256") for name, entry in parts[0]["files"].items()}
        for part in parts[1:]:
            if part["from"] or not part["imported"]:
                part["from"]["same_matrix"] = part["from"].get("sha256") == digests
    if os.path.exists(path / TILES_NAME / META_NAME):
        parts.append(_describe_tiles(path / TILES_NAME, False))
    return {"kind": "run", "path": str(path), "parts": parts}


def _models(run: Path) -> list[str]:
    """Return the names of the models of a run: `model`, and those of several dimensions or seeds."""
    from glove_cli.files import is_our_meta

    return sorted(path.parent.name for path in run.glob(f"{MODEL_NAME}*/meta.json") if is_our_meta(path))


def _describe_matrix(path: Path, verify: bool) -> dict[str, Any]:
    from glove_cli.cooc.store import load_cooc

    cooc = load_cooc(path)
    if verify:
        cooc.verify()
    meta = cooc.meta
    keys = (
        "V",
        "nnz",
        "stored",
        "symmetric",
        "tokens",
        "kept_tokens",
        "documents",
        "types",
        "shard",
        "options",
        "sources",
    )
    return {
        "kind": "matrix",
        "path": str(path),
        **{key: meta.get(key) for key in keys},
        **_files(meta, verify),
    }


def _describe_model(path: Path, verify: bool) -> dict[str, Any]:
    from glove_cli.folder import ResultFolder, read_meta
    from glove_cli.model import GloveModel
    from glove_cli.training.history import check_history

    model = GloveModel.load(path, verify=())
    meta = read_meta(path, remedy="Name a model.")
    if verify:
        ResultFolder(path, meta).verify()
    history, imported = check_history(path, model.meta.get("history") or []), model.meta.get("imported")
    history = [entry for entry in history if "event" not in entry]  # those were rolled back
    return {
        "kind": "model",
        "path": str(path),
        "V": len(model.vocab),
        "dim": model.dim,
        "dtype": model.dtype.name,
        "method": model.meta.get("method", GLOVE),
        "explained": model.meta.get("explained"),
        "epochs": None if (imported or "method" in model.meta) and not history else len(history),
        "cost": history[-1].get("cost") if history else None,
        "holdout_cost": history[-1].get("holdout_cost") if history else None,
        "accuracy": history[-1].get("accuracy") if history else None,
        "stopped": model.meta.get("stopped"),
        "init": model.meta.get("init"),
        "seconds": model.meta.get("seconds"),
        "options": model.meta.get("options") or {},
        "process": model.meta.get("process"),
        "from": dict(model.meta.get("cooc") or {}),
        "imported": imported,
        **_files(meta, verify),
    }


def _describe_tiles(path: Path, verify: bool) -> dict[str, Any]:
    from glove_cli.errors import FormatError
    from glove_cli.folder import ResultFolder
    from glove_cli.training.tile_names import FORMAT, VERSION

    if verify:
        raise FormatError(f"{path}: has no checksums to compare with; it can be made again. Leave out --verify.")
    meta = ResultFolder.open(path, FORMAT, VERSION, remedy="Train again.").meta
    key = meta.get("key") or {}
    return {
        "kind": "tiles",
        "path": str(path),
        "nnz": key.get("nnz"),
        "blocks": key.get("blocks"),
        **_files(meta, False),
    }


def _describe_vectors(path: Path) -> dict[str, Any]:
    from glove_cli.cli.compiling import announced
    from glove_cli.vectors.formats import FORMATS
    from glove_cli.vectors.load import read_vectors

    with announced(say):
        vectors, report = read_vectors(path)
    words, found = vectors.words, FORMATS[str(report.format)]
    files = found.files(path) if report.packing is None else [path]
    return {
        "kind": "vectors",
        "path": str(path),
        "format": found.name,
        "packing": report.packing,
        "V": len(words),
        "dim": vectors.dim,
        "first_words": list(words[:_FIRST_WORDS]),
        "last_word": words[-1],
        "bytes": sum(file.stat().st_size for file in files if file.exists()),
        "sha256": _sha256(path),
    }


def _describe_export(path: Path, verify: bool) -> dict[str, Any]:
    from glove_cli.folder import ResultFolder
    from glove_cli.vectors.names import EXPORT_FORMAT, EXPORT_VERSION

    folder = ResultFolder.open(path, EXPORT_FORMAT, EXPORT_VERSION, remedy="Export it again.")
    if verify:
        folder.verify()
    meta = folder.meta
    return {
        "kind": "export",
        "path": str(path),
        "format": meta.get("program"),
        "V": meta.get("V"),
        "dim": meta.get("dim"),
        **_files(meta, verify),
    }


def _files(meta: dict[str, Any], verified: bool) -> dict[str, Any]:
    files = meta["files"]
    return {
        "glove": meta.get("glove"),
        "bytes": sum(entry["bytes"] for entry in files.values()),
        "files": files,
        "verified": verified,
    }


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _text(part: dict[str, Any]) -> str:
    """Return the description of a matrix, a model or a file of vectors as lines."""
    from glove_cli.cli.tables import pairs, shown, size

    how = {
        "matrix": _matrix_lines,
        "model": _model_lines,
        "tiles": _tiles_lines,
        "vectors": _vectors_lines,
        "export": _export_lines,
    }
    lines = [*how[part["kind"]](part), ("size", size(part["bytes"]))]
    if part["kind"] == "tiles":
        return f"{part['kind']} {shown(part['path'])}\n" + pairs(lines, "  ")
    if part["kind"] == "vectors":
        lines.append(("sha256", part["sha256"]))
        return f"{part['kind']} {shown(part['path'])}\n" + pairs(lines, "  ")
    lines.append(("checksums", "compared, all equal" if part["verified"] else "not compared (--verify does)"))
    return f"{part['kind']} {shown(part['path'])}\n{pairs(lines, '  ')}\n{_file_table(part['files'])}"


def _file_table(files: dict[str, dict[str, Any]]) -> str:
    """Return files with their checksums: beside them, or below them where the terminal is too narrow."""
    from glove_cli.cli.tables import table
    from glove_cli.cli.terminal import terminal_width

    rows = [(name, f"{entry['bytes']:,}", str(entry.get("sha256"))) for name, entry in files.items()]
    width = terminal_width()
    if width is None or width >= 2 + sum(max(map(len, cells)) + 2 for cells in zip(*rows, strict=True)):
        return table(("file", "bytes", "sha256"), rows, indent="  ")
    below = [row for name, size, digest in rows for row in ((name, size), f"  {digest}")]
    return table(("file and sha256", "bytes"), below, indent="  ")


def _matrix_lines(part: dict[str, Any]) -> list[tuple[str, str]]:
    from glove_cli.cli.tables import shown

    return [
        ("words", _number(part["V"])),
        ("pairs", f"{_number(part['nnz'])} ({_number(part['stored'])} stored)"),
        ("tokens", f"{_number(part['tokens'])} ({_number(part['kept_tokens'])} in the vocabulary)"),
        ("documents", _number(part["documents"])),
        *([("shard", "{} of {}".format(*part["shard"]))] if part["shard"] else []),
        ("different words", _number(part["types"])),
        ("options", _options(part["options"])),
        ("from", ", ".join(shown(str(source)) for source in part["sources"] or [])),
        ("made by", f"glove {part['glove']}"),
    ]


def _model_lines(part: dict[str, Any]) -> list[tuple[str, str]]:
    from glove_cli.cli.tables import duration, shown

    origin = part["from"]
    where = shown(str(origin.get("path") or "a matrix in memory"))
    if part["imported"] and not origin:
        where = ", ".join(shown(str(file["path"])) for file in part["imported"].values() if file)
    if origin.get("same_matrix") is False:
        where += " (not the matrix of this run as it is now)"
    seconds = part["seconds"]
    return [
        ("words", _number(part["V"])),
        ("dimensions", _number(part["dim"])),
        *([("data type", part["dtype"])] if part["dtype"] != "float32" else []),
        *_fit_lines(part),
        *([("held out", f"{part['holdout_cost']:.6f}")] if part["holdout_cost"] is not None else []),
        *([("questions", f"{part['accuracy']:.2%}")] if part["accuracy"] is not None else []),
        *([("stopped", part["stopped"])] if part["stopped"] else []),
        *([("started from", shown(part["init"]))] if part["init"] else []),
        ("options", _options(part["options"])),
        *([("used with", f"--process {part['process']}")] if part["process"] else []),
        ("from", where),
        ("made by", f"glove {part['glove']}" + (f" in {duration(seconds)}" if seconds is not None else "")),
    ]


def _fit_lines(part: dict[str, Any]) -> list[tuple[str, str]]:
    """Return lines about how a model was fitted and how well."""
    if part["method"] != GLOVE:
        kept = f", {part['explained']:.1%} of the sum of squares kept" if part["explained"] is not None else ""
        return [("method", part["method"] + kept)]
    return [
        ("epochs", _number(part["epochs"])),
        ("cost", "unknown" if part["cost"] is None else f"{part['cost']:.6f}"),
    ]


def _tiles_lines(part: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("pairs", _number(part["nnz"])),
        ("what for", "the matrix, prepared for training; may be removed, the next training makes it again"),
    ]


def _export_lines(part: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("format", str(part["format"])),
        ("words", _number(part["V"])),
        ("dimensions", _number(part["dim"])),
        ("made by", f"glove {part['glove']}"),
    ]


def _vectors_lines(part: dict[str, Any]) -> list[tuple[str, str]]:
    from glove_cli.cli.tables import shown

    return [
        ("format", part["format"] + (f", packed by {part['packing']}" if part["packing"] else "")),
        ("words", _number(part["V"])),
        ("dimensions", _number(part["dim"])),
        ("first words", " ".join(map(shown, part["first_words"]))),
        ("last word", shown(part["last_word"])),
    ]


def _options(options: dict[str, Any] | None) -> str:
    return ", ".join(f"{key} {value}" for key, value in (options or {}).items() if value is not None)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "unknown"
