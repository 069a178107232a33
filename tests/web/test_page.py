"""What is set beside the pad: guidance only where the model can be guided."""

from __future__ import annotations

import gradio as gr
import pytest

from sketchgen.completion.completer import Completer
from sketchgen.models.config import ModelConfig
from sketchgen.web.page import MAX_LIKE, build
from tests.support import untrained

LIKE = "How much like its category"


def sliders(guidance: float, dropped: float) -> list[gr.Slider]:
    """The sliders for guidance of the page of a model."""
    config = ModelConfig(("cat",), width=8, layers=1, embedding=8, encoder_width=8, components=2)
    summary = {"settings": {"prefixes": {"drop_category": dropped}}}
    page = build(Completer(untrained.completer(config).decoder, "test", summary, guidance))
    return [part for part in page.blocks.values() if isinstance(part, gr.Slider) and part.label == LIKE]


@pytest.mark.parametrize(("guidance", "shown"), [(2.0, 2.0), (0.0, 0.0), (9.0, MAX_LIKE)])
def test_guidance_begins_with_the_model_s_own(guidance: float, shown: float) -> None:
    found = sliders(guidance, 0.1)
    assert [(each.minimum, each.maximum, each.value) for each in found] == [(0, MAX_LIKE, shown)] * 2


def test_a_model_that_cannot_be_guided_has_no_slider_for_it() -> None:
    assert sliders(0.0, 0.0) == []
