"""Scores as tables for people, and as tab-separated lines for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glove_cli.cli.tables import shown, table

_LONGEST_HEADING = 14
_NOTHING = "-"


def score_text(result: dict[str, Any]) -> str:
    """Return everything as text.

    Parameters
    ----------
    result : dict
        What `glove evaluate --json` prints.
    """
    models = result["models"]
    parts = [_heading(result)]
    if len(models) == 1:
        parts += _one(models[0])
    else:
        parts += _several(models, result["comparisons"])
    noisy = [(model, noise) for model in models for noise in model.get("noise", ())]
    if noisy:
        parts.append(_noise(noisy, len(models) > 1, result["settings"]["level"]))
    for kind in ("categories", "outliers"):
        for model in models:
            for score in model[kind]:
                parts.append(_other(kind, score, model["label"] if len(models) > 1 else ""))
    return "\n\n".join(parts)


def score_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield a tab-separated line for each score: model, kind, name, right, seen, of, score, low, high."""
    for model in result["models"]:
        for name, score in _analogy_rows(model):
            low, high = score["interval"] or ("", "")
            value = "" if score["accuracy"] is None else score["accuracy"]
            counts = [score.get(key, "") for key in ("right", "seen", "of")]
            yield "\t".join(map(str, (shown(model["label"]), "analogies", shown(name), *counts, value, low, high)))
        for score in model["similarity"]:
            low, high = score["interval"] or ("", "")
            value = "" if score["rho"] is None else score["rho"]
            fields = ("similarity", shown(score["name"]), "", score["pairs"], score["of"], value, low, high)
            yield "\t".join(map(str, (shown(model["label"]), *fields)))
        for noise in model.get("noise", ()):
            low, high = noise["interval"] or ("", "")
            value = "" if noise["rho"] is None else noise["rho"]
            fields = ("noise", shown(noise["name"]), "", noise["pairs"], noise["of"], value, low, high)
            yield "\t".join(map(str, (shown(model["label"]), *fields)))
        for kind in ("categories", "outliers"):
            for score in model[kind]:
                for key, value in score.items():
                    if isinstance(value, float):
                        name = f"{score.get('name', '')} {key}".strip()
                        yield "\t".join(map(str, (shown(model["label"]), kind, shown(name), "", "", "", value, "", "")))


def _heading(result: dict[str, Any]) -> str:
    rules = result["settings"]
    protocol = rules["protocol"]
    sizes = {"reference": None, "word2vec": 30_000, "gensim": 300_000}
    limit = sizes[protocol] if rules["restrict"] is None else rules["restrict"]
    case = "words as written" if protocol == "reference" else "upper case"
    lines = [f"{protocol} protocol: {case}, {'all words' if limit is None else f'the first {limit:,} words'}"]
    if rules["dummy4unknown"]:
        lines[0] += ", unknown words counted"
    for number, model in enumerate(result["models"], 1):
        start = f"{number}  " if len(result["models"]) > 1 else ""
        changes = [model["vectors"]] * (model["vectors"] != "sum") + [model["process"]] * bool(model["process"])
        told = f" ({', '.join(changes)})" if changes else ""
        lines.append(f"{start}{shown(model['path'])}{told}: {model['V']:,} words, {model['dim']} dimensions")
    return "\n".join(lines)


def _analogy_rows(model: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the lines of a table of analogies: sections, then sums."""
    score = model["analogies"]
    if score is None:
        return []
    total = score["total"]
    of_all = {**total, "accuracy": total["accuracy_of_all"], "interval": total["interval_of_all"], "seen": total["of"]}
    sums = [("semantic", score["semantic"]), ("syntactic", score["syntactic"]), ("mean of sections", score["macro"])]
    sections = [(section["name"], section) for section in score["sections"]]
    return [*sections, *sums, ("total", total), ("total, unknown wrong", of_all)]


def _one(model: dict[str, Any]) -> list[str]:
    """Return the tables of a single model."""
    parts = []
    rows = _analogy_rows(model)
    if rows:
        lines = []
        for name, score in rows:
            counts = [f"{score[key]:,}" if key in score else "" for key in ("right", "seen", "of")]
            lines.append((shown(name), *counts, _percent(score["accuracy"]), _range(score["interval"], 100, 1)))
        parts.append(table(("section", "right", "seen", "of", "accuracy", "95 %"), lines))
    if model["similarity"]:
        lines = [
            (shown(s["name"]), f"{s['pairs']:,}", f"{s['of']:,}", _rho(s["rho"]), _range(s["interval"], 1, 3))
            for s in model["similarity"]
        ]
        parts.append(table(("similarity", "seen", "of", "rho", "95 %"), lines))
    return parts


def _several(models: list[dict[str, Any]], comparisons: list[dict[str, Any]]) -> list[str]:
    """Return the tables of several models, a column each, and the tests."""
    headings = [shown(model["label"]) for model in models]
    if max(map(len, headings)) > _LONGEST_HEADING:
        headings = [str(number) for number in range(1, len(models) + 1)]
    parts = []
    of_models = [_analogy_rows(model) for model in models]
    lines: list[tuple[str, ...]]
    if of_models[0]:
        lines = []
        for same in zip(*of_models, strict=True):
            scores = [score for _, score in same]
            of = f"{scores[0]['of']:,}" if "of" in scores[0] else ""
            lines.append((shown(same[0][0]), of, *(_percent(score["accuracy"]) for score in scores)))
        seen = [f"{model['analogies']['total']['seen']:,}" for model in models]
        lines.append(("questions seen", f"{models[0]['analogies']['total']['of']:,}", *seen))
        parts.append(table(("section", "of", *headings), lines))
    if models[0]["similarity"]:
        lines = []
        for each in zip(*(model["similarity"] for model in models), strict=True):
            pairs = sorted({score["pairs"] for score in each})
            told = f"{pairs[0]:,}" if len(pairs) == 1 else f"{pairs[0]:,} to {pairs[-1]:,}"
            lines.append((shown(each[0]["name"]), told, f"{each[0]['of']:,}", *(_rho(s["rho"]) for s in each)))
        parts.append(table(("similarity", "seen", "of", *headings), lines))
    lines = []
    for number, found in enumerate(comparisons, 1):
        rows = []
        if found["analogies"] is not None:
            kinds = ("semantic", "syntactic", "total")
            rows = [(kind, found["analogies"][kind], 100, 1) for kind in kinds if found["analogies"][kind]]
        rows += [(score["name"], score, 1, 3) for score in found["similarity"]]
        for name, test, scale, digits in rows:
            change = _NOTHING if test["difference"] is None else f"{scale * test['difference']:+.{digits}f}"
            limits = _range(test["interval"], scale, digits, sign=True)
            lines.append((headings[number], shown(name), f"{test['n']:,}", change, limits, _p(test["p"])))
    if lines:
        header = (f"against {headings[0]}", "on", "both saw", "difference", "95 %", "p")
        parts.append(table(header, lines))
    return parts


def _noise(noisy: list[tuple[dict[str, Any], dict[str, Any]]], several: bool, level: float) -> str:
    """Return how much of each rho is noise of the vectors."""
    lines = []
    for model, noise in noisy:
        name = f"{shown(noise['name'])} {shown(model['label'])}" if several else shown(noise["name"])
        error = _NOTHING if noise["error"] is None else f"{noise['error']:.4f}"
        limits = _range(noise["interval"], 1, 3)
        lines.append((name, f"{noise['pairs']:,}", f"{noise['of']:,}", _rho(noise["rho"]), error, limits))
    return table(("noise of the vectors", "counted", "of", "rho", "error", f"{100 * level:g} %"), lines)


def _other(kind: str, score: dict[str, Any], label: str) -> str:
    """Return a score of another kind: its numbers, one a line."""
    title = " ".join(filter(None, (kind, shown(str(score.get("name", ""))), shown(label))))
    rows = [
        (
            key.replace("_", " "),
            _NOTHING if value is None else f"{value:.3f}" if isinstance(value, float) else str(value),
        )
        for key, value in score.items()
        if key != "name" and isinstance(value, (int, float, type(None)))
    ]
    return table((title, ""), rows)


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{100 * share:.1f} %"


def _rho(rho: float | None) -> str:
    return _NOTHING if rho is None else f"{rho:.3f}"


def _range(interval: list[float] | None, scale: int, digits: int, *, sign: bool = False) -> str:
    if interval is None:
        return _NOTHING
    plus = "+" if sign else ""
    low, high = (f"{scale * limit:{plus}.{digits}f}" for limit in interval)
    return f"{low} to {high}"


def _p(p: float | None) -> str:
    if p is None:
        return _NOTHING
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"
