"""Measure scoring: the analogy questions under the protocols of two other programs, which must give the same counts.

Claims for the Google questions and vectors of wiki8s (68,672 words, d = 100): right and seen of every section are
those of the reference's evaluate.py, 3 times faster, and those of gensim's evaluate_word_analogies, 10 times faster;
Spearman's rho of every similarity file is that of gensim's evaluate_word_pairs to 1e-4.
"""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path
from typing import Any

import common
from common import claim

from glove_cli.evaluation import AnalogyScore, evaluate_analogies, evaluate_similarity
from glove_cli.evaluation.questions import read_questions
from glove_cli.training.run import train
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.load import load_vectors

Counts = dict[str, tuple[int, int]]
REFERENCE_RATIO, GENSIM_RATIO = 3, 10


def main() -> None:
    """Score one file of vectors by each program, compare, print the times."""
    options = common.parser(__doc__)
    options.add_argument("--vectors", type=Path, metavar="FILE", help="GloVe text (default: trained here, 5 epochs)")
    options.add_argument("--no-gensim", action="store_true", help="leave gensim out: it takes minutes")
    arguments = options.parse_args()
    script = None
    if arguments.reference is not None:
        script = arguments.reference.resolve() / "eval" / "python" / "evaluate.py"
        if not script.is_file():
            raise SystemExit(f"--reference: {script} is not there. Name the folder of stanfordnlp/GloVe.")
    questions = common.shared_data() / "eval" / "analogies"
    with common.work_folder(arguments.work) as work:
        vectors = arguments.vectors or trained(arguments, work)
        common.print_facts(arguments.threads, vectors)
        scores: dict[str, AnalogyScore] = {}
        rows, claims = [], []
        command = [*common.GLOVE, "evaluate", vectors.resolve(), "--analogies", questions, "--resamples", "0"]
        common.measure(command)  # compiles, and fills the caches
        ours = common.measure(command)
        rows.append(["glove evaluate", f"{ours.seconds:.1f}", common.mib(ours.peak)])
        found = load_vectors(vectors)
        for protocol in ("reference", "gensim"):
            scores[protocol] = evaluate_analogies(found.matrix, found.words, questions, protocol=protocol)
        if script is not None:
            seconds, peak, counts = of_reference(script, vectors.resolve(), found.words, questions, work)
            rows.append(["the reference's evaluate.py", f"{seconds:.1f}", common.mib(peak)])
            claims.append(
                claim(f"the reference's counts: {said(scores['reference'])}", counts == of(scores["reference"]))
            )
            ratio = seconds / ours.seconds
            claims.append(claim(f"{REFERENCE_RATIO} times faster: {ratio:.1f}", ratio >= REFERENCE_RATIO))
        if not arguments.no_gensim:
            seconds, counts, rho = of_gensim(vectors, questions, work)
            rows.append(["gensim, without reading the vectors", f"{seconds:.1f}", ""])
            claims.append(claim(f"gensim's counts: {said(scores['gensim'])}", counts == of(scores["gensim"])))
            claims.append(
                claim(
                    f"{GENSIM_RATIO} times faster: {seconds / ours.seconds:.1f}", seconds / ours.seconds >= GENSIM_RATIO
                )
            )
            for file, theirs in rho.items():
                mine = evaluate_similarity(found.matrix, found.words, file, protocol="gensim").rho
                claims.append(claim(f"gensim's rho of {file.stem}: {mine:.5f}", abs(mine - theirs) < 1e-4))
    print()
    common.print_table(["", "seconds", "peak"], rows)
    common.finish(claims)


def trained(arguments: Any, work: Path) -> Path:
    """Return vectors of the corpus, trained for a few epochs."""
    path = work / "evaluation.txt"
    if not path.exists():
        cooc = common.training_matrix(None, common.find_corpus(arguments.corpus, work), work, arguments.threads)
        export_vectors(train(cooc, dim=100, epochs=5, x_max=10, threads=arguments.threads), path)
    return path


def of(score: AnalogyScore) -> Counts:
    """Return right and seen of each section."""
    return {section.name: (section.right, section.seen) for section in score.categories}


def said(score: AnalogyScore) -> str:
    """Return the total of a score."""
    return f"{score.total.right:,} of {score.total.seen:,} in {len(score.categories)} sections"


def of_reference(script: Path, vectors: Path, words: Any, questions: Path, work: Path) -> tuple[float, int, Counts]:
    """Return time, peak and counts of the reference's script, which reads its questions from a folder of that name."""
    place = work / "reference"
    (place / "eval").mkdir(parents=True, exist_ok=True)
    link = place / "eval" / "question-data"
    if not link.exists():
        link.symlink_to(questions.resolve())
    (place / "vocab.txt").write_text("".join(f"{word} 1\n" for word in words if word != "<unk>"))
    out = place / "out.txt"
    inside = f"import os, runpy, sys; os.chdir({str(place)!r}); sys.argv = sys.argv[1:]; "
    inside += "runpy.run_path(sys.argv[0], run_name='__main__')"
    arguments = [script, "--vocab_file", place / "vocab.txt", "--vectors_file", vectors]
    done = common.measure([sys.executable, "-c", inside, *arguments], stdout=out)
    found = re.findall(r"^(\S+)\.txt:\nACCURACY TOP1: \S+ \((\d+)/(\d+)\)", out.read_text(), re.M)
    return done.seconds, done.peak, {name: (int(right), int(seen)) for name, right, seen in found}


def of_gensim(vectors: Path, questions: Path, work: Path) -> tuple[float, Counts, dict[Path, float]]:
    """Return gensim's time for the questions, its counts, and its rank correlations."""
    warnings.simplefilter("ignore")
    from gensim.models import KeyedVectors

    one = work / "questions.txt"
    asked = read_questions(questions)
    one.write_text("".join(f": {name}\n" + "".join(f"{' '.join(q)}\n" for q in group) for name, group in asked))
    keyed = KeyedVectors.load_word2vec_format(str(vectors), no_header=True)
    sections: list[dict[str, Any]] = []
    seconds = common.timed(lambda: sections.extend(keyed.evaluate_word_analogies(str(one))[1]))
    counts = {s["section"]: (len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections[:-1]}
    rho = {}
    for file in sorted((common.shared_data() / "eval" / "similarity").glob("*.txt")):
        tabs = work / file.name
        tabs.write_text("".join("\t".join(line.split()) + "\n" for line in file.read_text().splitlines()))
        rho[file] = float(keyed.evaluate_word_pairs(str(tabs))[1][0])
    return seconds, counts, rho


if __name__ == "__main__":
    main()
