"""`glove evaluate`: how good vectors are, of one model or of several side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from glove_cli.cli.intervals import also_option, check_interval_options, matrix_options
from glove_cli.cli.language_options import language_options
from glove_cli.cli.options import MODEL_NAME, PATH, example, force_option, json_option, reading_options, run_option
from glove_cli.cli.terminal import check_stdout, say
from glove_cli.evaluation.names import PROTOCOL_NAMES
from glove_cli.vectors.names import KINDS

if TYPE_CHECKING:
    from glove_cli.evaluation.together import Scores
    from glove_cli.vectors.keyed import WordVectors

_PLAIN = "none"
_MOST_RESAMPLES = 1_000_000


class Choice(NamedTuple):
    """Vectors to be scored: where they are, which kind, and what is done to them first."""

    path: Path
    vectors: str
    process: str | None


@click.command("evaluate", epilog=example("glove evaluate", "glove evaluate --process none --process mean:100"))
@click.argument("paths", nargs=-1, type=PATH, metavar="[PATH]...")
@click.option(
    "--analogies", type=PATH, multiple=True, metavar="PATH", help="Questions: a folder or a file. Repeatable."
)
@click.option(
    "--similarity", type=PATH, multiple=True, metavar="PATH", help="Word pairs: a folder or a file. Repeatable."
)
@click.option("--categories", type=PATH, multiple=True, metavar="PATH", help="Words in categories. Repeatable.")
@click.option("--outliers", type=PATH, multiple=True, metavar="PATH", help="Groups of words with outliers. Repeatable.")
@click.option(
    "--protocol", type=click.Choice(PROTOCOL_NAMES), default="reference", show_default=True, help="By whose rules."
)
@click.option("--restrict", type=int, metavar="N", help="Only the N first words, instead of the protocol's number.")
@click.option("--dummy4unknown", is_flag=True, help="Count what has unknown words, as gensim can: wrong, cosine 0.")
@click.option("--resamples", type=int, default=1000, show_default=True, help="Of the bootstrap; 0: no intervals.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the bootstrap and of permutations.")
@click.option("--answers", type=PATH, metavar="FILE", help="Write each question and its answers to this file (TSV).")
@force_option
@click.option("--intervals", is_flag=True, help="Say how much of a rho is noise of the vectors, by --resamples draws.")
@also_option
@matrix_options
@click.option(
    "--vectors", type=click.Choice(KINDS), multiple=True, help="Which vectors of a model. Repeatable.  [default: sum]"
)
@run_option
@reading_options
@click.option(
    "--process",
    multiple=True,
    metavar="STEP,...",
    help="Change them first, as `glove nearest` does; none: as they are. Repeatable.",
)
@click.option(
    "--tsv", "as_tsv", is_flag=True, help="Print tab-separated lines without a header, for awk, cut and sort."
)
@json_option
@language_options
def command(
    paths: tuple[Path, ...],
    analogies: tuple[Path, ...],
    similarity: tuple[Path, ...],
    categories: tuple[Path, ...],
    outliers: tuple[Path, ...],
    protocol: str,
    restrict: int | None,
    dummy4unknown: bool,
    resamples: int,
    seed: int,
    answers: Path | None,
    force: bool,
    intervals: bool,
    also: tuple[Path, ...],
    cooc: Path | None,
    level: float,
    vectors: tuple[str, ...],
    run: Path,
    process: tuple[str, ...],
    as_tsv: bool,
    as_json: bool,
    **language: Any,
) -> None:
    """Score vectors on analogy questions and word similarity.

    PATH is a model, a run, or a file of vectors; without any, the run's model. Without questions or files, the
    package's own questions are asked. Several PATHs, --vectors or --process give a column each, and a paired test
    against the first.

    --protocol says by whose rules: reference (words as written, all words), word2vec (upper case, the first 30,000
    words), gensim (upper case, the first 300,000). Scores of different protocols can't be compared.

    --intervals is for models with their matrix, and for --similarity: vectors are drawn from their noise (see `glove
    uncertainty`), while the intervals beside are for other pairs of words.

    --tsv prints a line for each score: model, kind, name, right, seen, of, score, low, high.

    --lm TRAIN scores by language models instead: how well text is predicted by a network that has the vectors, by one
    that has random ones, and by n-grams. Its --tsv: kind, model, size, share, tokens, perplexity, low, high.
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.score_language import check_language, score_language
    from glove_cli.cli.score_notes import notes
    from glove_cli.cli.score_tables import score_lines, score_text
    from glove_cli.cli.sources import own_steps
    from glove_cli.evaluation.own_questions import own_questions
    from glove_cli.evaluation.report import describe_difference, describe_scores

    check_language(language, force=force, two_forms=as_json and as_tsv)
    chosen = [
        Choice(path, kind, steps)
        for path, kind in product(paths or (run / MODEL_NAME,), vectors or ("sum",))
        for steps in process or (own_steps(path) or _PLAIN,)
    ]
    if language["lm"] is not None:
        _check_models(chosen)
        models_of = {
            label: _processed(_open(choice), choice) for choice, label in zip(chosen, _labels(chosen), strict=True)
        }
        score_language(models_of, language, force=force, as_json=as_json, as_tsv=as_tsv)
        return
    own = not (analogies or similarity or categories or outliers)
    files: dict[str, Any] = {
        "analogies": own_questions() if own else list(analogies) or None,
        "similarity": list(similarity),
        "categories": list(categories),
        "outliers": list(outliers),
    }
    rules: dict[str, Any] = {"protocol": protocol, "restrict": restrict, "dummy4unknown": dummy4unknown}
    check_interval_options(intervals, cooc, level, also=also)
    if intervals:
        _check_intervals(own, files, resamples, dummy4unknown, paths, also)
    _check(chosen, files, rules, resamples, seed, answers, force, as_json and as_tsv)
    labels = _labels(chosen)
    found, models = _score(chosen, labels, files, rules, answers is not None, Progress, notes)
    if own:
        say("Note: the package's own questions are asked; scores on other sets can't be compared with these.")
    draw = {"resamples": resamples, "seed": seed}
    if intervals:
        from glove_cli.cli.score_noise import add_noise

        add_noise(chosen, models, files["similarity"], rules, draw, cooc, level, also)
    for model, scores in zip(models, found, strict=True):
        model.update(describe_scores(scores, **draw))
    result: dict[str, Any] = {
        "settings": {**rules, **draw, "own_questions": own, **({"level": level} if intervals else {})},
        "models": models,
        "comparisons": [
            {"model": label, "against": labels[0], **describe_difference(scores, found[0], **draw)}
            for label, scores in zip(labels[1:], found[1:], strict=True)
        ],
    }
    if answers is not None:
        from glove_cli.cli.score_answers import write_answers

        write_answers(answers, labels, found, [model.pop("answers") for model in models], force=force)
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        click.echo("\n".join(score_lines(result)) if as_tsv else score_text(result))


def _check(
    chosen: list[Choice],
    files: dict[str, Any],
    rules: dict[str, Any],
    resamples: int,
    seed: int,
    answers: Path | None,
    force: bool,
    two_forms: bool,
) -> None:
    """Refuse what can't work before any vector is read."""
    from glove_cli.errors import OptionError
    from glove_cli.evaluation.groups import group_files, read_categories, read_outliers
    from glove_cli.evaluation.protocols import find_protocol
    from glove_cli.evaluation.questions import read_pairs, read_questions
    from glove_cli.evaluation.together import similarity_files
    from glove_cli.files import check_output
    from glove_cli.folder import check_exists

    check_stdout()
    if two_forms:
        raise OptionError("--tsv: can't be combined with --json. Choose one of them.")
    if rules["restrict"] is not None and rules["restrict"] < 1:
        raise OptionError(f"--restrict: {rules['restrict']} words can't answer. Give a number of at least 1.")
    if rules["dummy4unknown"] and rules["protocol"] != "gensim":
        raise OptionError("--dummy4unknown: is a rule of gensim's. Add --protocol gensim.")
    for name, number in (("resamples", resamples), ("seed", seed)):
        if number < 0:
            raise OptionError(f"--{name}: {number} is negative. Give 0 or more.")
    if resamples > _MOST_RESAMPLES:
        raise OptionError(f"--resamples: {resamples} are too many. Give at most {_MOST_RESAMPLES:,}.")
    find_protocol(rules["protocol"], rules["restrict"])
    _check_models(chosen)
    if files["analogies"] is not None:
        read_questions(files["analogies"])
    elif answers is not None:
        raise OptionError("--answers: there are no questions. Add --analogies.")
    for file in similarity_files(files["similarity"]):
        read_pairs(file)
    for kind, read in (("categories", read_categories), ("outliers", read_outliers)):
        for path in files[kind]:
            check_exists(path, remedy="Name a file.")
            for file in group_files(path):
                read(file)
    if answers is not None:
        check_output(answers, force=force)


def _check_intervals(
    own: bool, files: dict[str, Any], resamples: int, dummy4unknown: bool, paths: Sequence[Path], also: Sequence[Path]
) -> None:
    """Refuse intervals of what has none."""
    from glove_cli.errors import OptionError

    if own:
        raise OptionError(
            "--intervals: are for similarity sets, and the package's own questions are analogies. "
            "Add --similarity FILE."
        )
    for kind in ("analogies", "categories", "outliers"):
        if files[kind]:
            raise OptionError(f"--intervals: are for similarity sets, not for --{kind}. Leave one of them out.")
    if dummy4unknown:
        raise OptionError(
            "--intervals: an unknown word has none, so --dummy4unknown doesn't go with them. Leave it out."
        )
    if also and len(paths) > 1:
        raise OptionError("--also: is of one model, and there are several. Name one PATH.")
    if resamples < 100 and not also:
        raise OptionError(f"--resamples: {resamples} draws are too few for --intervals. Give 100 or more.")


def _check_models(chosen: list[Choice]) -> None:
    """Refuse vectors that aren't there, and steps that can't be done."""
    from glove_cli.cli.sources import check_source
    from glove_cli.vectors.process import parse_steps

    for choice in chosen:
        if choice.process != _PLAIN:
            parse_steps(str(choice.process))
        check_source(choice.path)


def _score(
    chosen: list[Choice],
    labels: list[str],
    files: dict[str, Any],
    rules: dict[str, Any],
    keep_answers: bool,
    progress_of: Any,
    notes: Any,
) -> tuple[list[Scores], list[dict[str, Any]]]:
    """Return the scores of each choice, and what its vectors are; the vectors of one choice at a time are in memory."""
    from glove_cli.evaluation import evaluate

    found: list[Scores] = []
    models: list[dict[str, Any]] = []
    plain: WordVectors | None = None
    before: tuple[Path, str] | None = None
    for choice, label in zip(chosen, labels, strict=True):
        if plain is None or before != choice[:2]:
            plain = None
            plain, before = _open(choice), choice[:2]
        source = _processed(plain, choice)
        with progress_of() as progress:

            def tell(stage: str, done: int, total: int | None, unit: str, *, label: str = label) -> None:
                progress(f"{stage} {label}", done, total, unit)

            scores = evaluate(source.matrix, source.words, **files, **rules, progress=tell)
        zeros = int((~source.matrix.any(axis=1)).sum())
        for note in notes(label, len(chosen) > 1, scores, source, zeros):
            say(f"Note: {note}")
        model: dict[str, Any] = {
            "label": label,
            "path": str(choice.path),
            "vectors": choice.vectors,
            "process": None if choice.process == _PLAIN else choice.process,
            "V": len(source),
            "dim": source.dim,
            "vectors_of_zeros": zeros,
        }
        if keep_answers and scores.analogies is not None:
            model["answers"] = [[source.words[row] if row >= 0 else "" for row in a] for a in scores.analogies.answers]
        found.append(scores)
        models.append(model)
    return found, models


def _open(choice: Choice) -> WordVectors:
    from glove_cli.cli.sources import open_vectors

    return open_vectors(choice.path, choice.path, choice.vectors, _PLAIN)


def _processed(vectors: WordVectors, choice: Choice) -> WordVectors:
    """Return vectors after the steps of a choice."""
    from glove_cli.vectors.process import process_vectors

    return vectors if choice.process == _PLAIN else process_vectors(vectors, str(choice.process))


def _labels(chosen: list[Choice]) -> list[str]:
    """Return a name for each choice: its path, and what else differs."""
    kinds = len({choice.vectors for choice in chosen}) > 1
    steps = len({choice.process for choice in chosen}) > 1
    one_path = len({choice.path for choice in chosen}) == 1 and (kinds or steps)
    labels = []
    for choice in chosen:
        parts = [] if one_path else [str(choice.path)]
        parts += [choice.vectors] if kinds else []
        parts += [str(choice.process)] if steps else []
        labels.append(" ".join(parts))
    return labels
