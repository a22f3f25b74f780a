"""Feeds on 127.0.0.1 for tests that run the real commands: a small HTTP server, a writer of RSS, a catalogue that points at them."""

from __future__ import annotations

import csv
import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from xml.sax.saxutils import escape

from bot.feeds.catalog import SOURCE_COLUMNS


class Loopback:
    """`with Loopback() as web:` serves `web.pages` (path to body) at `web.url`, with ETags and 304; `web.host` is its host:port."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.requests = 0
        pages, owner = self.pages, self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.requests += 1
                body = pages.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                is_known = self.headers.get("If-None-Match") == etag
                self.send_response(304 if is_known else 200)
                self.send_header("ETag", etag)
                if not is_known:
                    self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if not is_known:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the commands have a log of their own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a feed that we write ourselves."""

    guid: str
    title: str
    text: str
    at: datetime
    link: str = ""


def rss(title: str, items: Iterable[Item], base: str) -> bytes:
    """An RSS 2.0 document."""
    parts = [
        f"<item><guid isPermaLink='false'>{escape(item.guid)}</guid><title>{escape(item.title)}</title>"
        f"<link>{escape(item.link or f'{base}/{item.guid}')}</link><pubDate>{format_datetime(item.at)}</pubDate>"
        f"<description>{escape(item.text)}</description></item>"
        for item in items
    ]
    head = f"<title>{escape(title)}</title><link>{base}/</link><description>{escape(title)}</description>"
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>{head}{''.join(parts)}</channel></rss>".encode()


def write_catalogue(path: Path, rows: Iterable[dict[str, str]]) -> None:
    """A CSV for REGWATCH_SOURCES. A row needs source_id, regulator_id and url; the rest is that of a live RSS feed."""
    common = {
        "kind": "rss",
        "content": "press releases",
        "language": "en",
        "status": "live",
        "confidence": "evidenced",
        "enabled_by_default": "yes",
        "poll_minutes": "60",
        "stale_after_days": "3650",
        "method": "GET",
        "client_policy": "identify",
        "tier": "primary",
        "min_entries": "1",
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SOURCE_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows({**common, **row} for row in rows)
