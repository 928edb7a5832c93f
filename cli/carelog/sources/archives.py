"""Exports that vendors ship as a zip archive: each file in it is an input by itself, read where it lies.

Nothing is unpacked to disk and no name in an archive is ever used as a path, so it cannot write anywhere.
A member is decompressed as it is read, in constant memory; archives whose members share their bytes or
swell beyond all measure (zip bombs) are refused. An archive in an archive is not opened.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from carelog.errors import MissingInput, UnusableInput
from carelog.sources.blocks import Fault
from carelog.sources.paths import Input, Member, display_name

ZIP_MAGIC = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# What marks workbooks, documents and programs, which are zip archives as well.
_NO_EXPORTS = frozenset(["[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF", "AndroidManifest.xml"])
MOST_MEMBERS = 500_000
MOST_SWELLING = 200
"""So many times its packed size a member may have; text that people write has 3 to 20 times."""
ALWAYS_ALLOWED = 64 * 1024 * 1024
"""A member of no more bytes is read, however well it is packed."""
BLOCK_BYTES = 256 * 1024
OUTPUT_BYTES = 1024 * 1024


def open_archive(item: Input) -> Iterator[Input]:
    """The files in an archive, in the order of their names, each as an input; else the input itself.

    Raises MissingInput if the file cannot be opened, UnusableInput for an archive that cannot be read.
    """
    if item.is_stream or item.path is None or not _begins_as_zip(item):
        yield item
        return
    try:
        with zipfile.ZipFile(item.path) as archive:
            found = archive.infolist()
            size = item.path.stat().st_size
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise UnusableInput(
            f"{item.name}: the zip archive is damaged or not whole ({error})",
            "save it again or unpack it; of a workbook, save the sheet as CSV",
        ) from None
    if any(member.filename in _NO_EXPORTS for member in found):
        yield item
        return
    _check_archive(item.name, found, size)
    for member in sorted(found, key=lambda m: m.filename):
        if not member.is_dir() and not _is_hidden(member.filename):
            yield _to_input(item, member)


def find_member(name: str) -> Input | None:
    """The file in a zip archive that messages call `name` (the archive as typed, and the name in it); None if
    there is none. UnusableInput for an archive that cannot be read.
    """
    cuts = [at for at, letter in enumerate(name) if letter in "/\\" and Path(name[:at]).is_file()]
    if not cuts:
        return None
    members = open_archive(Input(display_name(name[: cuts[0]]), Path(name[: cuts[0]])))
    return next((member for member in members if member.name == display_name(name)), None)


def _begins_as_zip(item: Input) -> bool:
    assert item.path is not None
    try:
        with item.path.open("rb") as file:
            return file.read(4) == ZIP_MAGIC
    except OSError as error:
        raise MissingInput(f"{item.name}: {(error.strerror or 'cannot be opened').lower()}") from None


def _check_archive(name: str, found: list[zipfile.ZipInfo], size: int) -> None:
    # Members that share their bytes are how a small archive unpacks to more than any disk holds.
    if len(found) > MOST_MEMBERS or sum(member.compress_size for member in found) > size:
        raise UnusableInput(f"{name}: the zip archive claims to hold more than it does; it is not opened")
    files = [member for member in found if not member.is_dir()]
    if files and all(member.flag_bits & _ENCRYPTED for member in files):
        raise UnusableInput(f"{name}: the zip archive has a password", "unpack it and name the folder")


def _is_hidden(name: str) -> bool:
    parts = [part for part in name.split("/") if part not in (".", "..")]
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _to_input(archive: Input, found: zipfile.ZipInfo) -> Input:
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in found.filename)
    is_sealed = bool(found.flag_bits & _ENCRYPTED) or found.compress_type not in _READABLE
    member = Member(
        found.header_offset,
        found.compress_size,
        found.file_size,
        found.CRC,
        found.compress_type == zipfile.ZIP_STORED,
        is_sealed,
    )
    return replace(archive, name=f"{archive.name}/{shown}", member=member, walked=True)


@dataclass(slots=True)
class MemberReader:
    """The bytes of one member, decompressed; `trouble`, set while reading, says why they end early."""

    file: BinaryIO
    member: Member
    trouble: Fault | None = None

    def blocks(self) -> Iterator[bytes]:
        """The member's bytes, some at a time."""
        member = self.member
        if member.is_sealed:
            self.trouble = Fault(
                "sealed", "this file of the zip archive has a password or is packed in a way that is not read"
            )
            return
        allowed = max(ALWAYS_ALLOWED, MOST_SWELLING * member.packed)
        size, checksum = 0, 0
        for block in self._packed() if member.is_stored else self._inflated():
            size, checksum = size + len(block), zlib.crc32(block, checksum)
            yield block
            if size > allowed:
                self.trouble = Fault(
                    "swells", "this file of the zip archive grows beyond all measure; the rest is not read"
                )
                return
        if self.trouble is None and (checksum != member.checksum or size != member.size):
            self.trouble = Fault(
                "corrupt", "this file of the zip archive is damaged: it is not what was packed"
            )

    def _packed(self) -> Iterator[bytes]:
        self.file.seek(self.member.offset)
        header = self.file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(ZIP_MAGIC):
            self.trouble = Fault("corrupt", "this file is not where the zip archive says")
            return
        *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        self.file.seek(name_length + extra_length, 1)
        left = self.member.packed
        while left > 0 and (block := self.file.read(min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block
        if left > 0:
            self.trouble = Fault(
                "truncated", "the zip archive ends before its data does; what is there was read"
            )

    def _inflated(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(wbits=-15)
        try:
            for block in self._packed():
                pending = block
                while pending and not inflater.eof:
                    out = inflater.decompress(pending, OUTPUT_BYTES)
                    pending = inflater.unconsumed_tail
                    if out:
                        yield out
            while not inflater.eof and (out := inflater.decompress(inflater.unconsumed_tail, OUTPUT_BYTES)):
                yield out
        except zlib.error:
            self.trouble = Fault(
                "corrupt", "the compressed data is damaged; what stands before the damage was read"
            )
