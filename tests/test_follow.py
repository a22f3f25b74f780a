"""Notices' own pages: followed once, a few at a poll, kept beside what the list said, and never a reason to tell a thing twice."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.feeds import Failed, Fetched, FetchResult
from bot.feeds.asking import unit_address
from bot.follow import BODIES
from bot.poll import Poller
from storage import Store
from storage.intents import FollowIntent
from storage.models import Document, Followed, Health
from storage.records import DocumentText, Extraction, PollOutcome, PollRecord, SourceRow
from tests.fakes.clock import FakeClock
from tests.fakes.world import BODY, CHANNEL, read

DEFINITION = {
    "list_path": "list", "title_selector": "title", "link_selector": "url", "date_selector": "date", "date_format": "%Y-%m-%d",
    "body_selector": "div.text",
}  # fmt: skip
SOURCE = SourceRow(id="xx-list", regulator_id="xx", url="https://body.example/api", kind="json", definition=DEFINITION)


@dataclass
class Pages:
    """A list in JSON, and the pages behind it; `asked` are the pages that were asked for."""

    rows: list[dict[str, str]] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, number: int, text: str | None, *, title: str = "", day: str = "2021-03-18") -> None:
        """A notice; without a text its page cannot be had."""
        url = f"https://body.example/{number}.html"
        self.rows = [row for row in self.rows if row["url"] != url]
        self.rows.insert(0, {"title": title or f"Notice {number}", "url": url, "date": day})
        if text is not None:
            words = f"<p>{text}</p><p>{'Words of the notice. ' * 20}</p>"
            self.pages[url] = f"<html><body><nav>Home</nav><div class='text'>{words}</div></body></html>"

    async def fetch(self, row: SourceRow, *, etag: str | None = None, last_modified: str | None = None) -> FetchResult:
        return Fetched(row.url, 200, json.dumps({"list": self.rows}).encode(), "application/json", None, None, None, 0.0)

    async def page(self, url: str, row: SourceRow) -> Fetched | Failed:
        self.asked.append(url)
        if url not in self.pages:
            return Failed(Health.ERROR, "no whole answer", None, None, 0.0)
        return Fetched(url, 200, self.pages[url].encode(), "text/html; charset=utf-8", None, None, None, 0.0)


@dataclass
class Scene:
    """A poller over that list."""

    web: Pages
    store: Store
    clock: FakeClock
    poller: Poller

    async def poll(self) -> Any:
        """A poll, an hour later."""
        self.clock.forward(hours=1)
        self.web.asked.clear()
        (line,) = await self.poller.poll(["xx-list"])
        return line

    async def documents(self) -> list[Document]:
        """All of them, the oldest first."""
        async with self.store._read() as session:
            return list((await session.exec(select(Document).order_by(Document.url))).all())


@pytest.fixture
async def scene(sqlite_store: Store, clock: FakeClock) -> Scene:
    web = Pages()
    await sqlite_store.sync_catalogue([BODY], [SOURCE])
    await sqlite_store.follow(FollowIntent(CHANNEL, "U1", Followed.ALL))
    return Scene(web, sqlite_store, clock, Poller(sqlite_store, web, read, now=clock))


async def test_a_title_alone_is_followed_and_its_page_tells_the_act(scene: Scene) -> None:
    scene.web.put(1, "An old matter.")
    await scene.poll()
    scene.web.put(2, "Acme Ltd was fined yesterday.", day="2021-03-19")
    line = await scene.poll()
    assert (line.new, line.actions, line.owed) == (1, 1, 1)
    _, new = await scene.documents()
    assert new.title == "Notice 2"
    assert new.text.startswith("Acme Ltd was fined yesterday.")
    assert new.listed is not None
    assert new.listed["text"] == ""
    assert new.body_read_at == scene.clock()


async def test_a_page_is_asked_for_once(scene: Scene) -> None:
    scene.web.put(1, "An old matter.")
    await scene.poll()
    assert scene.web.asked == ["https://body.example/1.html"]
    for _ in range(3):
        line = await scene.poll()
        assert (scene.web.asked, line.new, line.changed, line.owed) == ([], 0, 0, 0)


async def test_a_first_poll_follows_a_few_and_the_next_ones_the_rest_without_a_word(scene: Scene) -> None:
    for number in range(10, 22):
        scene.web.put(number, f"Firm{number} was fined.")
    told = [await scene.poll() for _ in range(4)]
    assert [(line.new, line.changed, line.owed) for line in told] == [(12, 0, 0), (0, BODIES, 0), (0, 12 - 2 * BODIES, 0), (0, 0, 0)]
    assert all(document.body_read_at for document in await scene.documents())
    assert (await scene.store.counts())["actions"] == 12


async def test_a_page_that_cannot_be_had_is_tried_again_and_then_alerts(scene: Scene) -> None:
    scene.web.put(1, "An old matter.")
    await scene.poll()
    scene.web.put(2, None, day="2021-03-19")
    line = await scene.poll()
    assert (line.new, line.actions, line.health) == (1, 0, Health.OK)
    scene.web.put(2, "Acme Ltd was fined.", day="2021-03-19")
    line = await scene.poll()
    assert (line.new, line.changed, line.actions, line.owed) == (0, 1, 1, 1)


async def test_a_page_that_is_gone_is_tried_three_times_and_says_why(scene: Scene) -> None:
    scene.web.put(1, None)
    asked = []
    for _ in range(5):
        await scene.poll()
        asked += scene.web.asked
    assert len(asked) == 3
    (document,) = await scene.documents()
    assert (document.body_tries, document.body_detail, document.body_read_at) == (3, "no whole answer", None)


async def test_an_edit_in_the_list_reads_the_page_again(scene: Scene) -> None:
    scene.web.put(1, "Acme Ltd was warned.")
    await scene.poll()
    scene.web.put(1, "Acme Ltd was fined.", title="Notice 1, corrected")
    line = await scene.poll()
    assert (line.new, line.changed, line.actions) == (0, 1, 1)
    (document,) = await scene.documents()
    assert document.title == "Notice 1, corrected"
    assert "was fined" in document.text


async def test_an_edit_waits_for_a_page_that_was_read_before(scene: Scene) -> None:
    """Else the firms of the page would seem to be named no more."""
    scene.web.put(1, "Acme Ltd was fined.")
    await scene.poll()
    page = scene.web.pages.pop("https://body.example/1.html")
    scene.web.put(1, None, title="Notice 1, corrected")
    for _ in range(2):
        line = await scene.poll()
        assert (line.health, line.new, line.changed, scene.web.asked) == (Health.OK, 0, 0, ["https://body.example/1.html"])
    (document,) = await scene.documents()
    assert "was fined" in document.text
    scene.web.pages["https://body.example/1.html"] = page
    line = await scene.poll()
    assert (line.new, line.changed, line.actions) == (0, 1, 0)
    (document,) = await scene.documents()
    assert (document.title, "was fined" in document.text) == ("Notice 1, corrected", True)


async def test_a_page_cannot_tell_twice_what_the_list_has_told(scene: Scene) -> None:
    scene.web.put(1, "An old matter.")
    await scene.poll()
    scene.web.put(2, None, title="Acme Ltd was fined", day="2021-03-19")
    first = await scene.poll()
    assert (first.actions, first.owed) == (1, 1)
    scene.web.put(2, "Acme Ltd was fined.", title="Acme Ltd was fined", day="2021-03-19")
    second = await scene.poll()
    assert (second.changed, second.actions, second.owed) == (1, 0, 0)


async def test_a_source_whose_selectors_no_page_has_proved_is_a_shadow_until_one_does(scene: Scene) -> None:
    await scene.store.sync_catalogue([BODY], [SOURCE, replace(SOURCE, id="xx-new", is_proved=False)])
    assert {view.id: view.mode.value for view in await scene.store.sources()} == {"xx-list": "live", "xx-new": "shadow"}
    scene.web.put(1, "An old matter.")
    scene.clock.forward(hours=1)
    await scene.poller.poll(["xx-new"])
    assert {view.id: view.mode.value for view in await scene.store.sources()} == {"xx-list": "live", "xx-new": "live"}


async def test_a_page_without_the_dates_that_its_row_speaks_of_proves_nothing(scene: Scene) -> None:
    await scene.store.sync_catalogue([BODY], [replace(SOURCE, id="xx-new", is_proved=False)])
    scene.web.put(1, "Menu", day="soon")
    await scene.poller.poll(["xx-new"])
    (view,) = [view for view in await scene.store.sources() if view.id == "xx-new"]
    assert view.mode.value == "shadow"
    assert "no real page" in view.mode_reason


async def test_a_part_of_a_list_proves_nothing(scene: Scene) -> None:
    await scene.store.sync_catalogue([BODY], [replace(SOURCE, id="xx-new", is_proved=False)])
    for number in (1, 2, 3):
        scene.web.put(number, "An old matter.", day="soon")
    await scene.poller.poll(["xx-new"])
    scene.web.put(4, "An old matter.", day="2021-03-18")
    scene.clock.forward(hours=1)
    await scene.poller.poll(["xx-new"])
    (view,) = [view for view in await scene.store.sources() if view.id == "xx-new"]
    assert view.mode.value == "shadow"


async def test_what_was_read_while_the_names_changed_claims_the_older_ones(sqlite_store: Store, clock: FakeClock) -> None:
    """They reload as each text is read, of the list as of the pages behind it: what claims newer names would not be read again."""
    n_read = 0

    def reads(document: DocumentText) -> Extraction:
        nonlocal n_read
        n_read += 1
        return read(document)

    web = Pages()
    await sqlite_store.sync_catalogue([BODY], [SOURCE])
    scene = Scene(web, sqlite_store, clock, Poller(sqlite_store, web, reads, now=clock, register_version=lambda: f"names {n_read}"))
    web.put(1, "An old matter.")
    web.put(2, None)
    await scene.poll()
    assert {row.register_version for row in await scene.documents()} == {"names 0"}
    web.put(2, "Acme Ltd was fined yesterday.")
    before = n_read
    await scene.poll()
    assert n_read > before
    assert [row.register_version for row in await scene.documents()] == ["names 0", f"names {before}"]


async def test_a_slow_host_holds_up_no_other(migrated_sqlite: Path, tmp_path: Path, clock: FakeClock) -> None:
    """What falls due while a host is still being asked is polled at once."""
    asked: list[str] = []
    release = asyncio.Event()

    class Later(Store):
        async def record_poll(self, record: PollRecord) -> PollOutcome:
            outcome = await super().record_poll(record)
            if asked.count("xx-quick") == 1:
                clock.forward(minutes=15)
            return outcome

    class Web(Pages):
        async def fetch(self, row: SourceRow, *, etag: str | None = None, last_modified: str | None = None) -> FetchResult:
            asked.append(row.id)
            if row.id == "xx-slow":
                await release.wait()
            elif asked.count("xx-quick") == 2:
                release.set()
            return await super().fetch(row)

    shutil.copy(migrated_sqlite, tmp_path / "regwatch.sqlite")
    store = Later(f"sqlite:///{tmp_path}/regwatch.sqlite", now=clock)
    rows = [replace(SOURCE, id=f"xx-{name}", url=f"https://{name}.example/api", poll_minutes=10) for name in ("slow", "quick")]
    await store.sync_catalogue([BODY], rows)
    clock.forward(minutes=10)
    summary = await Poller(store, Web(), read, now=clock).run_once()
    assert sorted(line.source for line in summary.lines) == ["xx-quick", "xx-quick", "xx-slow"]
    await store.close()


PARAMETERS = "{'parseType':'bulidstatic','pageId':'a1','tagId':'&#21491;'}"
UNIT = f'<html><script parseType="bulidstatic" url="/gateway/unit?" queryData="{PARAMETERS}"></script></html>'

UNITS: list[tuple[str, str, str | None]] = [
    ("a script's two attributes", "<script queryData=\"{'pageId':'a&amp;1'}\" url=\"/unit\">", "https://body.example/unit?pageId=a%261"),
    ("in the other order, in capitals", "<DIV URL='/unit' QUERYDATA=\"{'p':'1'}\">", "https://body.example/unit?p=1"),
    ("another host's, for the guard to judge", "<script url='//other.example/u' queryData=\"{'p':'1'}\">", "https://other.example/u?p=1"),
    ("no address", "<script queryData=\"{'p':'1'}\">", None),
    ("no parameters", "<script url='/unit'>", None),
    ("parameters that are code", "<script url='/unit' queryData=\"__import__('os').system('x')\">", None),
    ("parameters that are no words", "<script url='/unit' queryData=\"{'p': [1]}\">", None),
    ("brackets without end", "<script url='/unit' queryData='" + "(" * 3000 + "'>", None),
    (
        "the first that can be read",
        "<script url='/a' queryData='x'><script url='/b' queryData=\"{'p':'1'}\">",
        "https://body.example/b?p=1",
    ),
    ("a page without any", "<html><li><a href='/1'>One</a></li></html>", None),
]


@pytest.mark.parametrize(("markup", "address"), [case[1:] for case in UNITS], ids=[case[0] for case in UNITS])
def test_where_a_page_loads_its_list_from(markup: str, address: str | None) -> None:
    assert unit_address(markup.encode(), "https://body.example/list/index.html") == address


async def test_a_list_one_step_behind_its_page(sqlite_store: Store, clock: FakeClock) -> None:
    definition = {
        "list_path": "unit:data.html",
        "item_selector": "li",
        "title_selector": "a",
        "link_selector": "a",
        "date_selector": "span",
    }
    row = replace(SOURCE, kind="html-list", url="https://body.example/list/index.html", definition=definition | {"date_format": "%Y-%m-%d"})
    await sqlite_store.sync_catalogue([BODY], [row])
    listed = "<ul><li><a href='/1.html'>Notice 1</a><span>2021-03-18</span></li></ul>"

    class Web(Pages):
        async def fetch(self, row: SourceRow, *, etag: str | None = None, last_modified: str | None = None) -> FetchResult:
            assert (etag, last_modified) == (None, None)
            return Fetched(row.url, 200, self.pages.get("page", UNIT).encode(), "text/html", '"page"', None, None, 0.0)

    web = Web(
        pages={"https://body.example/gateway/unit?parseType=bulidstatic&pageId=a1&tagId=%E5%8F%B3": json.dumps({"data": {"html": listed}})}
    )
    poller = Poller(sqlite_store, web, read, now=clock)
    for _ in range(2):
        (line,) = await poller.poll(["xx-list"])
        assert (line.health, line.detail) == (Health.OK, "")
    (document,) = await Scene(web, sqlite_store, clock, poller).documents()
    assert (document.title, document.url) == ("Notice 1", "https://body.example/1.html")
    web.pages["page"] = "<html>Rebuilt</html>"
    (line,) = await poller.poll(["xx-list"])
    assert line.health is Health.CHANGED_LAYOUT
    assert "does not say any more" in line.detail
