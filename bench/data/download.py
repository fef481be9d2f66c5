"""Fetching one file so that a half of it never looks like the whole."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from bench.errors import DataUnavailable

STALLED_S = 30.0  # seconds without a byte before the connection is given up
CHUNK_BYTES = 1 << 20


def download(url: str, md5: str, target: Path, stalled_s: float = STALLED_S) -> Path:
    """``url`` as ``target``, written beside it first and renamed once its MD5 is right.

    Raises:
        DataUnavailable: no network, a cut-off transfer, another MD5, or a folder that cannot be
            written. The message says where the file may be put by hand.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part"
        )
    except OSError as error:
        raise _unavailable(target, url, f"{error.strerror}: {target.parent}") from error
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest = hashlib.md5(usedforsecurity=False)
            request = urllib.request.Request(url, headers={"User-Agent": "medspectral-bench"})
            with urllib.request.urlopen(request, timeout=stalled_s) as answer:
                expected = answer.length
                while chunk := answer.read(CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
            if expected is not None and file.tell() != expected:
                raise http.client.IncompleteRead(b"", expected - file.tell())
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != md5:
            raise _unavailable(target, url, f"its MD5 is {digest.hexdigest()}, not {md5}")
        part.chmod(0o644)  # mkstemp makes it the owner's alone
        part.replace(target)
    except (OSError, http.client.HTTPException) as error:
        raise _unavailable(target, url, _reason(error)) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it holds the connection
        return f"the server answered {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"no network? {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return "the transfer was cut off"
    return str(error) or type(error).__name__


def _unavailable(target: Path, url: str, reason: str) -> DataUnavailable:
    return DataUnavailable(
        f"{target.name} is not here and its download failed ({reason})",
        remedy=f"put the file from {url} at {target}",
    )
