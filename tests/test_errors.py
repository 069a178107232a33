"""A package of an extra that is not installed is named in one line, with the command that installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sketchgen.errors import EXTRAS, FormatError, missing_dependency


def run_without(package: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that cannot import a package."""
    hidden = f"import sys; sys.modules[{package!r}] = None\n"
    return subprocess.run([sys.executable, "-c", hidden + code], capture_output=True, text=True)


@pytest.mark.parametrize("package", sorted(EXTRAS))
def test_the_message_names_the_package_and_the_command(package: str) -> None:
    error = missing_dependency(ModuleNotFoundError(f"No module named '{package}.x'", name=f"{package}.x"))
    assert str(error) == (
        f"this needs {package}, which is not installed; run pip install 'sketchgen[{EXTRAS[package]}]'"
    )


def test_any_other_module_is_not_ours_to_explain() -> None:
    assert missing_dependency(ModuleNotFoundError("No module named 'json5'", name="json5")) is None


def test_the_library_and_the_command_line_say_it() -> None:
    library = run_without("torch", "import sketchgen\ntry: sketchgen.fit\nexcept ImportError as e: print(e)")
    assert "pip install 'sketchgen[train]'" in library.stdout
    command = "from sketchgen.cli import main\nsys.exit(main(['web']))"
    page = run_without("gradio", command)
    assert page.returncode == 1
    assert page.stderr.splitlines() == [
        "sketchgen: error: this needs gradio, which is not installed; run pip install 'sketchgen[web]'"
    ]


@pytest.mark.parametrize("text", ["a\nb", "a\r\0b", "a\u2028b", "a\x1b[2Jb", "\u202eb", "a\udc80b"])
def test_what_comes_from_outside_breaks_no_line(text: str) -> None:
    found = str(FormatError(f"version is {text}"))
    assert found.isprintable()
    assert len(found.splitlines()) == 1
    found.encode()


def test_letters_of_all_languages_stay() -> None:
    assert str(FormatError("«猫», ñ, 😀 \\n")) == "«猫», ñ, 😀 \\n"
