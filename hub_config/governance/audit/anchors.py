"""Notes outside, each day and on demand, where the chain ends: what its own files can't prove, these do.

An anchor is one line of signed JSON: number and hash of the newest event, the time, the key's fingerprint. It
is appended to a file on another machine's disk, or mailed, or both. Who holds the whole directory, its key
included, can write another chain; they can't unsay an anchor. Read again, the anchors say where the chain no
longer passes: cut short, rewritten, or another chain altogether.

Nothing of an event is in an anchor but its number and hash. Mail may wrap or quote: every line that holds
an anchor is found, whatever stands around it.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub_config.governance.audit.chain import AuditChain
from hub_config.governance.audit.event import AuditEvent, Decision
from hub_config.governance.audit.failures import AuditBroken, AuditFailure
from hub_config.governance.audit.keys import fingerprint, load_key
from hub_config.governance.audit.record import Anchor, NotCanonical, parse_anchor, sign
from hub_config.governance.audit.verification import Break, Verification, verify

_MARK = '{"said":{"at":'


@dataclass(frozen=True)
class Anchored:
    """What the anchors say of the chain. `problem` is about the anchors themselves: then they prove
    nothing."""

    verification: Verification
    anchors: int
    kept: int  # of the last anchor that the chain passes through: its number, 0 where none
    problem: str = ""

    @property
    def intact(self) -> bool:
        return self.verification.intact and not self.problem


def note(chain: AuditChain, *, who: str) -> Anchor:
    """The chain's end at this moment; that it was noted is the event it ends with."""
    chain.append(AuditEvent(who, "audit.anchor", None, Decision.ALLOWED))
    with chain.exclusive() as (key, head):
        return Anchor(head.number, head.hash, chain.now(), fingerprint(key.public_key()))


def line_of(chain: AuditChain, anchor: Anchor) -> str:
    """The anchor as it is kept outside. Raises AuditBroken where the key is gone."""
    key = load_key(chain.keys)
    if key is None:
        raise AuditBroken(f"{chain.keys} holds no audit key. Restore keys/ from its backup.")
    return sign(anchor, key).decode("ascii").rstrip("\n")


def append_line(path: Path, line: str) -> None:
    """Add the anchor to a file, on the disk when this returns; whole, or not at all: a disk that is full
    leaves no half of one. Never through a link, which may lead into the log itself. Raises AuditFailure with
    the remedy."""
    try:
        descriptor = os.open(
            path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600
        )
        try:
            _append_whole(descriptor, f"{line}\n".encode("ascii"))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise AuditFailure(
            f"The anchor can't be written to {path}: {error.strerror}. Check `audit.anchor_file`: a file of "
            "its own, no link, on a disk with room."
        ) from None


def _append_whole(descriptor: int, line: bytes) -> None:
    """The line on a line of its own, whatever an earlier crash left before it."""
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise OSError(errno.EINVAL, "not a file")
    torn = before.st_size > 0 and os.pread(descriptor, 1, before.st_size - 1) != b"\n"
    whole = b"\n" + line if torn else line
    try:
        if os.write(descriptor, whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before.st_size)
        raise


def verify_with(directory: Path, keys: Path, lines: Iterable[str]) -> Anchored:
    """Check the chain, and that it passes through every anchor of `lines`.

    An anchor that another key signed, or that was altered, is a problem of its own: the whole directory may
    have been replaced, key included, or the anchors touched. Compare the key's fingerprint with the one noted
    on paper.
    """
    found = list(_candidates(lines))
    key = load_key(keys)
    plain = verify(directory, keys)
    if key is None or not found:
        problem = "no anchor is in the file" if key else "there is no audit key here, and there are anchors"
        return Anchored(plain, len(found), 0, problem)
    anchors, problem = _opened(found, key.public_key())
    passages = {anchor.number: anchor.hash for anchor in anchors}
    if len(passages) < len({(anchor.number, anchor.hash) for anchor in anchors}):
        return Anchored(
            plain, len(found), 0, "two anchors of one number say two things: there were two chains"
        )
    outcome = verify(directory, keys, anchors=passages) if plain.intact else plain
    kept = max((number for number in passages if number <= outcome.events), default=0)
    if outcome.broken:
        kept = max((number for number in passages if number < outcome.broken.number), default=0)
        outcome = _located(outcome, kept)
    return Anchored(outcome, len(found), kept, problem)


def _located(outcome: Verification, kept: int) -> Verification:
    """A chain that is sound in itself and misses an anchor was rewritten after the last one it passes."""
    broken = outcome.broken
    if broken is None or "noted" not in broken.problem:
        return outcome
    span = f"{broken.problem}; it was cut or rewritten after event {kept}"
    located = Break(broken.number, broken.file, span)
    return Verification(**{**outcome.__dict__, "broken": located})


def _opened(found: Iterable[str], key: Ed25519PublicKey) -> tuple[list[Anchor], str]:
    anchors, foreign, altered = [], 0, 0
    own = fingerprint(key)
    for text in found:
        try:
            anchors.append(parse_anchor(f"{text}\n".encode("ascii"), key))
        except (NotCanonical, UnicodeEncodeError):
            foreign += _names_another_key(text, own)
            altered += not _names_another_key(text, own)
    problems = {
        f"{foreign} anchors are signed by another key than this one ({own}): the log was replaced": foreign,
        f"{altered} anchors are not as they were written": altered,
    }
    return anchors, "; ".join(text for text, count in problems.items() if count)


def _names_another_key(text: str, own: str) -> bool:
    try:
        said = json.loads(text)["said"]
        return isinstance(said, Mapping) and said.get("key") != own
    except (ValueError, KeyError, TypeError):
        return False


def _candidates(lines: Iterable[str]) -> Iterator[str]:
    """Whatever looks like an anchor: from its first brace to its last, on one line."""
    for line in lines:
        start, end = line.find(_MARK), line.rfind("}")
        if start >= 0:
            yield line[start : end + 1]
