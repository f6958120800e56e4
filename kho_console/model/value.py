"""Frozen, slotted dataclasses that are quick to define.

For each class `dataclasses.dataclass` writes, compiles and runs the source of seven methods, about
1 ms, and every verb waits for a hundred classes. The classes made here share their methods. In all
else they are dataclasses: `replace`, `asdict`, `fields`, `match` and type checkers know them.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, ge, gt, le, lt
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        plain: type | None = None,
        *,
        frozen: bool = False,
        slots: bool = False,
        eq: bool = True,
        order: bool = False,
    ) -> Any:
        """As `dataclasses.dataclass`; quicker for frozen, slotted classes."""
        if frozen and slots:
            return _ordered if order else _comparable if eq else _frozen
        return dataclasses.dataclass(plain, frozen=frozen, slots=slots, eq=eq, order=order)


def _frozen(plain: type) -> Any:
    # Of a class without words dataclasses spells the signature, which takes as long as ten classes.
    plain.__doc__ = plain.__doc__ or plain.__name__
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(plain)
    made.__init__ = _init(made)
    made.__repr__ = _repr
    made.__reduce__ = _reduce
    made.__setattr__ = made.__delattr__ = _refuse
    return made


def _comparable(plain: type) -> Any:
    made = _frozen(plain)
    values = _values_of(made)

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if type(self) is type(other) else NotImplemented

    made.__eq__ = equal
    made.__hash__ = lambda self: hash(values(self))
    return made


def _ordered(plain: type) -> Any:
    made = _comparable(plain)
    values = _values_of(made)

    def by(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
        def compared(self: object, other: object) -> bool:
            both = type(self) is type(other)
            return compare(values(self), values(other)) if both else NotImplemented

        return compared

    for compare in (lt, le, gt, ge):
        setattr(made, f"__{compare.__name__}__", by(compare))
    return made


def _values_of(made: Any) -> Callable[[object], tuple[object, ...]]:
    fields = tuple(made.__dataclass_fields__)
    return attrgetter(*fields) if len(fields) > 1 else _values


def _init(made: Any) -> Callable[..., None]:
    fields = dataclasses.fields(made)
    setters = [getattr(made, field.name).__set__ for field in fields]

    def init(self: object, *values: object, **named: object) -> None:
        given: Sequence[object] = values
        if named or len(values) != len(setters):
            given = _given(made.__qualname__, fields, values, named)
        for put, value in zip(setters, given, strict=True):
            put(self, value)

    return init


def _given(
    name: str,
    fields: Sequence["dataclasses.Field[Any]"],
    values: Sequence[object],
    named: Mapping[str, object],
) -> list[object]:
    """The values of all fields in their order."""
    known = [field.name for field in fields]
    wrong = named.keys() - set(known[len(values) :])
    if wrong or len(values) > len(known):
        raise TypeError(f"{name}() takes {', '.join(known)}, each at most once")
    given = list(values)
    for field in fields[len(values) :]:
        if field.name in named:
            given.append(named[field.name])
        elif field.default is not dataclasses.MISSING:
            given.append(field.default)
        elif field.default_factory is not dataclasses.MISSING:
            given.append(field.default_factory())
        else:
            raise TypeError(f"{name}() needs {field.name}")
    return given


def _values(self: Any) -> tuple[object, ...]:
    return tuple([getattr(self, name) for name in self.__dataclass_fields__])


def _repr(self: Any) -> str:
    named = (f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__)
    return f"{type(self).__qualname__}({', '.join(named)})"


def _reduce(self: Any) -> tuple[type, tuple[object, ...]]:
    return type(self), _values(self)


def _refuse(self: Any, name: str, value: object = None) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"{type(self).__qualname__} is frozen, {name} too")
