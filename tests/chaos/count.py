"""The count after a storm: what the web told and the model says is owed, against what stands in Slack, and the database.

A message tells of an act when `RW-n` stands in it or in its thread; which delivery posted it, its metadata says. The database only
translates `RW-n` into the mark that the act has in its feed, and is looked over by itself.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.chaos.town import PLACES, Act, Place, Town
from tests.chaos.weather import payload_of
from tests.fakes.slack import Message, SlackStub

_REF = re.compile(r"\bRW-(\d+)\b")
_MARK = re.compile(r"\bLR-\d{5}\b")
_KINDS = ("alert", "rollup", "digest", "update", "notice")


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a question to the database, past all our own code."""
    if url.startswith("sqlite:///"):
        with sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=10) as connection:
            rows = connection.execute(sql).fetchall()
        connection.close()
        return rows
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()


def moment(value: Any) -> datetime:
    """A time stamp as either database gives it."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


@dataclass(slots=True)
class Post:
    """A delivery as it stands in a channel: its messages by part."""

    key: str
    parts: dict[int, list[Message]] = field(default_factory=lambda: defaultdict(list))

    @property
    def refs(self) -> set[int]:
        """The actions that it tells of."""
        return {int(ref) for messages in self.parts.values() for one in messages for ref in _REF.findall(one.shown)}

    @property
    def shown(self) -> str:
        """All that stands in it."""
        return "\n".join(one.shown for messages in self.parts.values() for one in messages)


def posts_of(slack: SlackStub, channel: str) -> dict[str, Post]:
    """What stands in a channel, by key."""
    found: dict[str, Post] = {}
    for message in slack.channels[channel].messages:
        payload = payload_of({"metadata": message.metadata})
        key = str(payload.get("key", f"without metadata: {message.ts}"))
        found.setdefault(key, Post(key)).parts[int(payload.get("part", 0))].append(message)
    return found


@dataclass(slots=True)
class Count:
    """What was found. Lists name what is wrong, a line each; `figures` is the table."""

    figures: dict[str, int | float | str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    digests_twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # all else that must not be

    def table(self) -> str:
        """The figures, then what is wrong."""
        width = max(map(len, self.figures))
        lines = [f"{name:<{width}}  {value}" for name, value in self.figures.items()]
        for title in ("lost", "twice", "digests_twice", "wrong"):
            lines += [f"{title}: {line}" for line in getattr(self, title)[:20]]
        return "\n".join(lines)


def count(town: Town, slack: SlackStub, url: str, since: datetime, until: datetime) -> Count:
    """Count all channels between two moments, after a drain."""
    found = Count()
    marks = _marks(url, town, found)
    acts = {act.mark: act for act in town.acts}
    owed = told = digests_due = digests_posted = 0
    kinds: Counter[str] = Counter()
    for place in PLACES:
        posts = posts_of(slack, place.id)
        kinds.update(key.partition(":")[0] for key in posts)
        tellers = _tellers(place, posts, marks, found)
        for act in acts.values():
            wanted = place.owed(act)
            if not wanted:
                if tellers[act.mark]:
                    found.wrong.append(f"{place.id} follows nothing of {act.mark} and was told: {', '.join(tellers[act.mark])}")
                continue
            owed += 1
            told += _look(place, act, wanted, tellers[act.mark], posts, found)
        due = place.digests(since, until)
        posted = {key.removeprefix("digest:"): post for key, post in posts.items() if key.startswith("digest:")}
        digests_due, digests_posted = digests_due + len(due), digests_posted + len(posted)
        _look_at_digests(place, due, posted, found)
        for key, post in posts.items():
            for part, messages in post.parts.items():
                if len(messages) > 1:
                    (found.digests_twice if key.startswith("digest:") and part == 0 else found.twice).append(
                        f"{place.id} {key} part {part} stands {len(messages)} times: {', '.join(one.ts for one in messages)}"
                    )
    _look_at_database(url, slack, found)
    found.figures |= {
        "documents": ask(url, "select count(*) from document")[0][0],
        "actions": len(marks),
        "told by the web": len(town.acts),
        "owed": owed,
        "posted": told,
        **{f"messages: {kind}": kinds[kind] for kind in _KINDS if kinds[kind]},
        "lost": len(found.lost),
        "twice": len(found.twice),
        "digests due": digests_due,
        "digests posted": digests_posted,
        "digests twice": len(found.digests_twice),
        "else wrong": len(found.wrong),
    }
    return found


def _marks(url: str, town: Town, found: Count) -> dict[int, str]:
    """The mark of each action; an act without an action is lost, one with two is twice."""
    marks = {int(row[0]): match[0] for row in ask(url, "select id, title from action") if (match := _MARK.search(row[1]))}
    many = Counter(marks.values())
    found.lost += [f"{act.mark}: no action" for act in town.acts if not many[act.mark]]
    found.twice += [f"{mark}: {number} actions" for mark, number in many.items() if number > 1]
    return marks


def _tellers(place: Place, posts: Mapping[str, Post], marks: Mapping[int, str], found: Count) -> dict[str, list[str]]:
    """The deliveries that tell of each mark in a channel."""
    tellers: dict[str, list[str]] = defaultdict(list)
    for key, post in posts.items():
        for ref in sorted(post.refs):
            if ref not in marks:
                found.wrong.append(f"{place.id} {key} tells of RW-{ref}, which is no action")
                continue
            tellers[marks[ref]].append(key)
        if key.startswith("alert:"):
            (ref,) = map(int, _REF.findall(key))
            if marks.get(ref, "?") not in post.shown:
                found.wrong.append(f"{place.id} {key} does not show {marks.get(ref)}")
    return tellers


def _look(place: Place, act: Act, wanted: str, tellers: list[str], posts: Mapping[str, Post], found: Count) -> bool:
    """Whether a channel was told of an act as it is owed."""
    messages = [key for key in tellers if key.startswith(("alert:", "rollup:"))]
    digests = [key for key in tellers if key.startswith("digest:")]
    # a case known from a roll-up alone may be told of again when it moves, in another
    if len(messages) > 1 + (act.is_edited and any(key.startswith("rollup:") for key in messages)):
        found.twice.append(f"{place.id} {act.mark}: {', '.join(messages)}")
    if len(digests) > 1 and not act.is_edited:
        found.twice.append(f"{place.id} {act.mark} is in {', '.join(digests)}")
    if wanted == "digest" and messages:
        found.wrong.append(f"{place.id} {act.mark} is for the digest and was told by {', '.join(messages)}")
    if tellers and not any(act.amount in posts[key].shown for key in tellers):
        found.wrong.append(f"{place.id} {act.mark}: nothing shows {act.amount}: {', '.join(tellers)}")
    is_told = bool(messages if wanted == "message" else digests)
    if not is_told:
        found.lost.append(f"{place.id} {act.mark}, told at {act.told_at.isoformat()}: {', '.join(tellers) or 'nowhere'}")
    elif place.digest_at and not digests:
        found.lost.append(f"{place.id} {act.mark} is in no digest: {', '.join(tellers)}")
        is_told = False
    return is_told


def _look_at_digests(place: Place, due: Mapping[Any, datetime], posted: Mapping[str, Post], found: Count) -> None:
    """One digest a local date, of a date that was due, not before its time; a date without one is told by a later one."""
    days = {day.isoformat(): at for day, at in due.items()}
    for day, post in posted.items():
        if day not in days:
            found.wrong.append(f"{place.id} has a digest of {day}, which was not due")
        elif any(float(one.ts) < days[day].timestamp() for messages in post.parts.values() for one in messages):
            found.wrong.append(f"{place.id} digest of {day} stands before {days[day].isoformat()}")
    for day in days:
        if day > max(posted, default=""):
            found.lost.append(f"{place.id} digest of {day}")


def _look_at_database(url: str, slack: SlackStub, found: Count) -> None:
    """Nothing is under way, nothing hangs loose, and what is sent stands where the row says."""
    for state, number in ask(
        url, "select state, count(*) from delivery where state in ('owed', 'leased', 'unknown', 'dead') group by state"
    ):
        found.wrong.append(f"{number} deliveries are {state}")
    if number := ask(url, "select count(*) from source where lease_until is not null")[0][0]:
        found.wrong.append(f"{number} sources are leased")
    sent = (
        "select c.slack_id, d.key, d.ts from delivery d join channel c on c.id = d.channel_id"
        " where d.state = 'sent' and d.rolled_into is null"
    )
    rows = {(channel, key): ts for channel, key, ts in ask(url, sent)}
    standing = {
        (channel, key): {one.ts for messages in post.parts.values() for one in messages}
        for channel in slack.channels
        for key, post in posts_of(slack, channel).items()
    }
    for (channel, key), ts in rows.items():
        if (channel, key) not in standing:
            found.lost.append(f"{channel} {key} is sent as {ts} and stands nowhere")
        elif ts not in standing[channel, key]:
            found.wrong.append(f"{channel} {key} is sent as {ts} and stands as {', '.join(sorted(standing[channel, key]))}")
    found.wrong += [f"{channel} {key} stands there and is not sent" for channel, key in standing if (channel, key) not in rows]
    orphans = {
        "documents without a key": "select count(*) from document where id not in (select document_id from documentkey)",
        "actions without a document": "select count(*) from action where id not in (select action_id from actiondocument)",
        "members of no roll-up": (
            "select count(*) from delivery where rolled_into is not null"
            " and rolled_into not in (select id from delivery where kind = 'rollup')"
        ),
    }
    found.wrong += [f"{number} {what}" for what, sql in orphans.items() if (number := ask(url, sql)[0][0])]
    if not url.startswith("sqlite"):
        found.figures["integrity"] = "constraints and orphans"
        return
    verdict = ask(url, "pragma integrity_check")[0][0]
    loose = len(ask(url, "pragma foreign_key_check"))
    found.figures["integrity"] = f"{verdict}, {loose} loose keys"
    if verdict != "ok" or loose:
        found.wrong.append(f"integrity: {found.figures['integrity']}")
