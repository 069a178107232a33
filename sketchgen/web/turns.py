"""Turns: who may use the model now, and how many are before the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sketchgen.errors import SketchgenError


class BusyError(SketchgenError):
    """More people wait than may."""


class Turns:
    """A line of people: the first `capacity` of them are served, the others wait in the order they came in.

    All of its methods belong to one event loop.
    """

    def __init__(self, capacity: int, waiting: int) -> None:
        """Serve `capacity` at a time while at most `waiting` others wait."""
        self.capacity, self.waiting = capacity, waiting
        self._line: list[asyncio.Event] = []

    def join(self) -> asyncio.Event:
        """Stand in line; whoever does must `leave`, served or not.

        Raises:
            BusyError: too many wait already.
        """
        if len(self._line) >= self.capacity + self.waiting:
            raise BusyError(f"{self.waiting} people are waiting already; try again in a minute")
        person = asyncio.Event()
        self._line.append(person)
        return person

    def leave(self, person: asyncio.Event) -> None:
        """Make room for the next."""
        self._line.remove(person)
        for each in self._line:
            each.set()

    def ahead(self, person: asyncio.Event) -> int:
        """How many must leave before it is this person's turn."""
        return max(0, self._line.index(person) - self.capacity + 1)

    async def wait(self, person: asyncio.Event) -> AsyncIterator[int]:
        """How many are ahead, now and whenever that changes; ends when it is this person's turn."""
        told = 0
        while True:
            # Before looking: whoever leaves while this one is being told must wake it up.
            person.clear()
            ahead = self.ahead(person)
            if not ahead:
                return
            if ahead != told:
                told = ahead
                yield ahead
            await person.wait()
