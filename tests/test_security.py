"""What runs code, or could be made to, isn't used: pickles, eval, unsafe loads, shells, guessed temporary names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "glove_cli"
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "pickle.load", "pickle.loads", "marshal.load", "marshal.loads",
    "shelve.open", "os.system", "os.popen", "tempfile.mktemp", "yaml.load", "dill.load", "joblib.load", "torch.load",
}  # fmt: skip
UNSAFE_UNLESS_SAID = ("np.load", "np.lib.format.read_array")
UNPICKLER = "vectors/gensim_pickle.py"  # looks up a short list of stand-ins, and refuses everything else


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(PACKAGE).as_posix(), ast.unparse(node.func), node


def said(call: ast.Call, name: str) -> object:
    return next((ast.literal_eval(given.value) for given in call.keywords if given.arg == name), None)


def test_nothing_that_runs_code_is_called() -> None:
    assert [(file, name) for file, name, _ in calls() if name in FORBIDDEN] == []


def test_arrays_are_loaded_without_pickles() -> None:
    loads = [(file, call) for file, name, call in calls() if name in UNSAFE_UNLESS_SAID]
    assert len(loads) >= 4
    assert [file for file, call in loads if said(call, "allow_pickle") is not False] == []


def test_no_shell_is_started() -> None:
    assert [file for file, name, call in calls() if name.startswith("subprocess.") or said(call, "shell")] == []


def test_only_one_file_knows_pickles() -> None:
    imports = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "import pickle" in path.read_text(encoding="utf-8")
    ]
    assert imports == [UNPICKLER]


def test_the_unpickler_finds_no_class_by_itself() -> None:
    tree = ast.parse((PACKAGE / UNPICKLER).read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    unpicklers = [node for node in classes if any("Unpickler" in ast.unparse(base) for base in node.bases)]
    assert [node.name for node in unpicklers] == ["_Unpickler"]
    finds = [node for node in unpicklers[0].body if isinstance(node, ast.FunctionDef) and node.name == "find_class"]
    assert "super" not in ast.unparse(finds[0])
