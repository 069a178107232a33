"""Laws about the house itself: sizes, docstrings, and what may not be imported on the way."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import grimp

from sketchgen import resources

PACKAGE = Path(__file__).resolve().parents[1] / "sketchgen"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_bundle" not in path.parts)
Def = ast.FunctionDef | ast.AsyncFunctionDef

MODULE_LINES = 460
FUNCTION_LINES = 40
FUNCTION_LINES_MOST = 80
FUNCTION_SHARE = 0.95

HEAVY = ("torch", "lightning", "gradio", "matplotlib", "pandas")
TENSORS = (
    "completion.rollout",
    "data.batching",
    "models.classifier",
    "models.encoder",
    "models.layers",
    "models.mixture",
    "models.picture_classifier",
    "models.scan",
    "models.stroke_model",
)
"""The modules of the packages below that may import torch: what is learned with."""


class Function(NamedTuple):
    """A function and where it stands."""

    name: str
    lines: int


def dotted(path: Path) -> str:
    """The name under which a module is imported, without the package's own."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(source: str, where: str) -> list[Function]:
    """All functions of a source with their lengths, from `def` to the last line."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, Def)]
    return [
        Function(f"{where}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1) for node in nodes
    ]


def too_long(found: list[Function]) -> list[Function]:
    """The functions that break the law: those over the most, and those beyond the share that may be long."""
    by_length = sorted(found, key=lambda function: -function.lines)
    allowed = int(len(found) * (1 - FUNCTION_SHARE))
    over = [function for function in by_length if function.lines > FUNCTION_LINES]
    return [
        function for k, function in enumerate(over) if k >= allowed or function.lines > FUNCTION_LINES_MOST
    ]


def undocumented(source: str, where: str) -> Iterator[str]:
    """Public modules, classes, functions and methods without a docstring; nested functions need none."""
    tree = ast.parse(source)
    if not ast.get_docstring(tree):
        yield f"{where}: the module"
    queue: list[tuple[str, ast.AST]] = [(where, node) for node in tree.body]
    while queue:
        prefix, node = queue.pop()
        if not isinstance(node, Def | ast.ClassDef) or node.name.startswith("_"):
            continue
        decorators = {ast.unparse(item).split("(")[0] for item in node.decorator_list}
        silent = any(item.endswith((".setter", "overload", "override")) for item in decorators)
        if not ast.get_docstring(node) and not silent:
            yield f"{prefix}.{node.name}"
        if isinstance(node, ast.ClassDef):
            queue += [(f"{prefix}.{node.name}", child) for child in node.body]


def circle(imports: Mapping[str, Set[str]]) -> list[str]:
    """A circle of imports, its first module again at its end; empty if there is none."""
    try:
        tuple(TopologicalSorter(imports).static_order())
    except CycleError as error:
        return error.args[1]
    return []


def loaded(*modules: str) -> set[str]:
    """The top-level packages in memory after a fresh Python has imported `modules`."""
    code = f"""
import importlib, json, sys
for name in {modules!r}:
    importlib.import_module(name)
print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))
"""
    root = Path(resources.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_module_is_one_sitting() -> None:
    lines = {dotted(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MODULE_LINES} == {}, "split these"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("sketchgen", exclude_type_checking_imports=True)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert circle(imports) == []


def test_the_law_of_circles_can_fail() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_functions_are_short() -> None:
    found = [item for path in MODULES for item in functions(path.read_text(encoding="utf-8"), dotted(path))]
    assert found
    assert too_long(found) == []


def test_the_law_of_short_functions_can_fail() -> None:
    def body(name: str, lines: int) -> str:
        return f"def {name}():\n" + "    x = 1\n" * (lines - 1)

    def judged(*lines: int) -> list[int]:
        source = "".join(body(f"f{k}", count) for k, count in enumerate(lines))
        return [function.lines for function in too_long(functions(source, "m"))]

    assert judged(*[40] * 20) == []
    assert judged(*[40] * 19, 80) == []
    assert judged(*[40] * 19, 81) == [81]
    assert judged(*[40] * 18, 41, 42) == [41]


def test_every_public_name_has_a_docstring() -> None:
    found = (undocumented(path.read_text(encoding="utf-8"), dotted(path)) for path in MODULES)
    assert [name for names in found for name in names] == []


def test_the_law_of_docstrings_can_fail() -> None:
    source = (
        "class A:\n    '''A.'''\n    def b(self): pass\n    def _c(self): pass\ndef d():\n    def e(): pass\n"
    )
    assert sorted(undocumented(source, "m")) == ["m.A.b", "m.d", "m: the module"]


def test_the_package_itself_is_light() -> None:
    assert loaded("sketchgen", "sketchgen.formats.svg_writer").isdisjoint(HEAVY)


def test_drawings_data_and_drawing_from_a_model_need_no_torch() -> None:
    packages = ("sketch", "formats", "data", "models", "completion", "ranking")
    names = [dotted(path) for path in MODULES if dotted(path).split(".")[0] in packages]
    assert names
    assert loaded(*(f"sketchgen.{name}" for name in names if name not in TENSORS)).isdisjoint(HEAVY)


def test_the_command_line_is_light() -> None:
    assert loaded("sketchgen.cli").isdisjoint((*HEAVY, "numpy", "rich"))


def test_the_pad_in_a_notebook_loads_neither_torch_nor_the_page_s_server() -> None:
    assert loaded("sketchgen.notebook").isdisjoint((*HEAVY, "starlette"))


def test_the_law_of_light_imports_can_fail() -> None:
    assert not loaded("pandas").isdisjoint(HEAVY)


def test_no_folder_beside_the_package_is_a_package() -> None:
    root = PACKAGE.parent
    assert [str(path) for name in resources.FOLDERS for path in (root / name).rglob("__init__.py")] == []
