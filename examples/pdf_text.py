"""Make a corpus of PDFs: take what pdftotext writes, and print a paragraph a line.

    pdftotext -layout report.pdf                   # of poppler-utils; makes report.txt
    python examples/pdf_text.py report.txt > corpus.txt
    python examples/pdf_text.py report.txt | glove build-cooc - --lowercase --tokenizer words --normalize NFKC

Lines that head or end three pages or more, whatever numbers they hold, are left out, and reported: running heads and
page numbers. Words that are hyphenated at the end of a line are joined, unless what follows begins with a capital or a
digit, or the word has its hyphen within a line, too, as in "well-known". Paragraphs stand between blank lines, and go
on across pages. NFKC turns ligatures into letters.

With -layout pdftotext keeps the gaps between paragraphs. Leave it out where the text stands in columns: these are then
followed, and words joined, by pdftotext, but few gaps are left to tell paragraphs by.

Without a file, the beginning of corpora/sample.txt is laid out as a report.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"


def shape(line: str) -> str:
    """Return a line without its numbers, so that the heads and feet of all pages are alike."""
    return re.sub(r"\d+", "#", line)


def without_heads(text: str) -> tuple[str, Counter[str]]:
    """Return a text in one piece, and what heads and feet of its pages were left out how often."""
    pages = [[line.strip() for line in page.splitlines()] for page in text.split("\f")]
    edges: Counter[str] = Counter()
    for page in pages:
        lines = [shape(line) for line in page if line]
        edges.update({*lines[:2], *lines[-2:]})
    body, left_out = "", Counter[str]()
    for page in pages:
        for end in (0, -1):
            while page and (not page[end] or edges[shape(page[end])] >= 3):
                left_out[shape(page.pop(end))] += 1
        if page:
            body += ("\n\n" if body.endswith((".", "!", "?", ":")) else "\n") + "\n".join(page)
    del left_out[""]
    return body, left_out


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, each as one line."""
    within_lines = set(re.findall(r"\w+-\w+", text))

    def join(match: re.Match[str]) -> str:
        keep = f"{match[1]}-{match[2]}" in within_lines or not match[2][0].islower()
        return f"{match[1]}{'-' if keep else ''}{match[2]}"

    text = re.sub(r"(\w+)[-\u2010\u00ad]\n(\w+)", join, text)
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\n+", text) if paragraph.strip()]


def example() -> str:
    """Lay out some sentences as pdftotext writes them: broken lines, and pages with a head and a number."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    text = "\n\n".join(" ".join(lines[k : k + 4]) for k in range(0, 80, 4))
    lines = re.sub(r"(.{60}[a-z]{2})(?=[a-z]{3})", r"\1-\n", text).split("\n")
    pages = ["\n".join(lines[k : k + 30]) for k in range(0, len(lines), 30)]
    return "".join(f"Short Sentences\n\n{page}\n\n- {number} -\n\n\f" for number, page in enumerate(pages, 1))


def main() -> None:
    """Print the paragraphs of the files that the command line names."""
    parser = argparse.ArgumentParser(description="Print what pdftotext wrote as a paragraph a line.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="what pdftotext wrote, in UTF-8")
    for path in parser.parse_args().files or [None]:
        try:
            text = path.read_text(encoding="utf-8-sig") if path else example()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            sys.exit(f"Error: {path}: can't be read: {reason}. Name a text that pdftotext wrote.")
        if text.startswith("%PDF"):
            sys.exit(f"Error: {path}: is a PDF itself. Run pdftotext first.")
        body, left_out = without_heads(text)
        print(*paragraphs(body), sep="\n")
        for line, times in left_out.most_common():
            print(f"{path or 'example'}: left out {times} times: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
