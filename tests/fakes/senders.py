"""Senders as the outbox sees them, and the Slack that they post to: what stands in each channel, by delivery and part.

A model for the outbox's state machine. It has no HTTP and draws nothing: a sender here does what `bot.deliver` does with a
claimed delivery, one message at a time, so that it can be stopped between any two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.models import DeliveryKind
from storage.views import DueDelivery

LEASE = timedelta(minutes=2)
PATIENCE = LEASE / 2
"""A try that lasts longer ends itself, so that nobody else begins it meanwhile."""
IN_A_MESSAGE = 8
"""Actions in one message of a thread."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message that stands in a channel."""

    channel: str
    delivery_id: int
    kind: DeliveryKind
    part: int  # 0: the first message of its delivery
    at: datetime
    is_reply: bool
    tells: frozenset[int]  # actions
    is_again: bool  # it stood there already, as the sender could not know: the reply was lost, and nothing may be read


@dataclass(slots=True)
class Place:
    """A channel in Slack."""

    workspace: str
    is_archived: bool = False
    posts: list[Post] = field(default_factory=list)


@dataclass(slots=True)
class Hand:
    """A sender with one delivery in its hand: what of it stands, as far as the sender knows."""

    due: DueDelivery
    until: datetime  # it posts nothing any more then
    lease_until: datetime
    may_post_at: datetime
    ts: str | None
    parts: set[int] = field(default_factory=set)
    has_looked: bool = False

    @property
    def place(self) -> str:
        """Slack's id of the channel."""
        return self.due.channel.slack_id

    @property
    def length(self) -> int:
        """Messages that it takes: one, or a root and its thread."""
        return 1 + -(-len(self.threaded) // IN_A_MESSAGE)

    @property
    def threaded(self) -> tuple[int, ...]:
        """Actions that are told in a thread: of a digest, or of a roll-up."""
        if self.due.rollup is not None:
            return tuple(view.id for view in self.due.rollup.actions)
        if self.due.digest is not None:
            return tuple(view.id for view in (*(view for view, _ in self.due.digest.moved), *self.due.digest.new))
        return ()

    @property
    def is_reply(self) -> bool:
        """Whether its message is a reply under a card."""
        return self.due.kind is DeliveryKind.UPDATE and self.due.card_ts is not None

    @property
    def missing(self) -> int | None:
        """The next message to post; None: all of it stands."""
        return next((part for part in range(self.length) if part not in self.parts), None)


class SmallSlack:
    """What stands, and what may be done."""

    def __init__(self, places: Iterable[tuple[str, str]]) -> None:
        self.places = {name: Place(workspace) for name, workspace in places}
        self.can_read = True

    def take(self, hand: Hand, part: int, at: datetime) -> str:
        """A message is posted: its time stamp."""
        place = self.places[hand.place]
        tells = frozenset(hand.threaded if part else [hand.due.action.id] if hand.due.action else hand.threaded)
        is_again = part in self.found(hand)
        place.posts.append(Post(hand.place, hand.due.id, hand.due.kind, part, at, hand.is_reply or part > 0, tells, is_again))
        return f"{len(place.posts)}.{hand.due.id}"

    def found(self, hand: Hand) -> dict[int, str]:
        """The parts of a delivery that stand, with their time stamps."""
        posts = enumerate(self.places[hand.place].posts, start=1)
        return {post.part: f"{at}.{hand.due.id}" for at, post in posts if post.delivery_id == hand.due.id}

    def roots(self, name: str) -> Iterator[Post]:
        """The posts of a channel that are no replies, those that stand twice counted once."""
        return (post for post in self.places[name].posts if not post.is_reply and not post.is_again)
