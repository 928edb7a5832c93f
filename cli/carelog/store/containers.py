"""Writing records as vCons, one container a line: a single record makes an ordinary .vcon file, several make
JSON Lines. Bytes depend on the records alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import orjson
import pyarrow as pa

from carelog import columns
from carelog.sources.vcons import to_vcon
from carelog.store.tables import Write, compressed

SUFFIX = ".vcon"


@contextmanager
def write_vcons(file: BinaryIO, name: str) -> Iterator[Write]:
    """A function that appends batches in the RECORD layout to a file; compressed as its name says."""
    with compressed(file, name) as plain:

        def write(batch: pa.RecordBatch) -> None:
            for record in columns.to_values(batch):
                plain.write(orjson.dumps(to_vcon(record), option=orjson.OPT_APPEND_NEWLINE))

        yield write
