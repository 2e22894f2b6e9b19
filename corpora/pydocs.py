"""Build a text corpus from the documentation that comes with an installed Python.

Reads the source files of Python's standard library and of every package installed beside it, without importing
any of them, and writes their docstrings and longer comments as plain English: markup, code and examples taken out,
lower-cased, punctuation split off, one docstring or comment a line, none twice. The order is that of package, path
and position, so the same installation gives the same file, byte for byte. Needs nothing but Python.

    python corpora/pydocs.py corpora/pydocs.txt
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from inspect import cleandoc
from pathlib import Path

MIN_WORDS = 4  # a shorter docstring says hardly more than a name
MIN_COMMENT_WORDS = 8  # shorter comments are mostly notes to tools and captions
MIN_PROSE = 0.8  # least share of letters and spaces in a paragraph of prose

_SKIPPED_FOLDERS = {"__pycache__", "site-packages", "dist-packages", "lib2to3", "node_modules"}
_SKIPPED_DIRECTIVES = re.compile(
    r"(code(-block)?|sourcecode|ipython|plot|math|parsed-literal|figure|image|table|list-table|csv-table|index|"
    r"testcode|testsetup|testoutput|doctest|toctree|autosummary|auto\w+|currentmodule|module|highlight|only|raw)$"
)

_DIRECTIVE = re.compile(r"\.\. +([\w-]+(?::[\w-]+)?)::(.*)")
_UNDERLINE = re.compile(r"([=\-~^\"'`+*#.:_])\1{2,}$")
_TABLE = re.compile(r"(\+[-=+]+\+|\|.*\||=+( +=+)+|-+( +-+)+)$")
_PARAMETER = re.compile(r"[*\w`][\w*`, .{}'\"/\\-]* :( |$)")
_FIELD = re.compile(r":(?:param|parameter|arg|type|rtype|returns?|raises?|keyword|var|ivar|cvar)\b[^:]*:")
_BULLET = re.compile(r"([-*+•]|\(?\d{1,2}[.)]|\(?[a-z]\))\s+")
_INLINE: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"<?(?:https?|ftp)://[^\s>]+>?"), " "),
    (re.compile(r":math:`[^`]*`|\$[^$\n]+\$"), " "),
    (re.compile(r"\[[\w#*]{1,3}\]_"), " "),
    (re.compile(r"(?::[\w.+-]+)?:[\w.+-]+:`~?(?:[^`<]*\.)?([^`.<]+)(?:<[^`>]*>)?`"), r"\1"),
    (re.compile(r"`+~?([^`<]+?)\s*(?:<[^`>]*>)?`+_*"), r"\1"),
    (re.compile(r"(?<![\w*])\*{1,2}([^\s*](?:[^*\n]*[^\s*])?)\*{1,2}(?![\w*])"), r"\1"),
    (re.compile(r"\|([\w ]+)\|"), r"\1"),
    (re.compile(r"\\(?=[*_`|\\ ])"), ""),
]
_TOKEN = re.compile(r"(?:[a-z]\.){2,}|\d+(?:[.,]\d+)*(?![^\W\d])|\w+(?:['\u2019-]\w+)*|\.\.\.|-{2,}|[^\w\s`]")


def prose(text: str) -> str:
    """Return the English of a docstring in reST or plain text: one line of tokens, or nothing."""
    kept: list[str] = []
    for paragraph in _paragraphs(text.expandtabs().split("\n")):
        for pattern, replacement in _INLINE:
            paragraph = pattern.sub(replacement, paragraph)
        plain = sum(c.isalpha() or c == " " for c in paragraph)
        if plain >= MIN_PROSE * len(paragraph) and len(re.findall(r"[^\W\d_]{2,}", paragraph)) >= 3:
            kept += _TOKEN.findall(paragraph.lower())
    return " ".join(kept)


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Yield the paragraphs of a text without headings, parameter lines, code and examples, each as one line."""
    paragraph: list[str] = []
    skip_deeper_than = -1  # the indentation of what opened a block that is left out, or -1 outside such a block
    example = False
    for number, line in enumerate(lines):
        content = line.strip()
        indent = len(line) - len(line.lstrip())
        if not content:
            yield from _joined(paragraph)
            example = False
            continue
        if skip_deeper_than >= 0 and indent > skip_deeper_than:
            continue
        skip_deeper_than = -1
        if content.startswith((">>>", "In [", "$ ", "% ")):
            example = True
        if example or _is_rule(content):
            yield from _joined(paragraph)
            continue
        if directive := _DIRECTIVE.match(content):
            yield from _joined(paragraph)
            if _SKIPPED_DIRECTIVES.match(directive[1]):
                skip_deeper_than = indent
            elif directive[1] in ("note", "warning", "tip", "seealso", "important"):
                paragraph.append(directive[2].strip())
            continue
        if content.startswith(".. ") or content == "..":  # a comment, a footnote or a link target
            yield from _joined(paragraph)
            skip_deeper_than = indent
            continue
        if _is_heading(lines, number) or _PARAMETER.match(content):
            yield from _joined(paragraph)
            continue
        if bullet := _BULLET.match(content):
            yield from _joined(paragraph)
            content = content[bullet.end() :]
        paragraph.append(_FIELD.sub(" ", content))
        if content.endswith("::"):
            skip_deeper_than = indent
            paragraph[-1] = content[:-1] if content != "::" else ""
            yield from _joined(paragraph)
    yield from _joined(paragraph)


def _joined(paragraph: list[str]) -> Iterator[str]:
    """Yield the lines gathered so far as one, if there are any, and forget them."""
    text = " ".join(" ".join(paragraph).split())
    paragraph.clear()
    if text:
        yield text


def _is_rule(content: str) -> bool:
    return bool(_UNDERLINE.match(content) or _TABLE.match(content))


def _is_heading(lines: list[str], number: int) -> bool:
    """Tell whether the next line underlines this one."""
    below = lines[number + 1].strip() if number + 1 < len(lines) else ""
    return len(below) >= 3 and bool(_UNDERLINE.match(below))


def texts_of(source: bytes) -> list[str]:
    """Return the docstrings and comments of a source file as prose, in the order of their lines.

    Docstrings are all strings that stand alone, those given to NumPy's and SciPy's `add_newdoc`, and the values of
    a module-level dictionary `topics`, which is how Python carries its language reference.

    Raises
    ------
    SyntaxError, ValueError, RecursionError
        If the source can't be parsed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    found: list[tuple[int, int, str]] = []
    in_strings: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            found += _strings([node.value], cleandoc)
        elif isinstance(node, ast.Call) and _name(node.func).endswith("add_newdoc"):
            found += _strings(ast.walk(node), cleandoc)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and _name(node.targets[0]) == "topics":
            found += _strings(node.value.values, str)
        elif isinstance(node, (ast.Constant, ast.JoinedStr)):
            in_strings.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    result = [(line, column, prose(text), MIN_WORDS) for line, column, text in found]
    lines = source.decode("utf-8", "replace").splitlines()
    result += [(line, 0, prose(text), MIN_COMMENT_WORDS) for line, text in _comments(lines, in_strings)]
    return [text for *_, text, least in sorted(result) if len(re.findall(r"[^\W\d_]{2,}", text)) >= least]


def _strings(nodes: Iterable[ast.AST], clean: Callable[[str], str]) -> list[tuple[int, int, str]]:
    """List line, column and text of the nodes that are strings."""
    return [
        (node.lineno, node.col_offset, clean(node.value))
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _name(node: ast.AST) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _comments(lines: list[str], in_strings: set[int]) -> Iterator[tuple[int, str]]:
    """Yield first line and text of each run of comment lines that isn't code put out of action."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        content = line.strip()
        if content.startswith("#") and number not in in_strings:
            block.append(content.lstrip("#!").removeprefix(" "))
        elif block:
            text = "\n".join(block)
            if not _is_code(text):
                yield number - len(block), text
            block = []


def _is_code(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(cleandoc(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def source_files(folders: Iterable[Path]) -> list[Path]:
    """Return the Python files below `folders`, in a fixed order, without packages installed deeper inside."""
    files: list[Path] = []
    for folder in folders:
        below = []
        for parent, names, here in os.walk(folder):
            names[:] = [n for n in names if n not in _SKIPPED_FOLDERS and not n.startswith(".")]
            below += [Path(parent, n) for n in here if n.endswith(".py")]
        files += sorted(below, key=lambda path: path.relative_to(folder).parts)
    return files


def _read(path: Path) -> list[str] | None:
    try:
        return texts_of(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def build(folders: Iterable[Path], out: Path) -> tuple[int, int, int, int]:
    """Write the corpus of the Python files below `folders` to `out`, which appears only when it is complete.

    Returns
    -------
    documents, tokens, files, skipped : int
        Lines and tokens written, files read, files that could not be parsed.

    Raises
    ------
    OSError
        If `out` can't be written.
    ValueError
        If no text was found.
    """
    folders = list(folders)
    files = source_files(folders)
    seen: set[str] = set()
    documents = tokens = skipped = 0
    descriptor, temporary = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent)
    try:
        with (
            open(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file,
            ProcessPoolExecutor() as pool,
        ):
            for texts in pool.map(_read, files, chunksize=32):
                skipped += texts is None
                for text in texts or ():
                    if text not in seen:
                        seen.add(text)
                        file.write(text + "\n")
                        documents += 1
                        tokens += text.count(" ") + 1
            file.flush()
            os.fsync(file.fileno())
        if not documents:
            raise ValueError(
                f"{', '.join(map(str, folders))}: no documentation found. Name a folder with Python files."
            )
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, out)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return documents, tokens, len(files), skipped


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def installed() -> list[Path]:
    """Return the folders of the standard library and of the packages installed beside it."""
    paths = sysconfig.get_paths()
    return [Path(p) for p in dict.fromkeys(paths[kind] for kind in ("stdlib", "purelib", "platlib"))]


def main(arguments: list[str] | None = None) -> int:
    """Build the corpus that the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Build a corpus from the documentation inside the Python that runs this, and its packages.",
        epilog="Example: python corpora/pydocs.py corpora/pydocs.txt",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="text file to write; replaced if it exists")
    parser.add_argument(
        "--from",
        dest="folders",
        type=Path,
        action="append",
        metavar="DIR",
        help="read this folder instead; may be repeated",
    )
    options = parser.parse_args(arguments)
    for folder in options.folders or ():
        if not folder.is_dir():
            print(f"Error: {folder}: is not a folder. Name a folder with Python files.", file=sys.stderr)
            return 1
    print("Reading the documentation of the installed Python packages, about half a minute ...", file=sys.stderr)
    try:
        documents, tokens, files, skipped = build(options.folders or installed(), options.out)
    except OSError as error:
        print(f"Error: {options.out}: can't be written: {error.strerror}. Choose another place.", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    note = f" ({skipped} could not be parsed)" if skipped else ""
    print(f"{options.out}: {tokens:,} tokens, {documents:,} documents, from {files:,} files{note}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
