"""The type checker that jaxtyping applies to the package while tests run."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""beartype as PEP 484 and pyright have it: an int is welcome where a float is expected."""
