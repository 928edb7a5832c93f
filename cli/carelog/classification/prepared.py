"""Rules made ready to match, kept in the private cache: the database of hyperscan and the arrays beside it in one file.

What makes them is slow and needs much memory (some seconds, 200 MB); a worker that finds them in the cache starts a second sooner
and 50 MB smaller.
"""

from __future__ import annotations

import hashlib
import io
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, TypeVar, get_type_hints
from zipfile import BadZipFile

import hyperscan
import numpy as np
import numpy.typing as npt

from carelog.classification.matching import Expressions, compile_database, load_database, to_expressions
from carelog.classification.rulebook import Rule
from carelog.resources import cached_bytes, forget_cached

Columns = TypeVar("Columns")
Arrays = Mapping[str, npt.NDArray[Any]]

_CODE = (
    "chains",
    "gaps",
    "guards",
    "matching",
    "normal",
    "patterns",
    "prepared",
    "ragged",
    "tokens",
    "walks",
)


@cache
def code_digest() -> str:
    """What stands for the code that makes rules ready: a cache of other code's making is not used."""
    digest = hashlib.sha256(f"{version('hyperscan')} {np.__version__} {platform.machine()}".encode())
    for name in _CODE:
        file = files("carelog.classification") / f"{name}.py"
        digest.update(file.read_bytes() if file.is_file() else version("carelog").encode())
    return digest.hexdigest()


def cache_key(rules: Sequence[Rule]) -> str:
    """Under which key these rules lie in the private cache, made ready."""
    said = [(r.phrases, r.pattern, r.not_before, r.not_after) for r in rules]
    return f"rules-{hashlib.sha256(repr((said, code_digest())).encode()).hexdigest()[:32]}"


def prepare_rules(rules: Sequence[Rule]) -> tuple[Expressions, hyperscan.Database]:
    """The rules' expressions (without their texts) and their database. UsageProblem names a pattern that fails."""
    key = cache_key(rules)
    try:
        return _read(cached_bytes(key, lambda: _to_bytes(to_expressions(rules))))
    except _BROKEN:
        # A machine that lost its power leaves a file that is empty, or half there.
        forget_cached(key)
        return _read(cached_bytes(key, lambda: _to_bytes(to_expressions(rules))))


_BROKEN = (BadZipFile, EOFError, KeyError, OSError, ValueError, hyperscan.HyperscanError)
"""What a file raises that is not as it was written."""


def _read(content: bytes) -> tuple[Expressions, hyperscan.Database]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return _from_arrays(Expressions, arrays, ""), load_database(arrays["database"].tobytes())


def _to_bytes(expressions: Expressions) -> bytes:
    database = np.frombuffer(hyperscan.dumpb(compile_database(expressions)), np.uint8)
    file = io.BytesIO()
    arrays: dict[str, Any] = {"database": database, **dict(_to_arrays(expressions, ""))}
    np.savez(file, **arrays)
    return file.getvalue()


def _to_arrays(value: Any, name: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The arrays and numbers in dataclasses of dataclasses, each under the names that lead to it; texts are left out."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _to_arrays(getattr(value, field.name), f"{name}.{field.name}")
    elif not isinstance(value, tuple):
        yield name, np.asarray(value)


def _from_arrays(kind: type[Columns], arrays: Arrays, name: str) -> Columns:
    values: dict[str, Any] = {}
    for field, hint in get_type_hints(kind).items():
        path = f"{name}.{field}"
        if isinstance(hint, type) and is_dataclass(hint):
            values[field] = _from_arrays(hint, arrays, path)
        else:
            values[field] = () if path not in arrays else int(arrays[path]) if hint is int else arrays[path]
    return kind(**values)
