from __future__ import annotations

import anyio
import pytest

from sketchgen.web.turns import BusyError, Turns


def served(capacity: int, people: int) -> tuple[list[int], int, dict[int, list[int]]]:
    """The order in which people were served, the most at once, and what each was told of those ahead."""
    order: list[int] = []
    told: dict[int, list[int]] = {}
    now = most = 0

    async def person(turns: Turns, number: int) -> None:
        nonlocal now, most
        mine = turns.join()
        try:
            told[number] = [ahead async for ahead in turns.wait(mine)]
            order.append(number)
            now, most = now + 1, max(most, now + 1)
            await anyio.sleep(0.01 + 0.005 * (number % 3))
            now -= 1
        finally:
            turns.leave(mine)

    async def everybody() -> None:
        turns = Turns(capacity, 100)
        async with anyio.create_task_group() as group:
            for number in range(people):
                group.start_soon(person, turns, number)
                await anyio.sleep(0)

    anyio.run(everybody)
    return order, most, told


@pytest.mark.parametrize("capacity", [1, 3])
def test_people_are_served_in_the_order_they_came_and_never_too_many(capacity: int) -> None:
    order, most, told = served(capacity, 12)
    assert order == sorted(order)
    assert most == capacity
    for number in range(12):
        waited = max(0, number - capacity + 1)
        assert told[number][:1] == [waited][: min(waited, 1)]
        assert told[number] == sorted(set(told[number]), reverse=True)


def test_nobody_waits_while_there_is_room() -> None:
    order, _, told = served(5, 5)
    assert len(order) == 5
    assert not any(told.values())


def test_who_leaves_the_line_lets_the_others_move_up() -> None:
    async def line() -> None:
        turns = Turns(1, 5)
        first, second, third = (turns.join() for _ in range(3))
        assert [turns.ahead(each) for each in (first, second, third)] == [0, 1, 2]
        turns.leave(second)
        assert turns.ahead(third) == 1
        with anyio.fail_after(1):
            async for ahead in turns.wait(third):
                assert ahead == 1
                turns.leave(first)

    anyio.run(line)


def test_too_many_are_refused_in_a_line_for_a_person() -> None:
    async def crowd() -> None:
        turns = Turns(2, 3)
        people = [turns.join() for _ in range(5)]
        with pytest.raises(BusyError, match="3 people are waiting already"):
            turns.join()
        turns.leave(people[0])
        turns.join()

    anyio.run(crowd)
