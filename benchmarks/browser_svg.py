"""Compare what the SVG reader reads with what Chromium draws: `python benchmarks/browser_svg.py [FOLDER]`.

Each of the files below, written here, is drawn by Chromium twice: as it is, and as `to_svg` writes the
strokes that were read. A file differs by the share of its ink that has no ink of the other picture within
2 px of 200. With a folder, the pictures of files that differ by more than 2 % go there.
"""

# ruff: noqa: E501 - markup is read best on few lines

from __future__ import annotations

import argparse
import base64
import io
import shutil
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import sync_playwright

from sketchgen.errors import FormatError
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import Style, to_svg
from sketchgen.sketch.sketch import Box

SIDE = 200
LIMIT = 0.02

SQUARE = '<rect x="30" y="30" width="40" height="40"/>'
LINES = '<path d="M0 50H100M50 0V100M0 0L100 100"/>'
HEAD = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
CLIP = '<clipPath id="c">{}</clipPath><g clip-path="url(#c)">' + LINES + "</g>"

BODIES = {
    "order of classes": "<style>.a{stroke:none}.b{stroke:black}</style>"
    '<circle class="b a" cx="50" cy="50" r="40"/><path class="a" d="M0 0L99 99"/>',
    "descendants and compounds": "<style>path{stroke:none}g.l path{stroke:black}path.x.y{display:none}</style>"
    '<g class="l"><path d="M5 5L90 90"/><path class="y x" d="M5 90L90 5"/></g><path d="M5 50H90"/>',
    "ids before classes": "<style>#a{stroke:black}.n{stroke:none}#h .n{display:none}</style>"
    '<rect id="a" class="n" x="9" y="9" width="30" height="30"/><g id="h"><path class="n" d="M0 0L9 90"/></g>',
    "children, siblings, attributes": "<style>g>path{stroke:none}rect+path{stroke:black}[d^=M9]{display:none}"
    '</style><g><path d="M0 0L99 9"/><rect x="40" y="40" width="9" height="9"/><path d="M5 60H95"/></g>'
    '<path d="M9 9V90"/>',
    "first child, not, is": "<style>path:first-child,path:not(.k),:is(.m,.n){stroke:none}</style>"
    '<g><path class="k" d="M0 0L99 9"/><path class="k" d="M5 60H95"/><path d="M0 9L9 99"/>'
    '<path class="k m" d="M9 0V90"/></g>',
    "media": "<style>@media print{.p{display:none}}@media screen{.s{display:none}}"
    '@media (prefers-color-scheme:dark){.d{display:none}}</style><path class="p" d="M5 20H90"/>'
    '<path class="s" d="M5 40H90"/><path class="d" d="M5 60H90"/>',
    "important": '<style>.i{stroke:black!important}.j{display:none}</style><path class="i" style="stroke:none" '
    'd="M5 20H90"/><path class="j" style="display:inline" d="M5 40H90"/>',
    "attributes are weakest": '<style>path{stroke:black}</style><path stroke="none" d="M5 20H90"/>'
    '<path style="stroke:none" stroke="black" d="M5 40H90"/>',
    "invalid values": '<g stroke="none"><path stroke="blakc" d="M5 20H90"/></g>'
    '<path style="stroke:1px;opacity:x" d="M5 40H90"/><path visibility="gone" d="M5 60H90"/>',
    "variables": "<style>:root{--ink:none}.v{stroke:var(--ink)}.w{stroke:var(--no, black)}</style>"
    '<path class="v" d="M5 20H90"/><path class="w" d="M5 40H90"/>',
    "keywords": '<g stroke="none"><path stroke="inherit" d="M5 20H90"/><path stroke="initial" d="M5 30H90"/>'
    '<path style="stroke:currentColor" d="M5 40H90"/></g><path style="stroke:unset" d="M5 60H90"/>',
    "comments and strings": "<style>/*.a{}*/.b/**/{stroke:none}/* .c{stroke:none} */ .d{font:'}';stroke:none}"
    '</style><path class="b" d="M5 20H90"/><path class="c" d="M5 40H90"/><path class="d" d="M5 60H90"/>',
    "opacities": '<path opacity="0" d="M5 10H90"/><path stroke-opacity="0%" d="M5 20H90"/>'
    '<path style="opacity:0.00" d="M5 30H90"/><g opacity="0"><path opacity="1" d="M5 40H90"/></g>'
    '<path stroke-width="0" d="M5 50H90"/><path stroke-width="0px" d="M5 60H90"/><path d="M5 70H90"/>',
    "alpha": '<path stroke="rgba(0,0,0,0)" d="M5 10H90"/><path stroke="#f000" d="M5 20H90"/>'
    '<path stroke="hsl(0 50% 50% / 0%)" d="M5 30H90"/><path stroke="transparent" d="M5 40H90"/>'
    '<path stroke="rgb(0 0 0 / 1)" d="M5 70H90"/>',
    "paint servers": '<linearGradient id="g" gradientUnits="userSpaceOnUse"><stop stop-color="#333"/>'
    '</linearGradient><path stroke="url(#g)" d="M5 10L90 20"/><path stroke="url(#no)" d="M5 30H90"/>'
    '<path stroke="url(#no) black" d="M5 50H90"/><path style="stroke:url(\'#g\')" d="M5 60L90 70"/>',
    "visibility": '<g visibility="hidden"><path d="M5 10H90"/><path visibility="visible" d="M5 20H90"/></g>'
    '<g display="none"><path display="inline" d="M5 30H90"/></g><path visibility="collapse" d="M5 40H90"/>',
    "dots": '<path d="M20 20h0"/><g stroke-width="2"><path stroke-linecap="round" d="M50 50z"/>'
    '<path stroke-linecap="square" d="M80 50h0"/></g><path d="M5 90H90"/>',
    "off the page": '<path d="M200 0V90"/><path d="M-9 50H50"/><rect x="-50" y="-50" width="20" height="20"/>',
    "transforms of CSS": '<g style="transform:translate(50px,50px) rotate(45deg)"><rect x="-20" y="-20" '
    'width="40" height="40"/></g><style>.t{transform:translateX(30px)}</style><path class="t" d="M5 5v90"/>',
    "transforms that are invalid": '<path style="transform:translate(20,20)" d="M5 20H50"/>'
    '<path transform="rotate(20deg)" d="M5 40H50"/><path transform="rotate(" d="M5 60H50"/>'
    '<path style="transform:none" transform="rotate(30)" d="M5 80H50"/>',
    "units of angles": '<path style="transform:rotate(.1turn)" d="M5 0H90"/>'
    '<path style="transform:rotate(1rad) scale(50%)" d="M5 0H90"/><path style="transform:skewX(30deg)" d="M5 5V90"/>',
    "transforms of attributes": '<path transform="rotate(45-50,50)scale(.5.6)" d="M0 0H90V90"/>'
    '<path transform="matrix(1 0 .5 1 10 10) skewY(10)" d="M5 5V60H50"/>',
    "transform-origin": f'<g transform="rotate(30)" transform-origin="50 50">{SQUARE}</g>'
    '<g style="transform:rotate(20deg);transform-origin:center"><path d="M20 10H80"/></g>'
    '<g style="transform:scale(.5);transform-origin:right 20px"><path d="M20 90H80"/></g>',
    "transform-box": '<rect x="10" y="10" width="40" height="20" style="transform-box:fill-box;transform-origin:center;'
    'transform:rotate(40deg)"/><g transform="translate(40 40)" ><path d="M10 10h30v10" style="transform-box:'
    'fill-box;transform:translateX(50%)"/></g>',
    "rotate, scale, translate": f'<g style="rotate:20deg;translate:10px 5px;scale:.8">{SQUARE}</g>',
    "percentages of transforms": '<path style="transform:translate(50%,10%)" d="M0 0H40V20"/>',
    "nested svg": f'<svg x="10" y="20" width="50" height="30" viewBox="0 0 100 100">{LINES}{SQUARE}</svg>',
    "nested svg, slice": '<svg width="80" height="40" viewBox="0 0 100 100" preserveAspectRatio="xMinYMax slice">'
    f"{LINES}{SQUARE}</svg>",
    "nested svg, none, visible": '<svg x="20" width="40" height="80" viewBox="10 10 50 50" overflow="visible" '
    f'preserveAspectRatio="none">{SQUARE}</svg>',
    "symbols": f'<symbol id="s" viewBox="0 0 100 100">{SQUARE}{LINES}</symbol><use href="#s" width="40" height="40"/>'
    '<use xlink:href="#s" x="50" y="50" width="30" height="40"/>',
    "uses": f'<defs><g id="a" stroke="none">{SQUARE}<path stroke="black" d="M5 5H90"/></g><path id="p" d="M0 0L30 9"/>'
    '</defs><use href="#a" stroke="black"/><use href="#p" x="20" y="50" transform="rotate(9)"/><use href="#no"/>',
    "use of an svg": f'<defs><svg id="n" width="90" height="90" viewBox="0 0 100 100">{SQUARE}</svg></defs>'
    '<use href="#n" x="5" y="5" width="50" height="50"/>',
    "style of a use": '<style>.k .q{stroke:none}use{stroke:black}</style><defs><path id="p" class="q" d="M5 5H90"/>'
    '<g class="k"><path id="r" class="q" d="M5 50H90"/></g></defs><use href="#p"/><use href="#r"/>',
    "switch": '<switch><path systemLanguage="xx" d="M5 10H90"/><path systemLanguage="de, en-US" d="M5 30H90"/>'
    '<path d="M5 50H90"/></switch><path requiredExtensions="http://x.org/" d="M5 70H90"/>'
    '<switch><foreignObject requiredExtensions="http://x.org/"/><g><path d="M5 90H90"/></g></switch>',
    "clip": CLIP.format('<rect x="20" y="20" width="60" height="60"/>'),
    "clip, circle": CLIP.format('<circle cx="50" cy="50" r="30"/>'),
    "clip, two shapes": CLIP.format(
        '<circle cx="30" cy="50" r="20"/><rect x="60" y="10" width="30" height="80"/>'
    ),
    "clip, even-odd": CLIP.format('<path clip-rule="evenodd" d="M10 10H90V90H10zM30 30H70V70H30z"/>'),
    "clip, hidden, transformed": CLIP.format(
        '<rect display="none" width="100" height="100"/><rect transform="rotate(45)" x="40" y="-20" width="60" '
        'height="40"/>'
    ),
    "clip, empty": CLIP.format("") + '<path d="M5 90H90"/>',
    "clip, use, moved": '<defs><circle id="r" cx="0" cy="0" r="30"/></defs>'
    + CLIP.format('<use href="#r" x="50" y="40"/>'),
    "clip, bounds": '<clipPath id="c" clipPathUnits="objectBoundingBox"><rect x="0" y="0" width=".5" height=".5"/>'
    '</clipPath><g clip-path="url(#c)" transform="rotate(10)"><path d="M20 20H80V80H20zL80 80"/></g>',
    "clip of a clip": '<clipPath id="d"><rect width="50" height="100"/></clipPath>'
    '<clipPath id="c" clip-path="url(#d)"><circle cx="50" cy="50" r="40"/></clipPath>'
    f'<g style="clip-path:url(#c)">{LINES}</g>',
    "clip that is not there": f'<g clip-path="url(#no)">{LINES}</g>',
    "clip by shapes of CSS": f'<g style="clip-path:circle(30px at 60px 40%)">{LINES}</g>'
    f'<g style="clip-path:inset(10% 20px round 8px)" transform="rotate(9)">{LINES}</g>',
    "clip by a polygon": f'<g style="clip-path:polygon(evenodd,0 0,100% 50%,0 100%,30px 50%)">{LINES}{SQUARE}</g>',
    "clip by an ellipse, a path": f'<g style="clip-path:ellipse(20px closest-side at 40% 50%)">{LINES}</g>'
    f"""<g style="clip-path:path('M9 9H90L50 90z')">{SQUARE}{LINES}</g>""",
    "backgrounds": '<path fill="#fff" stroke="none" d="M0 0h100v100H0z"/><circle stroke="none" fill="#fff" cx="50" '
    f'cy="50" r="99"/>{SQUARE}',
    "error in a path": '<path d="M10 10L90 10 90 90 L 40 foo 10 10"/><path d="M10 50 h20 30 v"/><path d="L5 5 9 9"/>',
    "error in other shapes": '<polyline points="5,5 60,9 x 9"/><circle r="x" cx="50" cy="50"/><rect x="z" y="30" '
    'width="40" height="20"/><rect width="-5" height="5"/>',
    "flags of arcs": '<path d="M10 50a20 20 0 01 40 0 20,20,0,1150 0"/><path d="M10 80A5 9 30 0 0 90 80"/>',
    "arcs": '<path d="M30 30A0 5 0 0 1 60 30M20 60a30 10 45 1 0 30 10A0 5 0 0 0 80 90"/>',
    "smooth curves": '<path d="M5 50C5 20 30 20 30 50S60 80 60 50s20-30 30 0"/><path d="M5 80Q20 50 40 80T70 80t20 0"/>'
    '<path d="M5 20S30 0 50 20M50 20T90 20"/>',
    "closing": '<path d="M10 10h30v30zl30 50z m40 0 h20 v20 z"/>',
    "numbers": '<path d="M1e1.5e1L90-5.5e-1.5.5+3"/><polygon points="10 90 90 90 80,60 5"/>',
    "lengths": '<line x1="1mm" y1="10%" x2="50%" y2="1in"/><rect x="1pc" y="20pt" width="1cm" height="2em" rx="20%"/>'
    '<circle cx="50%" cy="50%" r="10%"/><ellipse cx="70" cy="70" rx="9"/>',
    "geometry of CSS": '<style>circle{r:20px;cx:40px}rect{width:50px;height:20px;x:9px}path{d:path("M5 80H90")}</style>'
    '<circle cy="50"/><rect y="2"/><path d="M0 0L5 5"/>',
    "rounded rects": '<rect x="5" y="5" width="50" height="30" rx="9"/><rect x="40" y="40" width="50" height="50" rx="5" '
    'ry="60"/>',
    "namespaces": '<g xmlns:x="http://x.org/"><x:path d="M0 0L90 90"/></g><path d="M5 50H90"/>',
    "fills without an area": '<g fill="black" stroke="none"><path d="M5 5L90 90"/><line x1="5" x2="90" y1="9" y2="50"/>'
    '</g><path d="M5 50H90"/>',
    "all in a link": f'<a href="http://x.org/">{SQUARE}</a><defs><path d="M0 0L9 99"/></defs>',
}
FILES = {
    name: f'<svg {HEAD} viewBox="0 0 100 100" fill="none" stroke="black">{body}</svg>'
    for name, body in BODIES.items()
} | {
    "a box that is not square": f'<svg {HEAD} viewBox="-10 -20 120 60" fill="none" stroke="black">{LINES}{SQUARE}</svg>',
    "a size in mm": f'<svg {HEAD} width="30mm" height="1in" fill="none" stroke="black">{LINES}{SQUARE}</svg>',
    "entities of Illustrator": '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/'
    'svg11.dtd" [<!ENTITY ns_svg "http://www.w3.org/2000/svg"><!ENTITY ns_ai "http://ns.adobe.com/AI/10.0/">]>'
    f'<svg xmlns="&ns_svg;" xmlns:i="&ns_ai;" viewBox="0 0 100 100" fill="none" stroke="black">{SQUARE}</svg>',
    "attributes of KanjiVG": '<!DOCTYPE svg [<!ATTLIST g xmlns:kvg CDATA #FIXED "http://kanjivg.tagaini.net" '
    f'kvg:element CDATA #IMPLIED>]><svg {HEAD} viewBox="0 0 100 100" fill="none" stroke="black">'
    f'<g kvg:element="x">{SQUARE}</g></svg>',
}


def drawings() -> dict[str, tuple[bytes, bytes]]:
    """Return each file, and what is read of it, written anew."""
    found = {}
    for name, text in FILES.items():
        try:
            sketch = parse_svg(text)
        except FormatError as error:
            print(f"{name}: {error}")
            sketch = parse_svg("<svg/>")
        page = sketch.page or Box(0, 0, 100, 100)
        # As the files are: lines of width 1, also where a page is measured.
        style = Style(given_colour="black", smooth="off", stroke_width=1.0)
        found[name] = text.encode(), to_svg(sketch.replaced(page=page), style).encode()
    return found


def masks(files: list[bytes]) -> list[Image.Image]:
    """Return where Chromium puts ink, white on black, for each file."""
    images = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIDE, "height": SIDE}, locale="en-US")
        for data in files:
            url = "data:image/svg+xml;base64," + base64.b64encode(data).decode()
            how = f"width:{SIDE}px;height:{SIDE}px;object-fit:contain"
            page.set_content(f'<body style="margin:0"><img style="{how}" src="{url}">')
            page.evaluate("document.images[0].decode().catch(() => 0)")
            shot = Image.open(io.BytesIO(page.screenshot())).convert("L")
            images.append(shot.point(lambda tone: 255 * (tone < 200)))
        browser.close()
    return images


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the share of ink that has no ink of the other picture within 2 px."""
    shares = []
    for a, b in ((one, other), (other, one)):
        far = ImageChops.subtract(a, b.filter(ImageFilter.MaxFilter(5)))
        ink = int((np.asarray(a) > 0).sum())
        shares.append(int((np.asarray(far) > 0).sum()) / ink if ink else 0.0)
    return max(shares)


def main() -> None:
    """Print how much each file differs, and how many do."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where pictures of files that differ go")
    folder = parser.parse_args().folder
    warnings.simplefilter("ignore")
    pairs = drawings()
    shots = masks([data for pair in pairs.values() for data in pair])
    rows = {
        name: difference(*two)
        for name, two in zip(pairs, zip(shots[::2], shots[1::2], strict=True), strict=True)
    }
    for name, share in sorted(rows.items(), key=lambda row: -row[1]):
        print(f"{share:6.1%}  {name}")
    bad = [name for name, share in rows.items() if share > LIMIT]
    print(f"{len(bad)} of {len(rows)} files differ by more than {LIMIT:.0%}")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for index, name in enumerate(pairs):
            if name in bad:
                sheet = Image.new("L", (2 * SIDE, SIDE))
                for side in (0, 1):
                    sheet.paste(shots[2 * index + side], (side * SIDE, 0))
                sheet.save(folder / f"{name}.png")


if __name__ == "__main__":
    main()
