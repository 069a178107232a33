"""The folder of the page without a server: what is in it, and that it is whole."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from sketchgen.cli import main
from sketchgen.completion.completer import load
from sketchgen.errors import CheckpointError, OutputError, SettingError
from sketchgen.web import static


def weights(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "page"
    size = static.write_page(load("tiny"), folder, weights)
    assert size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return folder


def kept(page: Path) -> dict[str, str]:
    """The files that the service worker keeps."""
    found = re.search(r"FILES = (\{.*?\});", (page / static.WORKER).read_text(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_every_file_but_the_worker_itself_is_kept_under_its_checksum(page: Path) -> None:
    files = {path.relative_to(page).as_posix(): path for path in page.rglob("*") if path.is_file()}
    del files[static.WORKER]
    assert kept(page) == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert {"index.html", "app.js", "worker.js", "model/model.bin", "LICENSE", "credits.txt"} <= set(files)
    assert {"engine/engine.d.ts", "engine/examples/canvas.html"} <= set(files)


def test_the_same_model_makes_the_same_folder(page: Path, tmp_path: Path) -> None:
    static.write_page(load("tiny"), tmp_path / "again", weights)
    assert kept(tmp_path / "again") == kept(page)


def test_all_addresses_are_relative_and_those_of_files_that_are_there(page: Path) -> None:
    html = (page / "index.html").read_text()
    manifest = json.loads((page / "manifest.webmanifest").read_text())
    found = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)"', html)
    found += [icon["src"] for icon in manifest["icons"]]
    assert len(found) > 5
    for name in found:
        assert (page / name).is_file(), name
        assert not name.startswith("/")
    assert manifest["start_url"] == manifest["scope"] == "./"
    for name in static.ICONS:
        side = static.ICONS[name]
        assert Image.open(io.BytesIO((page / name).read_bytes())).size == (side, side)


def test_who_made_the_drawings_is_told(page: Path) -> None:
    told = (page / "credits.txt").read_text()
    assert "Quick, Draw!" in told
    assert "CC BY 4.0" in told
    assert (page / "LICENSE").read_text().strip().startswith("Apache License")


def test_another_folder_is_not_replaced(page: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(OutputError, match="choose another folder"):
            static.write_page(load("tiny"), mine, lambda target: None, force=force)
    with pytest.raises(OutputError, match="exists"):
        static.write_page(load("tiny"), page, lambda target: None)
    assert (page / "model" / "model.bin").is_file()


def test_the_page_is_served_and_browsers_ask_for_changes(
    page: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def answer(self: static.http.server.ThreadingHTTPServer) -> None:
        host, port = self.server_address[:2]
        thread = threading.Thread(target=self.handle_request)
        thread.start()
        with urllib.request.urlopen(f"http://{host}:{port}/manifest.webmanifest", timeout=20) as got:
            found.append((got.headers["content-type"], got.headers["cache-control"], got.read()))
        thread.join()

    monkeypatch.setattr(static.http.server.ThreadingHTTPServer, "serve_forever", answer)
    static.serve(page, port=0)
    assert found == [("application/manifest+json", "no-cache", (page / "manifest.webmanifest").read_bytes())]
    assert "draws at http://127.0.0.1:" in capsys.readouterr().out


def test_what_is_no_page_is_taken_for_a_checkpoint(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Path] = []
    with monkeypatch.context() as patch:
        patch.setattr(static, "serve", lambda folder, **how: served.append(folder))
        static.launch_static(str(page))
        assert served == [page]
        with pytest.raises(CheckpointError):
            static.launch_static(str(tmp_path))
    with pytest.raises(SettingError, match="port"):
        static.serve(page, port=70_000)


def test_a_page_with_a_small_model_is_small_and_names_its_sources(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "page"
    assert main(["export", "web", "tiny", "-o", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 12e6
    assert {"model/model.json", "model/model.bin", "engine/engine.js"} <= set(kept(folder))
    # Of both models, by which other ones they were taught.
    told = (folder / "credits.txt").read_text()
    assert "--teacher quickdraw345" in told
    assert "sampled from the Sketch-RNN decoders that Google published" in told
