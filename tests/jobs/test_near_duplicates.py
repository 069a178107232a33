"""Signatures that were seen."""

from __future__ import annotations

from sketchgen.jobs.near_duplicates import SeenSignatures


def test_as_many_bits_as_allowed_make_a_near_duplicate_and_one_more_does_not() -> None:
    seen = SeenSignatures(3)
    seen.add(0, 7, bytes(32))
    codes = [bytes(31) + bytes([(1 << bits) - 1]) for bits in (2, 3, 4)]
    assert [seen.earlier(0, code) for code in codes] == [7, 7, None]
    assert seen.earlier(1, codes[0]) is None
