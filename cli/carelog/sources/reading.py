"""From inputs to blocks of records: which format each input has, and its records in order.

`identify` looks at every input before anything is read, so that a mistake on the command line costs no
time; `read_chunks` reads them one after another; `parse_chunk` is the part of the work that other processes
can do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from carelog.errors import CarelogError, MissingInput, UnusableInput, UsageProblem
from carelog.sources.archives import open_archive
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats import FORMATS, Format, detect_formats
from carelog.sources.lines import file_finding
from carelog.sources.paths import Input, find_inputs
from carelog.sources.streams import HEAD_BYTES, OnBytes, Opened, open_input

EMPTY = "empty"
_EMPTY, _BLANK = "it is empty", "it holds nothing but blanks"
_HOW_TO_SAY = f"if you know its format, say so with --from NAME ({', '.join(FORMATS)})"


@dataclass(frozen=True, slots=True)
class Known:
    """An input whose format is known: its name in FORMATS (or `empty`), and what told it.

    An input that can be read only once stays open in between; then `opened` is it.
    """

    input: Input
    format: str
    reason: str
    opened: Opened | None = None


@dataclass(slots=True)
class Inputs:
    """The inputs of a run, in the order in which they are read; close it to let go of those that are open.

    `skipped` are files that were met in a folder and are of no known format; `problems` what could not be
    opened or told, where the run goes on nevertheless.
    """

    known: list[Known] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    problems: list[CarelogError] = field(default_factory=list)
    keep_going: bool = False
    open_ones: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Inputs:
        return self

    def __exit__(self, *_: object) -> None:
        self.open_ones.close()

    def note(self, problem: CarelogError) -> None:
        """Keep a problem of one input, or raise it where the run is not to go on."""
        if not self.keep_going:
            raise problem
        self.problems.append(problem)

    def advice(self) -> str:
        """What to try where nothing that was read could be used."""
        formats = {known.format for known in self.known}
        if formats & {"qualtrics", "surveymonkey"}:
            return (
                "answers to a survey are joined to interactions with --surveys F --on KEY, or need --channel"
            )
        if formats and all(name in FORMATS and FORMATS[name].is_general for name in formats):
            return (
                "if it is another system's export, `carelog convert --infer FILE -o F` writes a first mapping,"
                " and --mapping F reads with it"
            )
        return "is this the right format (--from) and channel (--channel)?"

    def total_bytes(self) -> int | None:
        """The size of all files as they lie on disk; None if one has no size (standard input)."""
        if any(item.input.path is None or item.opened is not None for item in self.known):
            return None
        return sum(_size_of(item.input) for item in self.known)


def identify(paths: Sequence[str], from_format: str | None = None, keep_going: bool = False) -> Inputs:
    """Find the inputs that `paths` name and tell the format of each (`from_format` says it for all).

    Raises MissingInput for what does not exist or cannot be opened, UnusableInput for a named file that is of
    no known format, UsageProblem where several formats claim one; with `keep_going` the first two go to
    `problems` instead.
    """
    inputs = Inputs(keep_going=keep_going)
    try:
        for item in find_inputs(paths, inputs.note):
            try:
                _identify_all(item, from_format, inputs)
            except (MissingInput, UnusableInput) as problem:
                inputs.note(problem)
    except BaseException:
        inputs.open_ones.close()
        raise
    return inputs


def _size_of(item: Input) -> int:
    if item.member is not None:
        return item.member.size
    return item.path.stat().st_size if item.path is not None else 0


def _identify_all(item: Input, from_format: str | None, inputs: Inputs) -> None:
    """Tell the format of an input, or of each file in it if it is a zip archive."""
    before = len(inputs.known)
    try:
        members = list(open_archive(item))
    except UnusableInput:
        if item.walked:
            inputs.skipped.append(item.name)
            return
        if from_format is None:
            raise
        members = [item]  # Who says what it is knows that it is no archive.
    for member in _of_format(members, from_format):
        _identify_one(member, from_format, inputs)
    if members == [item]:
        return
    _pass_over_byproducts(inputs, before)
    if not item.walked and len(inputs.known) == before:
        raise UnusableInput(f"{item.name}: no file in the zip archive is of a known format", _HOW_TO_SAY)


def _pass_over_byproducts(inputs: Inputs, first: int) -> None:
    """Skip the settings and lists of which an archive is full beside what was exported: tables and JSON that
    are no records, where other files of the archive (those from `first` on) are of a vendor's format.
    """
    members = inputs.known[first:]
    if all(_is_general(known) for known in members):
        return
    kept = [known for known in members if not _is_general(known) or _names_ids(known.input)]
    inputs.skipped += [known.input.name for known in members if known not in kept]
    inputs.known[first:] = kept


def _is_general(known: Known) -> bool:
    if known.format == EMPTY:
        return known.reason in (_EMPTY, _BLANK)
    return FORMATS[known.format].is_general


def _names_ids(item: Input) -> bool:
    with open_input(item) as opened:
        return b"interaction_id" in opened.head


def _of_format(members: list[Input], from_format: str | None) -> list[Input]:
    """Of several files those that look like the format that is said for all: pictures lie beside a chat."""
    if from_format is None or len(members) == 1:
        return members
    chosen = []
    for member in members:
        with open_input(member) as opened:
            if FORMATS[from_format].detect(opened.head, opened.name) is not None:
                chosen.append(member)
    return chosen or members


def _identify_one(item: Input, from_format: str | None, inputs: Inputs) -> None:
    if item.is_stream:
        opened = inputs.open_ones.enter_context(open_input(item))
        known = _tell(opened, from_format)
        if known is not None:
            inputs.known.append(Known(item, *known, opened))
        return
    with open_input(item) as opened:
        known = _tell(opened, from_format)
    if known is not None:
        inputs.known.append(Known(item, *known))
    else:
        inputs.skipped.append(item.name)


def _tell(opened: Opened, from_format: str | None) -> tuple[str, str] | None:
    """The format of an input and what tells it; None for a file in a folder that nothing claims."""
    if not opened.head and opened.trouble is None:
        return EMPTY, _EMPTY
    if from_format is not None:
        return from_format, "--from says so"
    claims = detect_formats(opened.head, opened.name)
    if not claims and len(opened.head) < HEAD_BYTES and opened.head.isspace() and opened.trouble is None:
        return EMPTY, _BLANK
    if len(claims) == 1:
        return next(iter(claims.items()))
    if claims:
        told = "; ".join(f"{name} ({reason})" for name, reason in sorted(claims.items()))
        raise UsageProblem(f"{opened.name} could be of several formats: {told}", "say which with --from NAME")
    if opened.trouble is not None and opened.input.member is not None:
        return EMPTY, opened.trouble.message  # One damaged file of an archive costs only itself.
    if opened.trouble is not None:
        raise UnusableInput(f"{opened.name}: {opened.trouble.message}")
    if opened.input.walked:
        return None
    hint = hint_for(opened.head) or _HOW_TO_SAY
    raise UnusableInput(f"{opened.name} is of no known format", hint)


def hint_for(head: bytes) -> str | None:
    """What to do about well-known files that are not read."""
    signatures = {
        b"PK\x03\x04": "it is a workbook (save the sheet as CSV) or a zip archive (name it, do not pipe it)",
        b"\xd0\xcf\x11\xe0": "it is an old office document or an Outlook mail (.msg): save the sheet as CSV, "
        "the mail as .eml",
        b"!BDN": "it is an Outlook mailbox (.pst): export the folder as .eml or mbox",
        b"%PDF": "it is a PDF: ask the system that made it for an export as CSV or JSON",
        b"PK\x05\x06": "it is a zip archive with nothing in it",
        b"7z\xbc\xaf": "it is a 7-Zip archive: unpack it and name the folder",
        b"Rar!": "it is a RAR archive: unpack it and name the folder",
        b"BZh": "it is compressed with bzip2: unpack it first",
        b"\xfd7zXZ": "it is compressed with xz: unpack it first",
    }
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "it is a web page: save the export as JSON (Telegram, Messenger), CSV or text instead"
    if head[257:262] == b"ustar":
        return "it is a tar archive: unpack it and name the folder"
    return next((text for magic, text in signatures.items() if head.startswith(magic)), None)


def read_chunks(
    inputs: Inputs, options: ReadOptions, on_bytes: OnBytes | None = None
) -> Iterator[Chunk | Block]:
    """All records of the inputs, input after input, as chunks and blocks; of each input at least one block.

    An input that can no longer be opened is MissingInput, raised or kept among the problems. `on_bytes` hears
    how many bytes were taken from the files.
    """
    for group in _groups(inputs.known):
        reader = FORMATS.get(group[0].format)
        try:
            if reader is not None and reader.read_together is not None:
                yield from _read_together(reader, group, options, on_bytes)
            else:
                yield from _read_one(group[0], reader, options, on_bytes)
        except MissingInput as missing:
            inputs.note(missing)


def _groups(known: Sequence[Known]) -> Iterator[list[Known]]:
    """Each input by itself, but those of a format that reads them together as one, where the first stands."""
    together: dict[str, list[Known]] = {}
    for item in known:
        reader = FORMATS.get(item.format)
        if reader is None or reader.read_together is None:
            yield [item]
        elif item.format not in together:
            together[item.format] = [other for other in known if other.format == item.format]
            yield together[item.format]


def _read_one(
    known: Known, reader: Format | None, options: ReadOptions, on_bytes: OnBytes | None
) -> Iterator[Chunk | Block]:
    name = known.input.name
    if reader is None:
        is_damaged = known.reason not in (_EMPTY, _BLANK)
        fault = Fault("corrupt", known.reason) if is_damaged else Fault("empty", "the input is empty")
        finding = file_finding(name, fault, severity="error" if is_damaged else "warning")
        yield Block(name, known.format, findings=[finding])
        return
    yield Block(name, known.format)
    with ExitStack() as stack:
        opened = _open(known, stack, on_bytes)
        yield from reader.read(opened, options)
        yield from _trouble_of(opened, known.format)


def _open(known: Known, stack: ExitStack, on_bytes: OnBytes | None) -> Opened:
    opened = known.opened or stack.enter_context(open_input(known.input))
    opened.on_bytes = on_bytes
    return opened


def _read_together(
    reader: Format, group: Sequence[Known], options: ReadOptions, on_bytes: OnBytes | None
) -> Iterator[Chunk | Block]:
    assert reader.read_together is not None
    troubled: list[Block] = []

    def opened_ones() -> Iterator[Opened]:
        for known in group:
            with ExitStack() as stack:
                opened = _open(known, stack, on_bytes)
                yield opened
                troubled.extend(_trouble_of(opened, known.format))

    for known in group:
        yield Block(known.input.name, known.format)
    yield from reader.read_together(opened_ones(), options)
    yield from troubled


def _trouble_of(opened: Opened, format_name: str) -> Iterator[Block]:
    if opened.trouble is not None:
        yield Block(opened.name, format_name, findings=[file_finding(opened.name, opened.trouble)])


def parse_chunk(part: Chunk | Block) -> Block:
    """A chunk as a block, in whichever process; a block as it is."""
    if isinstance(part, Block):
        return part
    parse = FORMATS[part.format].parse
    assert parse is not None, f"format {part.format} yields chunks but has no parse"
    return parse(part)


def read_blocks(inputs: Inputs, options: ReadOptions) -> Iterator[Block]:
    """All records of the inputs as blocks, read and parsed in this process."""
    return map(parse_chunk, read_chunks(inputs, options))
