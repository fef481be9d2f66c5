"""A download is the whole file or no file, over a real HTTP server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.data.download import download
from bench.errors import DataUnavailable

CONTENT = bytes(range(256)) * 4096
RELEASED = threading.Event()  # ends the stalled answer with its test
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path in ("/cut", "/stall") else CONTENT)
        if self.path == "/stall":
            self.wfile.flush()
            RELEASED.wait(5)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        RELEASED.clear()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        RELEASED.set()
        running.shutdown()


def test_whole_file_arrives(server: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "file.npz"
    assert download(f"{server}/whole", MD5, target) == target
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("path", "md5", "reason"),
    [
        ("cut", MD5, "the transfer was cut off"),
        ("stall", MD5, "timed out"),
        ("missing", MD5, "the server answered 404"),
        ("whole", "0" * 32, f"its MD5 is {MD5}, not 0000"),
    ],
)
def test_nothing_stays_of_a_failed_download(
    server: str, tmp_path: Path, path: str, md5: str, reason: str
) -> None:
    target = tmp_path / "file.npz"
    with pytest.raises(DataUnavailable) as caught:
        download(f"{server}/{path}", md5, target, stalled_s=0.3)
    message = str(caught.value)
    assert reason in message
    assert message.endswith(f"put the file from {server}/{path} at {target}")
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailable, match=r"download failed \(no network\? ") as caught:
        download("http://127.0.0.1:1/file", MD5, tmp_path / "file.npz", stalled_s=1)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataUnavailable, match=r"download failed .*put the file"):
        download("http://127.0.0.1:1/x", MD5, tmp_path / "file" / "x.npz")
