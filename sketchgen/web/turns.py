"""Turns: who may use the model now, and how many are waiting before each of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sketchgen.errors import SketchgenError


class BusyError(SketchgenError):
    """More people want to wait than may."""


class Turns:
    """A queue of people: the first `capacity` are served, the others wait in the order of their arrival.

    All methods belong to one event loop.
    """

    def __init__(self, capacity: int, waiting: int) -> None:
        """Serve `capacity` at a time while at most `waiting` others wait."""
        self.capacity, self.waiting = capacity, waiting
        self._queue: list[asyncio.Event] = []

    def join(self) -> asyncio.Event:
        """Join the queue; whoever does must `leave`, served or not.

        Raises:
            BusyError: too many wait already.
        """
        if len(self._queue) >= self.capacity + self.waiting:
            raise BusyError(f"{self.waiting} people are waiting already; try again in a minute")
        person = asyncio.Event()
        self._queue.append(person)
        return person

    def leave(self, person: asyncio.Event) -> None:
        """Make room for the next."""
        self._queue.remove(person)
        for each in self._queue:
            each.set()

    def ahead(self, person: asyncio.Event) -> int:
        """Return how many must leave before it is this person's turn."""
        return max(0, self._queue.index(person) - self.capacity + 1)

    async def wait(self, person: asyncio.Event) -> AsyncIterator[int]:
        """Yield how many are ahead, now and whenever that changes, until it is this person's turn."""
        before = 0
        while True:
            # First of all: whoever leaves while the loop is suspended must wake it up.
            person.clear()
            ahead = self.ahead(person)
            if not ahead:
                return
            if ahead != before:
                before = ahead
                yield ahead
            await person.wait()
