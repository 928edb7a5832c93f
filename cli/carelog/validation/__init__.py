"""Batch in, accepted and rejected out."""

from carelog.validation.duplicates import DuplicateIds
from carelog.validation.records import Validated, reject_duplicates, validate_block

__all__ = ["DuplicateIds", "Validated", "reject_duplicates", "validate_block"]
