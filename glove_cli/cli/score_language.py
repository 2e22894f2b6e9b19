"""`glove evaluate --lm`: vectors scored by language models, as a table, lines or JSON, and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from glove_cli.cli.asking import tsv_line
from glove_cli.cli.terminal import check_stdout, say
from glove_cli.errors import OptionError
from glove_cli.language.config import LanguageConfig

if TYPE_CHECKING:
    from glove_cli.language.report import LanguageReport, LanguageScore
    from glove_cli.vectors.keyed import WordVectors

_OTHERS = (
    "analogies", "similarity", "categories", "outliers", "protocol", "restrict", "dummy4unknown", "resamples", "seed",
    "answers", "intervals", "also", "level", "cooc",
)  # fmt: skip
_CONFIG = ("orders", "shares", "seeds", "max_vocab", "context", "hidden", "direct", "epochs", "most_tokens")
_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def check_language(language: Mapping[str, Any], *, force: bool, two_forms: bool) -> None:
    """Refuse, before any vector is read, options that don't fit together, and what can't work.

    Parameters
    ----------
    language : mapping of str to object
        The values of `language_options`.
    force : bool
        Whether a picture that exists may be replaced.
    two_forms : bool
        Whether both --tsv and --json are given.

    Raises
    ------
    GloveError
    """
    given = _given()
    if language["lm"] is None:
        wrong = next((option for name, option in given.items() if name in language), None)
        if wrong is not None:
            raise OptionError(f"{wrong}: belongs to language models. Add --lm TRAIN.")
        return
    wrong = next((option for name, option in given.items() if name in _OTHERS), None)
    if wrong is not None:
        raise OptionError(f"{wrong}: can't be combined with --lm. Run glove evaluate twice.")
    if two_forms:
        raise OptionError("--tsv: can't be combined with --json. Choose one of them.")
    from glove_cli.language.network import require_torch
    from glove_cli.language.prepare import check_texts
    from glove_cli.parallel import thread_count
    from glove_cli.plots.figure import check_drawing

    check_stdout()
    config_of(language)
    thread_count(language["threads"])
    check_texts(lm=language["lm"], valid=language["valid"], test=language["test"])
    if language["lm_plot"] is not None:
        check_drawing(language["lm_plot"], force=force)
    require_torch("--lm")


def config_of(language: Mapping[str, Any]) -> LanguageConfig:
    """Return what the options say of the models.

    Parameters
    ----------
    language : mapping of str to object
    """
    return LanguageConfig(**{name: language[name] for name in _CONFIG})


def score_language(
    models: Mapping[str, WordVectors], language: Mapping[str, Any], *, force: bool, as_json: bool, as_tsv: bool
) -> None:
    """Score vectors and print it.

    Parameters
    ----------
    models : mapping of str to WordVectors
    language : mapping of str to object
        The values of `language_options`.
    force : bool
        Whether a picture that exists may be replaced.
    as_json, as_tsv : bool
        The form that is wanted; neither means tables.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.language.compare import evaluate_language

    with Progress() as progress, announced(progress.note):
        report = evaluate_language(
            models,
            language["lm"],
            valid=language["valid"],
            test=language["test"],
            lowercase=language["lowercase"],
            threads=language["threads"],
            progress=progress,
            note=progress.note,
            **asdict(config_of(language)),
        )
    if language["lm_plot"] is not None:
        from glove_cli.plots.language import draw_language

        draw_language(report, language["lm_plot"], force=force)
        say(f"Drew {language['lm_plot']}.")
    if as_json:
        click.echo(json.dumps(_as_object(report), indent=2))
    else:
        click.echo(_lines(report) if as_tsv else _text(report), nl=not as_tsv)


def _given() -> dict[str, str]:
    """Return the options that were typed, by the names of their parameters."""
    context = click.get_current_context()
    return {
        str(parameter.name): parameter.opts[-1]
        for parameter in context.command.params
        if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    }


def _as_object(report: LanguageReport) -> dict[str, Any]:
    scores = [
        {
            **asdict(score),
            "perplexity": score.perplexity,
            "interval": list(score.interval) if score.interval is not None else None,
        }
        for score in report.scores
    ]
    return {
        "settings": asdict(report.config),
        "V": report.V,
        "tokens": report.tokens,
        "cut": report.cut,
        "coverage": report.coverage,
        "known": report.known,
        "overlap": {name: None if value != value else value for name, value in report.overlap._asdict().items()},
        "scores": scores,
    }


def _lines(report: LanguageReport) -> bytes:
    """Return tab-separated lines."""
    lines = []
    for score in report.scores:
        low, high = score.interval if score.interval is not None else ("", "")
        fields = (
            score.kind,
            score.model or "",
            score.size,
            f"{score.share:g}",
            score.tokens[0],
            score.perplexity,
            low,
            high,
        )
        lines.append(tsv_line([f"{field:.3f}" if isinstance(field, float) else field for field in fields]))
    return b"".join(lines)


def _text(report: LanguageReport) -> str:
    """Return tables."""
    from glove_cli.cli.tables import amount, duration, shown, table

    texts = [
        (_NAMES[name], f"{report.tokens[name]:,}", f"{report.coverage[name]:.1%}")
        for name in ("train", "valid", "test")
    ]
    known = [f"{shown(name)}: knows {share:.1%} of the test text's words." for name, share in report.known.items()]
    rows: list[tuple[str, ...] | str] = []
    share = None
    for score in report.scores:
        if score.share != share:
            share = score.share
            tokens = amount(sum(score.tokens) / len(score.tokens), "token")
            rows.append(f"{'the whole training text' if share == 1 else f'{share:g} of it'}, {tokens}")
        interval = score.interval
        rows.append(
            (
                f"  {shown(title_of(score))}",
                f"{score.perplexity:.1f}",
                f"{interval.low:.1f} to {interval.high:.1f}" if interval is not None else "",
                _range(score.epochs),
                duration(sum(score.seconds) / len(score.seconds)),
            )
        )
    runs = len(report.config.seeds)
    return "\n".join(
        [
            table(("text", "tokens", "known words"), texts),
            f"{report.V:,} words, the end of a line, and <unk> for all others.",
            *known,
            f"Of the test text, {_percent(report.overlap.lines)} of the lines and {_percent(report.overlap.runs)} of "
            "the runs of 8 tokens stand in the training text.",
            "",
            "Perplexity of the test text"
            + (f"; the mean of {runs} seeds, its 95 % interval" if runs > 1 else "")
            + ", the best pass, and the time of a run.",
            "",
            table(("model", "perplexity", "interval", "pass", "time"), rows),
        ]
    )


def title_of(score: LanguageScore) -> str:
    """Return the name of a kind of model, with that of its vectors.

    Parameters
    ----------
    score : LanguageScore
    """
    if score.kind == "n-gram":
        return f"{score.size}-gram, Kneser-Ney"
    return f"{score.kind}, d={score.size}" if score.model is None else f"{score.model}, {score.kind}"


def _percent(share: float) -> str:
    return "none" if share != share else f"{share:.1%}"


def _range(epochs: tuple[int, ...]) -> str:
    if not epochs:
        return ""
    low, high = min(epochs), max(epochs)
    return str(low) if low == high else f"{low}-{high}"
