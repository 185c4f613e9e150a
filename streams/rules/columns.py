"""Tables as numpy columns of equal length, persons numbered from 0."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class OfPersons:
    """For a frozen dataclass of columns with `person`: I64 and `persons`: int = -1, how many persons are numbered, also
    those without a row; unset, one more than the greatest number."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    person: I64
    persons: int

    def __post_init__(self) -> None:
        if self.persons < 0:
            object.__setattr__(self, "persons", int(self.person.max()) + 1 if len(self.person) else 0)

    def __len__(self) -> int:
        return len(self.person)

    def take(self, which: I64 | Mask) -> Self:
        """The rows of a mask or of indices; persons keep their numbers."""
        columns = {f.name: getattr(self, f.name)[which] for f in fields(self) if f.name != "persons"}
        return type(self)(**columns, persons=self.persons)  # type: ignore[call-arg]  # the dataclass that this is part of
