"""axe-core's rules on every view, panel and state of the page, light and dark; no server is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe

LINES = '{"alts":[[[50,50,0],[90,90,1],[200,60,0],[260,90,1]]],"categories":["cat"],"done":true}\n'
STEP = {"at": [90, 90], "end": 0.1, "components": [[1, 200, 60, 90, 0, 90, 0.2]]}
STATES = {
    "empty paper": "Sketchgen.show('draw')",
    "options": "open('sg-options'); Sketchgen.$('#sg-options details').open = true",
    "pens": "open('sg-pens')",
    "search": "open('sg-search')",
    "save": "open('sg-menu-save')",
    "share": "open('sg-menu-share')",
    "more": "open('sg-menu-app')",
    "suggestions": "Sketchgen.sketch.load([{ points: [[5, 5], [50, 50]], added: false }], 'cat');"
    "Sketchgen.suggestions.finish()",
    "thinking": "Sketchgen.think.turn(true)",
    "parts": "Sketchgen.think.turn(false); Sketchgen.suggestions.chooseParts(Sketchgen.suggestions.items[0])",
    "recent drawings": "Sketchgen.suggestions.endParts(); Sketchgen.drawings.begin(); open('sg-menu-open')",
    "generate": "Sketchgen.show('generate')",
    "morph": "Sketchgen.show('morph'); Sketchgen.morph.vary(Sketchgen.morph.papers[0])",
    "play back": "Sketchgen.show('play')",
}
THERE = {
    "suggestions": "Sketchgen.suggestions.settled && Sketchgen.suggestions.items.length",
    "thinking": "Sketchgen.think.steps",
}


RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""Only colours differ in the dark."""


def test_axe_finds_nothing_serious(visit: Callable[..., Any]) -> None:
    canvas = visit(reduced_motion="reduce")
    answers = {"draw": LINES, "think": json.dumps({"category": "cat", "steps": [STEP, STEP]}), "guess": "{}"}
    answers["latent"] = json.dumps({"drawings": [[[[0, 0], [90, 90]]]] * 9})

    def answer(route: Any) -> None:
        route.fulfill(body=answers.get(route.request.url.rpartition("/")[2], ""))

    canvas.page.route("**/sketchgen/*", answer)
    canvas.tell("Sketchgen.settings.count = 1")
    found = []
    for state, script in STATES.items():
        opening = "const open = (id) => document.querySelector(`[data-menu=${id}]`).click();"
        canvas.tell(f"() => {{ document.activeElement.blur(); {opening} {script} }}")
        canvas.wait(THERE.get(state, "true"))
        canvas.frames()
        for colours, rules in RULES.items():
            canvas.tell("(dark) => void document.body.classList.toggle('dark', dark)", colours == "dark")
            canvas.frames()
            options = {"resultTypes": ["violations"], **rules}
            for fault in Axe().run(canvas.page, options=options).response["violations"]:
                if fault["impact"] in ("serious", "critical"):
                    nodes = [node["html"][:120] for node in fault["nodes"]]
                    found.append((state, colours, fault["id"], nodes))
        canvas.page.keyboard.press("Escape")
    assert found == []
