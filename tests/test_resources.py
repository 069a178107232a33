"""Bundled files are found from a wheel and from a checkout, and never in somebody else's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sketchgen import resources
from sketchgen.errors import SketchgenError
from sketchgen.resources import ResourceError, bundled, bundled_checkpoints, categories


def put(path: Path, text: str = "x") -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package folder in a place of its own."""
    folder = tmp_path / "site" / "sketchgen"
    folder.mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", folder)
    return folder


def test_finds_what_is_shipped() -> None:
    assert bundled("datasets", "categories.txt").is_file()
    assert bundled("datasets/sample").is_dir()
    assert bundled("web").is_dir()


def test_the_wheel_comes_before_the_checkout(package: Path) -> None:
    put(package.parent / "pyproject.toml")
    beside = put(package.parent / "datasets" / "categories.txt")
    assert bundled("datasets", "categories.txt") == beside
    inside = put(package / "_bundle" / "datasets" / "categories.txt")
    assert bundled("datasets", "categories.txt") == inside


def test_a_folder_of_another_project_beside_the_package_is_not_ours(package: Path) -> None:
    put(package.parent / "datasets" / "categories.txt")
    with pytest.raises(ResourceError, match="missing from this installation; install sketchgen again"):
        bundled("datasets", "categories.txt")


@pytest.mark.parametrize(
    "parts",
    [
        (),
        ("",),
        ("sketchgen",),
        ("datasets", ".."),
        ("datasets/../pyproject.toml",),
        ("/etc/passwd",),
        ("web", "a\\b"),
    ],
)
def test_refuses_what_is_not_bundled(parts: tuple[str, ...]) -> None:
    with pytest.raises(ResourceError, match="the bundled folders are checkpoints, datasets, web"):
        bundled(*parts)


def test_a_missing_file_is_one_line_with_a_remedy() -> None:
    with pytest.raises(SketchgenError) as caught:
        bundled("datasets", "nothing.txt")
    assert str(caught.value).startswith("datasets/nothing.txt is missing")
    assert "\n" not in str(caught.value)


def test_checkpoints_are_listed_by_kind(package: Path) -> None:
    assert bundled_checkpoints() == []
    root = package / "_bundle" / "checkpoints"
    for name, text in (
        ("small", '{"format": "sketchgen-checkpoint"}'),
        ("large", '{"format": "sketchgen-checkpoint"}'),
        ("classifier", '{"format": "sketchgen-classifier"}'),
        ("broken", "{"),
        ("foreign", "[]"),
    ):
        put(root / name / "config.json", text)
    put(root / "README.md")
    assert bundled_checkpoints() == ["large", "small"]
    assert bundled_checkpoints("sketchgen-classifier") == ["classifier"]


def test_there_are_345_categories_sorted_and_unique() -> None:
    names = categories()
    assert len(names) == len(set(names)) == 345
    assert names == sorted(names)
    assert all(name == name.strip() != "" for name in names)
    assert {"cat", "pineapple", "The Mona Lisa", "car"} <= set(names)
