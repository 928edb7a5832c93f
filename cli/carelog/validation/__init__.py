"""Batch in, accepted and rejected out."""

from carelog.validation.duplicates import DuplicateIds
from carelog.validation.records import Validated, reject_duplicates, validate_block
from carelog.validation.tally import FileTally, KindTally, Tally

__all__ = [
    "DuplicateIds",
    "FileTally",
    "KindTally",
    "Tally",
    "Validated",
    "reject_duplicates",
    "validate_block",
]
