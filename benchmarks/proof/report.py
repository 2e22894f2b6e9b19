"""A result as JSON and as Markdown."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from proof.store import write_json


def write(result: dict[str, Any], parts: dict[str, ModuleType], out: Path) -> tuple[Path, Path]:
    """Write `DATE-CORPUS.json` and `.md` into a folder, and return both paths."""
    out.mkdir(parents=True, exist_ok=True)
    stem = f"{result['date']}-{Path(result['corpus']['name']).stem}"
    data, text = out / f"{stem}.json", out / f"{stem}.md"
    write_json(data, result)
    pictures = []
    for name, part in result["parts"].items():
        if hasattr(parts[name], "draw") and "result" in part:
            pictures += parts[name].draw(part["result"], out / stem)
    seen = "".join(f"\n![{path.stem}]({path.name})\n" for path in pictures)
    text.write_text(markdown(result, parts) + seen, encoding="utf-8")
    return data, text


def markdown(result: dict[str, Any], parts: dict[str, ModuleType]) -> str:
    """Return a result as Markdown."""
    corpus = result["corpus"]
    lines = [f"# {corpus['name']}, {result['date']}", "", *_facts(result), ""]
    if result["failed"]:
        lines += ["**Failed checks:**", "", *(f"- {text}" for text in result["failed"]), ""]
    for name, part in result["parts"].items():
        lines += [f"## {name}", ""]
        if "load" in part:
            loads = " to ".join(f"{load:.1f}" for load in part["load"])
            lines += [f"Load as its steps began: {loads} (no more than threads work here when nothing else runs).", ""]
        if "error" in part:
            lines += ["**Not finished:**", "", "```", part["error"], "```", ""]
            continue
        lines += [table.markdown() for table in parts[name].tables(part["result"])]
    return "\n".join(lines).rstrip() + "\n"


def _facts(result: dict[str, Any]) -> list[str]:
    machine, corpus = result["machine"], result["corpus"]
    caches = ", ".join(f"L{c['level']} {c['kind'].lower()} {c['bytes'] >> 10:,} KiB" for c in machine["caches"])
    lines = [
        f"- machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB, "
        f"{machine['system']}",
        f"- caches: {caches or 'unknown'}; vectors: {', '.join(machine['vector_flags']) or 'unknown'}",
        "- versions: " + ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        f"- commit: {result['commit']['commit']} (program: {result['commit']['program']})",
        f"- corpus: {corpus['name']}, {corpus['bytes']:,} bytes, sha256 {corpus['sha256'][:16]}",
        f"- command: `{result['command']}`" + (", everything kept small" if result["options"]["quick"] else ""),
    ]
    for name, competitor in result["competitors"].items():
        if competitor["present"]:
            lines.append(f"- {name}: {competitor['version']}")
        else:
            lines.append(f"- {name}: absent ({competitor['why']}). To get it: {competitor['how']}.")
    return lines
