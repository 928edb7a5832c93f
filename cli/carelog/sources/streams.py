"""An input as a stream of bytes: opened, decompressed and brought to UTF-8, in constant memory.

Compression and encoding are told by content. What goes wrong on the way (a truncated or corrupt archive, a
disk that cannot be read) ends the stream as if the input ended there and is kept in `Opened.trouble`:
everything before is read.
"""

from __future__ import annotations

import codecs
import io
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import zstandard

from carelog.errors import MissingInput
from carelog.sources.archives import MemberReader
from carelog.sources.blocks import Fault
from carelog.sources.paths import Input

HEAD_BYTES = 64 * 1024
"""How much of an input detection sees."""
BLOCK_BYTES = 256 * 1024
OUTPUT_BYTES = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = tuple(bytes([0x50 + n, 0x2A, 0x4D, 0x18]) for n in range(16))
# Zstandard gives all that its input holds at once, and 4 bytes can stand for 128 KB: small bites keep a
# bomb small.
ZSTD_BITE = 1024

# The longer marks first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

OnBytes = Callable[[int], None]


class BlockStream(io.RawIOBase):
    """Blocks of bytes as a file object to read from."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with what is at hand; 0 at the end."""
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


@dataclass(slots=True)
class Opened:
    """An input that is being read.

    `stream` gives its bytes, decompressed and otherwise as they stand; `head` is its beginning (up to 64
    KB) in UTF-8 without a byte order mark, for detection; reading `head` takes nothing from `stream`.
    `compression` is `gz`, `zst`, `zip` or None; `encoding` is what its byte order mark says, else `utf-8`.
    `on_bytes` hears how many bytes were taken from the file itself, for progress. `trouble`, set while
    reading, says why the stream ended early.
    """

    input: Input
    compression: str | None = None
    encoding: str = "utf-8"
    head: bytes = b""
    stream: BinaryIO = field(default_factory=io.BytesIO)
    trouble: Fault | None = None
    on_bytes: OnBytes | None = None
    head_has_mark: bool = False

    @property
    def name(self) -> str:
        """How messages and records call the input."""
        return self.input.name

    def utf8(self) -> tuple[BinaryIO, int]:
        """Its text as UTF-8 without a byte order mark, and the byte offset at which that begins.

        UTF-16 and UTF-32 are converted (then offsets count the converted bytes). Bytes that are not what
        the encoding allows come out as bytes that are not UTF-8, so that they are noticed where they stand.
        """
        if self.encoding == "utf-8":
            if self.head_has_mark:
                self.stream.read(len(codecs.BOM_UTF8))
                return self.stream, len(codecs.BOM_UTF8)
            return self.stream, 0
        return _buffered(_recode(self.stream, self.encoding)), 0


@contextmanager
def open_input(item: Input) -> Iterator[Opened]:
    """Open an input. Raises MissingInput if it cannot be opened."""
    file = _open_file(item)
    try:
        opened = Opened(item)
        raw = _read_raw(file, opened) if item.member is None else _read_member(file, opened)
        first = next(raw, b"")
        while len(first) < HEAD_BYTES and (more := next(raw, b"")):
            first += more
        opened.compression = _compression_of(first)
        plain = _decompress(_chain([first], raw), opened)
        if item.member is not None:
            opened.compression = opened.compression or "zip"
        _look_at_head(plain, opened)
        yield opened
    finally:
        if item.path is not None:
            file.close()


def _open_file(item: Input) -> BinaryIO:
    if item.path is None:
        return sys.stdin.buffer
    try:
        return item.path.open("rb", buffering=0)
    except OSError as error:
        raise MissingInput(f"{item.name}: {(error.strerror or 'cannot be opened').lower()}") from None


def _read_raw(file: BinaryIO, opened: Opened) -> Iterator[bytes]:
    while True:
        try:
            block = file.read(BLOCK_BYTES)
        except OSError as error:
            opened.trouble = Fault(
                "unreadable", f"the file cannot be read further: {error.strerror or 'input error'}"
            )
            return
        if not block:
            return
        if opened.on_bytes is not None:
            opened.on_bytes(len(block))
        yield block


def _read_member(file: BinaryIO, opened: Opened) -> Iterator[bytes]:
    assert opened.input.member is not None
    member = MemberReader(file, opened.input.member)
    try:
        for block in member.blocks():
            if opened.on_bytes is not None:
                opened.on_bytes(len(block))
            yield block
    except OSError as error:
        member.trouble = Fault(
            "unreadable", f"the file cannot be read further: {error.strerror or 'input error'}"
        )
    opened.trouble = opened.trouble or member.trouble


def _chain(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from rest


def _compression_of(first: bytes) -> str | None:
    if first.startswith(GZIP_MAGIC):
        return "gz"
    return "zst" if first.startswith((ZSTD_MAGIC, *ZSTD_SKIPPABLE)) else None


def _decompress(blocks: Iterator[bytes], opened: Opened) -> Iterator[bytes]:
    if opened.compression == "gz":
        return _gunzip(blocks, opened)
    return _unzstd(blocks, opened) if opened.compression == "zst" else blocks


def _look_at_head(plain: Iterator[bytes], opened: Opened) -> None:
    first: list[bytes] = []
    while sum(map(len, first)) < HEAD_BYTES and (block := next(plain, b"")):
        first.append(block)
    head = b"".join(first)
    opened.head_has_mark = head.startswith(codecs.BOM_UTF8)
    opened.encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    shown = head[:HEAD_BYTES].removeprefix(codecs.BOM_UTF8)
    if opened.encoding != "utf-8":
        shown = shown[: len(shown) // 4 * 4].decode(opened.encoding, "replace").encode()
    opened.head = shown
    opened.stream = _buffered(_chain([head], plain))


def _buffered(blocks: Iterator[bytes]) -> BinaryIO:
    return io.BufferedReader(BlockStream(blocks), BLOCK_BYTES)


def _recode(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass" if encoding == "utf-16" else "replace")
    while block := stream.read(BLOCK_BYTES):
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    rest, _ = decoder.getstate()
    if rest:
        # Half a character at the end: a byte that is not UTF-8 marks the place.
        yield b"\xff"


def _gunzip(blocks: Iterator[bytes], opened: Opened) -> Iterator[bytes]:
    """The members of a gzip file, one after another; zero bytes between and after them are padding."""
    pending = b""
    while True:
        pending = (pending or next(blocks, b"")).lstrip(b"\0")
        if not pending:
            if (more := next(blocks, b"")) == b"":
                return
            pending = more
            continue
        if len(pending) < len(GZIP_MAGIC):
            pending += next(blocks, b"")
        if not pending.startswith(GZIP_MAGIC):
            opened.trouble = Fault(
                "corrupt", "the compressed file is followed by bytes that are no gzip data"
            )
            return
        pending = yield from _gunzip_member(pending, blocks, opened)
        if opened.trouble:
            return


def _gunzip_member(pending: bytes, blocks: Iterator[bytes], opened: Opened) -> Generator[bytes, None, bytes]:
    """One member's content; returns what was read beyond it."""
    member = zlib.decompressobj(wbits=31)
    while not member.eof:
        pending = pending or next(blocks, b"")
        if not pending:
            opened.trouble = opened.trouble or _truncated()
            return b""
        before = member.copy()
        try:
            out = member.decompress(pending, OUTPUT_BYTES)
        except zlib.error:
            yield from _gunzip_up_to_fault(before, pending)
            opened.trouble = Fault(
                "corrupt", "the compressed data is damaged; what stands before the damage was read"
            )
            return b""
        pending = member.unconsumed_tail
        if out:
            yield out
    return member.unused_data


def _gunzip_up_to_fault(member: zlib._Decompress, pending: bytes) -> Iterator[bytes]:
    # zlib keeps back the output of a call that fails: go on byte by byte to have all that stands before the
    # damage.
    try:
        for place in range(len(pending)):
            out = member.decompress(pending[place : place + 1], OUTPUT_BYTES)
            while out:
                yield out
                out = (
                    member.decompress(member.unconsumed_tail, OUTPUT_BYTES) if member.unconsumed_tail else b""
                )
    except zlib.error:
        return


def _unzstd(blocks: Iterator[bytes], opened: Opened) -> Iterator[bytes]:
    """The frames of a Zstandard file, one after another."""
    decompressor = zstandard.ZstdDecompressor()
    frame = None
    for block in blocks:
        for start in range(0, len(block), ZSTD_BITE):
            bite = block[start : start + ZSTD_BITE]
            while bite:
                frame = frame or decompressor.decompressobj()
                try:
                    out = frame.decompress(bite)
                except zstandard.ZstdError:
                    opened.trouble = Fault(
                        "corrupt", "the compressed data is damaged; what stands before the damage was read"
                    )
                    return
                bite, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
                if out:
                    yield out
    if frame is not None:
        opened.trouble = opened.trouble or _truncated()


def _truncated() -> Fault:
    return Fault("truncated", "the compressed file ends before its data does; what is there was read")
