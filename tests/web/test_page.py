"""What is set beside the pad: guidance only where the model can be guided."""

from __future__ import annotations

from typing import Any

import pytest

from sketchgen.completion.completer import Completer
from tests.support import untrained

LIKE = "How much like its category"


def sliders(guidance: float, dropped: float) -> list[Any]:
    """The sliders for guidance of the page of a model."""
    # Here, since importing gradio takes four seconds, which every worker would spend.
    from sketchgen.web import build

    summary = {"settings": {"prefixes": {"drop_category": dropped}}}
    page: Any = build(Completer(untrained.tiny("cat").decoder, "test", summary, guidance))
    return [part for part in page.blocks.values() if type(part).__name__ == "Slider" and part.label == LIKE]


@pytest.mark.parametrize(("guidance", "shown"), [(2.0, 2.0), (0.0, 0.0), (9.0, 4.0)])
def test_guidance_begins_with_the_model_s_own(guidance: float, shown: float) -> None:
    found = sliders(guidance, 0.1)
    assert [(each.minimum, each.maximum, each.value) for each in found] == [(0, 4.0, shown)] * 2


def test_a_model_that_cannot_be_guided_has_no_slider_for_it() -> None:
    assert sliders(0.0, 0.0) == []
