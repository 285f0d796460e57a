"""What every record is made of: the base of the record classes, and the types of their fields."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from collectors.contract.storable import storable
from config.years import in_utc

Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
# as many as the warehouse's columns hold
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Text = Annotated[str, Field(min_length=1)]


def whole_as_text(told: Any) -> Any:
    """A key part: numbers that a CSV or an API writes without quotes are taken as text."""
    return str(told) if isinstance(told, int) else told


Id = Annotated[str, BeforeValidator(whole_as_text), Field(min_length=1)]


def as_git_writes(told: str) -> str:
    """A commit's SHA in small letters; raises ValueError for what a spreadsheet has made of one."""
    if re.fullmatch(r"[0-9](?:[.,][0-9]+)?E[+][0-9]+", told):
        raise ValueError("is a number that a spreadsheet has made of a commit; keep the column as text")
    return told.lower() if re.fullmatch(r"[0-9a-fA-F]{7,64}", told) else told


Sha = Annotated[str, AfterValidator(as_git_writes), Field(min_length=1)]


class Record(BaseModel):
    """The base of all records: frozen, unknown fields refused. `TABLE` is the kind's and the table's name.

    What a text holds can be stored, whatever a source sends. `MENDED_BY`, where that is not the whole key, names the
    fields by which a later record takes the place of one that was set aside.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    MENDED_BY: ClassVar[tuple[str, ...] | None] = None

    @model_validator(mode="before")
    @classmethod
    def _can_be_stored(cls, fields: Any) -> Any:
        return storable(fields)


class Part(BaseModel):
    """The base of structs inside records."""

    model_config = ConfigDict(frozen=True, extra="forbid")
