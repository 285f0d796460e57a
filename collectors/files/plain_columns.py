"""Many rows of a file at once: the values that a record surely makes of them.

Read from the record's fields, careful and not complete: a value that is in any doubt comes out as null, so that its row
is left to the record itself.
"""

import types
import typing
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge, Lt, MinLen
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from collectors.contract.arrow_types import arrow_type
from collectors.contract.fields import Record, as_git_writes, whole_as_text
from config.years import FIRST_YEAR, LAST_YEAR, in_utc

Arrays = dict[str, pa.Array]
# what every record does with its fields leaves a text of UTF-8 as it is
_OF_EVERY_RECORD = Record.__pydantic_decorators__.model_validators.keys()
_LEAST, _AFTER_MOST = -(2**63), 2**63
_MOST_OF_A_DOUBLE = 2**53
_WHOLE = r"^(?:0|-?[1-9][0-9]{0,17})$"
_NUMBER = r"^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$"
_INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)
_TRUTHS = {"true": True, "True": True, "false": False, "False": False}
_MICROSECONDS = pa.timestamp("us")


def plain_columns(model: type[BaseModel], told: Arrays, n: int) -> tuple[Arrays, pa.Array]:
    """Each column of `model` made of `told`, defaults for what is missing; and of which of the `n` rows that is sure.

    A null of `told` is a missing value.
    """
    decorators = model.__pydantic_decorators__
    is_known = (
        decorators.model_validators.keys() <= _OF_EVERY_RECORD and told.keys() <= model.model_fields.keys()
    )
    by_hand = {name for one in decorators.field_validators.values() for name in one.info.fields}
    made, sure = {}, pa.array(np.full(n, is_known))
    for name, field in model.model_fields.items():
        values = nothing = pa.nulls(n, arrow_type(field.annotation))
        if name in told:
            values = nothing if name in by_hand else _plain(told[name], field.annotation, field.metadata)
            sure = pc.and_(sure, pc.or_(pc.is_null(told[name]), pc.is_valid(values)))
        if field.is_required():
            sure = pc.and_(sure, pc.is_valid(values))
        made[name] = _with_default(values, field)
    return made, sure


def _with_default(values: pa.Array, field: FieldInfo) -> pa.Array:
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if default is None or not values.null_count:
        return values
    if default == ():
        return _listed(values, values.flatten())
    if default == {}:
        return pa.array([one or {} for one in values.to_pylist()], values.type)
    return pc.fill_null(values, pa.scalar(default, values.type))


def _plain(told: pa.Array, annotation: Any, metadata: Iterable[Any] = ()) -> pa.Array:
    """What a field makes of `told`, null where that is in doubt."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _plain(told, next(one for one in arguments if one is not type(None)), metadata)
    if origin is typing.Annotated:
        return _plain(told, arguments[0], (*metadata, *arguments[1:]))
    rules = list(_single(metadata))
    if pa.types.is_dictionary(told.type):
        told = told.dictionary_decode()
    if pa.types.is_integer(told.type) and any(_is(rule, BeforeValidator, whole_as_text) for rule in rules):
        told = told.cast(pa.string())
    if pa.types.is_null(told.type):
        values = _in_doubt(told, arrow_type(annotation))
    elif origin is typing.Literal:
        values = _texts(told)
        values = _only(values, pc.is_in(values, pa.array(arguments)))
    elif origin is tuple:
        values = _lists(told, arguments[0])
    elif origin is dict:
        values = _mappings(told)
    elif annotation in _SCALARS:
        values = _SCALARS[annotation](told)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        values = _structs(told, annotation)
    else:
        values = _in_doubt(told, arrow_type(annotation))
    for rule in rules:
        values = _ruled(values, rule)
    return values


def _single(metadata: Iterable[Any]) -> Iterator[Any]:
    for rule in metadata:
        yield from rule.metadata if isinstance(rule, FieldInfo) else (rule,)


def _is(rule: Any, kind: type, function: Callable[..., Any]) -> bool:
    return isinstance(rule, kind) and getattr(rule, "func", None) is function


def _ruled(values: pa.Array, rule: Any) -> pa.Array:
    """`values` without those of which it is in doubt that `rule` leaves them as they are."""
    if isinstance(rule, MinLen):
        return _only(values, pc.greater_equal(pc.utf8_length(values), rule.min_length))
    if _is(rule, AfterValidator, as_git_writes):
        # neither a commit in capitals nor a number that a spreadsheet has made of one
        return _only(values, pc.equal(values, pc.ascii_lower(values)))
    if _is(rule, AfterValidator, in_utc):
        first, after = datetime(FIRST_YEAR, 1, 1), datetime(LAST_YEAR, 12, 31)
        return _only(values, pc.and_(pc.greater_equal(values, first), pc.less(values, after)))
    as_columns_hold = (isinstance(rule, Ge) and rule.ge == _LEAST) or (
        isinstance(rule, Lt) and rule.lt == _AFTER_MOST
    )
    if as_columns_hold or _is(rule, BeforeValidator, whole_as_text):
        return values
    return _in_doubt(values, values.type)


def _only(values: pa.Array, which: pa.Array) -> pa.Array:
    return values if pc.all(which, min_count=0).as_py() else pc.if_else(which, values, None)


def _in_doubt(told: pa.Array, kind: pa.DataType) -> pa.Array:
    return pa.nulls(len(told), kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _texts(told: pa.Array) -> pa.Array:
    return told.cast(pa.string()) if _is_text(told.type) else _in_doubt(told, pa.string())


def _matching(told: pa.Array, pattern: str) -> pa.Array:
    texts = _texts(told)
    return _only(texts, pc.match_substring_regex(texts, pattern))


def _wholes(told: pa.Array) -> pa.Array:
    if _is_text(told.type):
        told = _matching(told, _WHOLE)
    elif pa.types.is_float32(told.type) or pa.types.is_float64(told.type):
        # as pandas keeps whole numbers among which some are missing
        told = _only(told, pc.and_(pc.equal(told, pc.floor(told)), _is_exact(told)))
    elif not pa.types.is_integer(told.type) or pa.types.is_uint64(told.type):
        return _in_doubt(told, pa.int64())
    return told.cast(pa.int64())


def _is_exact(numbers: pa.Array) -> pa.Array:
    return pc.less_equal(pc.abs(numbers.cast(pa.float64(), safe=False)), _MOST_OF_A_DOUBLE)


def _numbers(told: pa.Array) -> pa.Array:
    if _is_text(told.type):
        told = _matching(told, _NUMBER)
    elif pa.types.is_float32(told.type) or pa.types.is_float64(told.type):
        told = _only(told, pc.is_finite(told))
    elif pa.types.is_integer(told.type):
        told = _only(told, _is_exact(told))
    else:
        return _in_doubt(told, pa.float64())
    return told.cast(pa.float64())


def _truths(told: pa.Array) -> pa.Array:
    if not _is_text(told.type):
        return told if pa.types.is_boolean(told.type) else _in_doubt(told, pa.bool_())
    places = pc.index_in(told.cast(pa.string()), pa.array(list(_TRUTHS)))
    return pa.array(list(_TRUTHS.values())).take(places)


def _instants(told: pa.Array) -> pa.Array:
    nothing = _in_doubt(told, _MICROSECONDS)
    try:
        if _is_text(told.type):
            told = _matching(told, _INSTANT).cast(pa.timestamp("us", "UTC"))
        elif not pa.types.is_timestamp(told.type) or told.type.tz is None:
            return nothing
        pa.scalar(0, told.type).as_py()  # the zone is one that Python knows
        if is_finer := told.type.unit == "ns":
            # what is cut off makes an instant before 1970 a later one
            told = _only(told, pc.greater_equal(told, pa.scalar(0, told.type)))
        return told.cast(pa.timestamp("us", "UTC"), safe=not is_finer).cast(_MICROSECONDS)
    except (pa.ArrowInvalid, ValueError):
        return nothing


def _lists(told: pa.Array, item: Any) -> pa.Array:
    if not (pa.types.is_list(told.type) or pa.types.is_large_list(told.type)):
        return _in_doubt(told, pa.list_(arrow_type(item)))
    items = _plain(told.flatten(), item)
    lost = np.array(pc.is_null(told))
    if items.null_count:
        lists = np.repeat(np.arange(len(told)), _lengths(told))
        lost[lists[np.array(pc.is_null(items))]] = True
    return _listed(told, items, lost if lost.any() else None)


def _lengths(lists: pa.Array) -> pa.Array:
    return pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int32())


def _listed(like: pa.Array, items: pa.Array, lost: np.ndarray | None = None) -> pa.Array:
    """Lists of `items`, as long as those of `like`, null where `lost`."""
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(_lengths(like))])
    return pa.ListArray.from_arrays(offsets, items, mask=None if lost is None else pa.array(lost))


def _mappings(told: pa.Array) -> pa.Array:
    kind = arrow_type(dict[str, str])
    if not pa.types.is_map(told.type):
        return _in_doubt(told, kind)
    return pa.array([pairs if _is_mapping(pairs) else None for pairs in told.to_pylist()], kind)


def _is_mapping(pairs: list[tuple[Any, Any]] | None) -> bool:
    texts = all(isinstance(part, str) for pair in pairs or () for part in pair)
    return texts and pairs is not None and len(dict(pairs)) == len(pairs)


def _structs(told: pa.Array, model: type[BaseModel]) -> pa.Array:
    kind = arrow_type(model)
    if not pa.types.is_struct(told.type):
        return _in_doubt(told, kind)
    parts = dict(zip((part.name for part in told.type), told.flatten(), strict=True))
    if len(parts) < told.type.num_fields:
        return _in_doubt(told, kind)
    made, sure = plain_columns(model, parts, len(told))
    lost = pc.invert(pc.and_(sure, pc.is_valid(told)))
    return pa.StructArray.from_arrays(list(made.values()), fields=list(kind), mask=lost)


_SCALARS: dict[Any, Callable[[pa.Array], pa.Array]] = {
    str: _texts,
    int: _wholes,
    float: _numbers,
    bool: _truths,
    AwareDatetime: _instants,
}
