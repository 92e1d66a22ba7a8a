# SPDX-License-Identifier: Apache-2.0
"""JMESPath expressions over a sample."""

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Self

import jmespath
import jmespath.exceptions
import jmespath.functions
import jmespath.visitor

from distil import exceptions
from distil import model
from distil import text
from distil.transformers import quantities

_Search = Callable[[Mapping[str, Any]], Any]

# The interpreter needs two frames of Python's stack for each level; 1,000 is Python's limit.
_MAX_LEVELS = 300
_TOO_DEEP = f"it has more than {_MAX_LEVELS} levels; contains() compares with many values in one"
_MAX_MESSAGE = 300

# Shared: an expression's own search() makes a new interpreter each time.
_INTERPRETER = jmespath.visitor.TreeInterpreter()


@dataclasses.dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Expressions are equal if they are parsed alike: white space makes no difference.

    :param source: the text that the operator wrote.
    :param tree: the parsed source.
    :param metadata_keys: the keys under ``metadata`` that it names.
    """

    source: str = dataclasses.field(compare=False)
    tree: str
    search: _Search = dataclasses.field(compare=False)
    metadata_keys: frozenset[str] = dataclasses.field(compare=False)

    @classmethod
    def compile(cls, source: object) -> Self:
        """Compile, and check function calls, which JMESPath itself checks only when it evaluates.

        :raises ValueError: the source is not a valid JMESPath expression.
        """
        if not isinstance(source, str):
            raise ValueError("it is not text")  # noqa: TRY004 - the caller handles all mistakes alike
        try:
            compiled = jmespath.compile(source)
            tree = repr(compiled.parsed)
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(text.truncate(" ".join(str(error).split()), _MAX_MESSAGE)) from error
        except RecursionError as error:
            raise ValueError(_TOO_DEEP) from error
        nodes = list(_nodes(compiled.parsed))
        for node in nodes:
            if node["type"] == "function_expression":
                _check_call(node["value"], len(node["children"]))
        search = _comparison(compiled.parsed) or functools.partial(_INTERPRETER.visit, compiled.parsed)
        return cls(source, tree, search, frozenset(filter(None, map(_metadata_key, nodes))))

    def __call__(self, sample: model.Sample) -> Any:
        """Evaluate the expression on a sample's document; a volume in numeric text counts as a number.

        :raises SampleRejected: the expression cannot be evaluated on this sample.
        """
        document = sample.document
        if isinstance(document.get("volume"), str):
            document = {**document, "volume": _as_number(document["volume"])}
        try:
            return self.search(document)
        except (jmespath.exceptions.JMESPathError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            reason = f"{self.source!r} failed: {error}"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.EXPRESSION) from error
        except RecursionError:
            reason = f"{self.source!r} failed: the sample is nested too deeply"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.EXPRESSION) from None


def _comparison(node: Mapping[str, Any]) -> _Search | None:
    """A fast search for ``a.b == 'text'`` and ``!=``, as most filters are; None for other expressions."""
    if node["type"] != "comparator" or node["value"] not in ("eq", "ne"):
        return None
    path, literal = node["children"]
    keys = _path(path)
    if keys is None or literal["type"] != "literal" or not isinstance(literal["value"], str):
        return None
    wanted, expect_equal = literal["value"], node["value"] == "eq"

    def search(document: Mapping[str, Any]) -> bool:
        value: Any = document
        for key in keys:
            try:
                value = value.get(key)
            except AttributeError:
                return not expect_equal
        return bool(value == wanted) is expect_equal

    return search


def _path(node: Mapping[str, Any]) -> list[str] | None:
    """The keys of ``a.b.c``; None for other expressions."""
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] != "subexpression":
        return None
    parts = [_path(child) for child in node["children"]]
    return None if None in parts else [key for part in parts for key in part or ()]


def _metadata_key(node: Mapping[str, Any]) -> str | None:
    """``b`` of ``metadata.b`` and ``metadata.b.c``; None for other expressions."""
    match node:
        case {
            "type": "subexpression",
            "children": [{"type": "field", "value": "metadata"}, {"type": "field", "value": str(key)}, *_],
        }:
            return key
    return None


def _as_number(volume: str) -> object:
    try:
        return quantities.parse_decimal(volume, "volume")
    except exceptions.SampleRejected:
        return volume


def _nodes(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All nodes of a parsed expression.

    :raises ValueError: it is too deep to be evaluated.
    """
    level = [tree]
    for _ in range(_MAX_LEVELS):
        yield from level
        level = [child for node in level for child in node.get("children", ()) if isinstance(child, Mapping)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _check_call(name: str, arguments: int) -> None:
    functions = jmespath.functions.Functions.FUNCTION_TABLE
    if name not in functions:
        raise ValueError(f"unknown function {name}()")
    signature = functions[name]["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if arguments < len(signature) or (arguments > len(signature) and not variadic):
        raise ValueError(f"{name}() takes {len(signature)}{' or more' if variadic else ''} arguments, not {arguments}")
