"""Which drawing is made next: handed out in order, taken back from workers that were lost."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from sketchgen.jobs.spec import Task


class Handout:
    """Hands tasks out in the order of their numbers, never more than a window ahead of what is settled.

    The window bounds what waits for an earlier drawing that is not finished yet: memory is the same whatever
    the size of a job.

    Attributes:
        settled: the number up to which (not including it) everything is settled; whoever settles moves it.
    """

    def __init__(self, tasks: Iterator[Task], first: int, total: int, window: int) -> None:
        """Hand out `tasks`, whose numbers go from `first` to before `total`."""
        self._tasks, self._next, self._total, self._window = tasks, first, total, max(1, window)
        self._back: list[tuple[int, Task]] = []
        self.settled = first

    def take(self) -> Task | None:
        """The next task; None if there is none now, because all is handed out or the window is full."""
        if self._back:
            return heapq.heappop(self._back)[1]
        if self._next >= min(self._total, self.settled + self._window):
            return None
        self._next += 1
        return next(self._tasks)

    def several(self, most: int) -> list[Task]:
        """Up to `most` tasks; none where `take` has none."""
        found: list[Task] = []
        while len(found) < most and (task := self.take()) is not None:
            found.append(task)
        return found

    def give_back(self, tasks: list[Task]) -> None:
        """Take tasks back that were not finished; they are the next that are handed out."""
        for task in tasks:
            heapq.heappush(self._back, (task.number, task))

    @property
    def over(self) -> bool:
        """Whether everything is settled."""
        return self.settled >= self._total

    def now(self) -> Iterator[Task]:
        """Tasks until there is none now."""
        while (task := self.take()) is not None:
            yield task
