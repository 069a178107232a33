"""Model cards say what a network is."""

from __future__ import annotations

from typing import Any

from sketchgen.models.model_card import model_card
from tests.support import untrained


def test_a_card_describes_the_network():
    shape: dict[str, Any] = {"inputs": "offsets", "pen": "shared", "encoder_width": 0}
    card = model_card("stroke model", untrained.shaped(shape), {})
    assert all(words in card for words in ("offsets and pen states only", "one pen for all", "replays"))
    assert "encoding" not in card
    shape = {"layers": 2, "rotated": 2, "pointers": 8, "self_attention": 16}
    card = model_card("stroke model", untrained.shaped(shape), {"epochs": 3, "settings": {"seed": 1}})
    wanted = ("# A sketchgen stroke model", "2 of which rotate", "pointers", "attention", "| epochs | 3 |")
    assert all(words in card for words in (*wanted, "encoding of the given strokes", "CC BY 4.0"))
    assert "offsets and pen states only" not in card
    assert "settings" not in card
