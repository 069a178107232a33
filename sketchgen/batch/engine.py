"""The engine: from a job's sampling to something that draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sketchgen.batch.wish import Drawn, Engine, Sampling, Wish
from sketchgen.drawing.sketch import Sketch
from sketchgen.generate.completer import Completer, load


class OneByOne:
    """Draws one wish after the other with a completer; slow, and simple."""

    def __init__(self, model: Completer, sampling: Sampling) -> None:
        """Draw with `model`."""
        self._model, self._sampling = model, sampling

    def draw(self, wishes: Iterable[Wish]) -> Iterator[Drawn]:
        """Draw what is wished for; see `Engine.draw`."""
        how = self._sampling
        for wish in wishes:
            count, blank = wish.index + 1, wish.given or Sketch()
            found = self._model.complete(
                blank, wish.category, count, how.temperature, wish.seed, limit=how.limit
            )[-1]
            item = found.added if wish.given is None else found
            yield Drawn(wish, item, found.ended, found.log_likelihood, found.added.point_count)


def open_engine(sampling: Sampling) -> Engine:
    """Load the model of a sampling, ready to draw.

    Raises:
        CheckpointError: there is none, or it is damaged.
        SettingError: a setting outside its limits.
    """
    model = load(sampling.checkpoint)
    return OneByOne(model if sampling.guidance is None else model.guided(sampling.guidance), sampling)
