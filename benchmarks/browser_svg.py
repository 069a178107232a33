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
    "layers": '<style>@import url("x.css");@layer base,top;@layer top{.a{stroke:none}}@layer base{.a{stroke:black}}.c{stroke:none}@layer late{.c{stroke:black}}</style><path class="a" d="M5 10H90"/><path class="c" d="M5 30H90"/><path d="M5 60H90"/>',
    "layers and specificity": '<style>@layer l{#x{stroke:none}}.y{stroke:black}@layer l{.z{stroke:none!important}}.z{stroke:black!important}</style><path id="x" class="y" d="M5 10H90"/><path class="z" d="M5 30H90"/><path d="M5 60H90"/>',
    "nth of CSS": '<style>path:nth-child(2n+1){stroke:none}path:nth-of-type(2){stroke:none}path:nth-last-child(1){stroke:black}rect:only-of-type{stroke:none}path:nth-child(3 of .k){stroke:black}</style><path class="k" d="M5 10H90"/><path class="k" d="M5 20H90"/><path class="k" d="M5 30H90"/><path d="M5 40H90"/><path d="M5 50H90"/><rect x="5" y="60" width="9" height="9"/><path d="M5 80H90"/>',
    "not, where, has": '<style>:where(path){stroke:none}path:not(.a,.b){stroke:black}g:has(.k) path{stroke:none}#q:is(path){stroke:black}</style><path class="a" d="M5 10H90"/><path d="M5 20H90"/><g><path class="k" d="M5 30H90"/><path id="q" d="M5 40H90"/></g><g><path d="M5 60H90"/></g>',
    "nested rules": '<style><![CDATA[g{stroke:black;& .a{stroke:none}.b{display:none}&.h{opacity:0}}]]></style><g><path class="a" d="M5 10H90"/><path class="b" d="M5 20H90"/><path d="M5 30H90"/></g><g class="h"><path d="M5 50H90"/></g>',
    "case and namespace of selectors": '<style>@namespace svg url(http://www.w3.org/2000/svg);svg|path{stroke:none}PATH{stroke:black}*|rect{stroke:none}linearGradient,.A{stroke:none}.a{stroke:black}</style><path class="a" d="M5 10H90"/><path d="M5 20H90"/><rect x="5" y="60" width="9" height="9"/><circle class="A" cx="50" cy="50" r="9"/><path class="a" d="M5 90H90"/>',
    "attribute selectors": '<style>[class~=x],[id$="z" i],[stroke-width="2"],[d*="H80"],[data-l|=en]{stroke:none}</style><path class="w x" d="M5 10H90"/><path id="qZ" d="M5 20H90"/><path stroke-width="2" d="M5 30H90"/><path d="M5 40H80"/><path data-l="en-US" d="M5 50H90"/><path d="M5 70H90"/>',
    "html comment in style": '<style><![CDATA[<!-- .a{stroke:none} -->]]></style><style type="text/css" media="print">path{stroke:none}</style><style type="text/x">path{stroke:none}</style><style media="screen and (min-width:1px)">.b{stroke:none}</style><path class="a" d="M5 10H90"/><path class="b" d="M5 20H90"/><path d="M5 40H90"/>',
    "variables deep": '<style>svg{--a:var(--b);--b:none;--n:black}.x{stroke:var(--a)}.y{--b:black;stroke:var(--b)}.z{stroke:var(--u,var(--v,none))}.w{stroke:rgb(var(--r,0),0,0,var(--al,0))}.c{--k:var(--k);stroke:var(--k)}</style><path class="x" d="M5 8H90"/><path class="y" d="M5 20H90"/><path class="z" d="M5 32H90"/><path class="w" d="M5 44H90"/><path class="c" d="M5 56H90"/><path class="q" d="M5 68H90"/>',
    "em and rem": '<g font-size="4"><rect x="1em" y="1em" width="10em" height="5em"/><g font-size="150%"><circle cx="10em" cy="8em" r="2em"/><path d="M1 1H5" style="transform:translate(2em,9em)"/></g><rect x="2rem" y="5rem" width="1rem" height="1ex"/></g>',
    "font-size of style": '<style>svg{font-size:10px}.a{font-size:2em}.b{font:italic 5px/2 serif}.c{font-size:small}</style><g class="a"><rect x="1em" y="1em" width="2em" height="1em"/></g><g class="b"><rect x="1em" y="10em" width="5em" height="2em"/></g><g class="c"><line x1="1em" x2="5em" y1="7em" y2="7em"/></g><rect x="1rem" y="7rem" width="8rem" height="1em"/>',
    "dashes that hide": '<path stroke-dasharray="90" stroke-dashoffset="90" d="M5 10H95"/><path stroke-dasharray="0 200" d="M5 20H95"/><path pathLength="1" stroke-dasharray="1" stroke-dashoffset="1" d="M5 30H95"/><path pathLength="100" stroke-dasharray="50 50" d="M5 40H95"/><path style="stroke-dasharray:10%,-1" d="M5 60H95"/><path d="M5 80H90"/><circle cx="50" cy="65" r="9" pathLength="4" stroke-dasharray="1 3"/>',
    "use of visible": '<g id="v"><path d="M5 10H40"/><rect x="5" y="15" width="9" height="9"/></g><use href="#v" x="50" y="20" style="visibility:visible"/><use href="#v" y="60" visibility="hidden"/><use href="#v" y="40" display="none"/><symbol id="s" style="display:none"><path d="M0 0L99 99"/></symbol><use href="#s"/>',
    "symbol transform": '<symbol id="s" transform="translate(20 20)" overflow="visible" x="10" y="10"><rect width="30" height="20"/></symbol><use href="#s"/><use href="#s" y="50" transform="rotate(10)"/>',
    "empty viewBox nested": '<svg viewBox="0 0 0 10"><rect x="30" y="30" width="40" height="40"/></svg><svg viewBox="" width="50" height="50"><rect x="30" y="30" width="40" height="40"/></svg><svg width="-5" height="9"><path d="M0 50H100M50 0V100M0 0L100 100"/></svg><path d="M5 90H90"/>',
    "clip transforms": '<clipPath id="c" transform="translate(10 10) rotate(20)"><rect width="50" height="40" transform="scale(1.2)"/></clipPath><g transform="scale(.8) rotate(-5)" clip-path="url(#c)"><path d="M0 50H100M50 0V100M0 0L100 100"/></g><path d="M0 60H90" clip-path="url(#c)" transform="translate(20 20)"/>',
    "clip by polygon in bbox": '<clipPath id="c" clipPathUnits="objectBoundingBox"><polygon points="0 0 1 .5 0 1"/></clipPath><circle cx="50" cy="50" r="40" clip-path="url(#c)"/><g clip-path="url(#c)"><rect x="60" y="5" width="30" height="20"/><rect x="70" y="15" width="25" height="20"/></g>',
    "switch languages": '<switch><g systemLanguage="fr"><path d="M5 10H90"/></g><g systemLanguage="en"><path d="M5 20H90"/></g><g><path d="M5 30H90"/></g></switch><g systemLanguage="de"><path d="M5 40H90"/></g><g systemLanguage=""><path d="M5 50H90"/></g><g systemLanguage="en-GB"><path d="M5 60H90"/></g><switch><g display="none" systemLanguage="en"><path d="M5 70H90"/></g><path d="M5 80H90"/></switch><g requiredExtensions=""><path d="M5 90H90"/></g><g requiredFeatures="http://x"><path d="M5 95H90"/></g>',
    "inherited visibility": '<g visibility="hidden"><path style="visibility:inherit" d="M5 10H90"/><path style="visibility:initial" d="M5 20H90"/><g visibility="visible"><path d="M5 30H90"/><path visibility="collapse" d="M5 40H90"/></g><path visibility="bad" d="M5 50H90"/></g><path style="visibility:unset" d="M5 60H90"/>',
    "currentColor": '<g color="transparent"><path stroke="currentColor" d="M5 10H90"/><g color="black"><path stroke="currentcolor" d="M5 20H90"/></g><path style="stroke:currentColor;color:black" d="M5 30H90"/><path stroke="currentColor" color="currentColor" d="M5 40H90"/><path stroke="currentColor" color="inherit" d="M5 50H90"/></g><path stroke="color-mix(in srgb, black, transparent 100%)" d="M5 60H90"/><path stroke="oklch(0 0 0)" d="M5 70H90"/><path stroke="icc-color(foo)" d="M5 80H90"/><path stroke="#000 icc-color(a)" d="M5 90H90"/>',
    "Inkscape": '<g xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"><sodipodi:namedview pagecolor="#fff"><inkscape:grid/></sodipodi:namedview><g inkscape:groupmode="layer" inkscape:label="A" style="display:inline"><path style="fill:none;stroke:#000000;stroke-width:1px;stroke-linecap:butt;stroke-linejoin:miter;stroke-opacity:1;-inkscape-stroke:hairline" sodipodi:nodetypes="cc" d="m 10,20 30,40" inkscape:path-effect="#e"/></g><g inkscape:groupmode="layer" style="display:none"><path d="M0 0L99 99"/></g><path sodipodi:type="arc" sodipodi:cx="50" d="m 60,50 c 0,5 -5,9 -10,9 z" style="stroke:#000;solid-color:#000;isolation:auto;mix-blend-mode:normal"/></g>',
    "Illustrator": '<style type="text/css">\n\t.st0{fill:none;stroke:#000000;stroke-miterlimit:10;}\n\t.st1{display:none;}\n\t.st2{display:inline;fill:none;}\n.st3{clip-path:url(#SVGID_2_);fill:none;stroke:#000;}</style><g id="L1" class="st1"><rect class="st2" width="80" height="80"/></g><g><defs><rect id="SVGID_1_" x="20" y="20" width="40" height="40"/></defs><clipPath id="SVGID_2_"><use xlink:href="#SVGID_1_"  style="overflow:visible;"/></clipPath><path class="st3" d="M0 0L100 100"/></g><polyline class="st0" points="5.5,90.2 50,70 90,90 "/>',
    "Matplotlib": '<g id="figure_1"><g id="patch_1"><path d="M 0 100 L 100 100 L 100 0 L 0 0 z" style="fill: #ffffff; stroke:none"/></g><defs><path id="m1" d="M 0 0 L 0 5" style="stroke: #000000; stroke-width: 0.8"/></defs><g><use xlink:href="#m1" x="20" y="80" style="stroke: #000000; stroke-width: 0.8"/><use xlink:href="#m1" x="50" y="80" style="stroke: #000000; stroke-width: 0.8"/></g><path d="M 10 20 L 90 70" clip-path="url(#p0)" style="fill: none; stroke: #000; stroke-width: 1; stroke-linecap: square"/></g><defs><clipPath id="p0"><rect x="20" y="10" width="60" height="70"/></clipPath></defs>',
    "draw.io": '<g><g data-cell-id="2"><rect x="10" y="10" width="40" height="30" fill="#ffffff" stroke="#000000" pointer-events="all" style="fill: light-dark(#ffffff, #121212); stroke: light-dark(rgb(0, 0, 0), rgb(255, 255, 255));"/></g><g><switch><foreignObject width="100%" height="100%" requiredFeatures="http://www.w3.org/TR/SVG11/feature#Extensibility"/><text x="9" y="9"></text></switch></g><path d="M 30 40 L 30 80" fill="none" stroke="rgb(0, 0, 0)" stroke-miterlimit="10" pointer-events="stroke"/></g><switch><g requiredFeatures="http://www.w3.org/TR/SVG11/feature#Extensibility"/><path d="M5 95H90"/></switch>',
    "LibreOffice": '<defs class="ClipPathGroup"><clipPath id="presentation_clip_path" clipPathUnits="userSpaceOnUse"><rect x="0" y="0" width="100" height="100"/></clipPath></defs><defs class="TextShapeIndex"><g ooo:slide="id1" xmlns:ooo="http://xml.openoffice.org/svg/export"/></defs><g class="SlideGroup"><g><g id="container-id1"><g class="Slide" clip-path="url(#presentation_clip_path)"><g class="Page"><g class="com.sun.star.drawing.CustomShape"><g><rect class="BoundingBox" stroke="none" fill="none" x="10" y="10" width="60" height="30"/><path fill="none" stroke="rgb(0,0,0)" stroke-linejoin="round" d="M 40,40 L 10,40 10,10 70,10 70,40 40,40 Z"/></g></g></g></g></g></g></g>',
    "CorelDRAW": '<defs><style type="text/css"><![CDATA[.str0 {stroke:black;stroke-width:1;stroke-miterlimit:22.9256} .fil0 {fill:none} .fil1 {fill:none;fill-rule:nonzero}]]></style></defs><g id="Layer_x0020_1"><metadata id="CorelCorpID_0Corel-Layer"/><line class="fil0 str0" x1="10" y1="10" x2="90" y2= "30" /><path class="fil1" d="M0 0l9 9"/></g>',
    "Affinity": '<g transform="matrix(1,0,0,1,-100,-50)"><g id="Artboard1" serif:id="Artboard 1" xmlns:serif="http://www.serif.com/" transform="matrix(1,0,0,1,100,50)"><rect x="0" y="0" width="100" height="100" style="fill:none;stroke:none;"/><clipPath id="_clip1"><rect x="0" y="0" width="100" height="60"/></clipPath><g clip-path="url(#_clip1)"><path d="M10,10L90,90" style="fill:none;stroke:black;stroke-width:1px;"/></g></g></g>',
    "transform lists": '<path transform=" translate( 5 ,5 ) , rotate(10)\n scale(1,.5) " d="M5 20H80"/><path transform="translate(10)rotate(5)" d="M5 40H80"/><path transform="matrix(1,0,0,1,0)" d="M5 60H80"/><path transform="scale(0)" d="M5 60H80"/><path transform="Translate(9)" d="M5 80H80"/><path style="transform:matrix(1,0,.2,1,0,0) TRANSLATEX(3px)" d="M5 90H80"/><path style="transform:translate3d(5px,3px,0) scale3d(.5,.5,1) rotateZ(5deg)" d="M5 90H80"/>',
    "path grammar": '<path d="m10 10 20 0 0 20zm40 0l10 10 -10 10z L 90 50"/><path d="M10,60,40,60,40,90Z M60 60 h 10 v 10 h -10 Z m 20 0 v 20"/><path d=" M 10-5 L10 .5.5"/><path d="M5 95 H 50,60 70 V"/><path d="M 60 95 L 90 95 M 5 5"/><path d="M50 30A10 10 0 1 1 50 31 A 5,5,0,0,0,60,31"/>',
    "pseudo classes": '<style>path:hover{stroke:none}path:root{stroke:none}a:link path{stroke:none}path:empty{stroke-width:1}:root>path.r{stroke:none}path::before{stroke:none}path:target{stroke:none}path:lang(en){stroke:none}path.u:unknown,.w{stroke:none}path:last-of-type{stroke:black}</style><a href="#x"><path d="M5 10H90"/></a><path class="r" d="M5 20H90"/><g lang="en"><path d="M5 30H90"/><rect x="1" y="1" width="2" height="2"/></g><path class="w" d="M5 40H90"/><path d="M5 60H90"/>',
    "font-face and charset": '<style>@charset "utf-8";@font-face{font-family:a;src:url(data:font/woff;base64,AAAA)}@page{size:1cm}@keyframes z{0%{stroke:none}100%{stroke:none}}@property --p{syntax:"*";inherits:false}@container (width>1px){.a{stroke:none}}@starting-style{path{stroke:none}}@unknown{path{stroke:none}}.e{stroke:none}</style><path class="a" d="M5 10H90"/><path class="e" d="M5 20H90"/><path d="M5 40H90"/>',
    "use attrs": '<defs><path id="p" d="M0 0H30" stroke="inherit"/><g id="g" transform="rotate(10)"><use href="#p" y="5"/><use href="#p" y="10" transform="scale(2)"/></g></defs><use href="#g" x="10%" y="20%"/><use href="#g" x="20" y="50" width="0" height="0"/><use xlink:href="#p" href="#g" x="40" y="10"/><use href="" x="3"/>',
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
    "root none": f'<svg {HEAD} width="100" height="50" viewBox="0 0 100 100" preserveAspectRatio="none" fill="none" stroke="black">{SQUARE}{LINES}</svg>',
    "root aspect": f'<svg {HEAD} width="100" height="50" viewBox="0 0 100 100" preserveAspectRatio="xMinYMin slice" fill="none" stroke="black">{SQUARE}{LINES}</svg>',
    "prefixed": '<svg:svg xmlns:svg="http://www.w3.org/2000/svg" viewBox="0 0 100 100" fill="none" stroke="black"><svg:g><svg:path d="M5 5L90 90"/></svg:g><path d="M0 50H99"/></svg:svg>',
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
