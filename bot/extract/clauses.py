"""A trigger word in its part of a Chinese sentence: what stands before it, and how what stands in a place is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.extract import money
from bot.extract.names import Hit, Name, Trigger
from bot.extract.placed_names import named_in
from bot.extract.roles import Act, Scene, take
from bot.extract.short_names import Look
from bot.extract.text import Sentence, vocabulary
from storage.models import Kind


@dataclass(slots=True)
class Clause:
    """A trigger word in its part of a sentence, which runs from `start` to `stop`."""

    scene: Scene
    sentence: Sentence
    hit: Hit
    trigger: Trigger
    act: Act
    start: int
    stop: int
    least: Look = Look.CERTAIN  # how much a run must look like a firm's name here
    passive: re.Match[str] | None = None  # the passive mark before the word, in `left`

    @property
    def left(self) -> str:
        """The part before the word."""
        return self.scene.skeleton[self.start : self.hit.start]

    @property
    def is_active(self) -> bool:
        """No passive mark stands before the word; 因 tells only why."""
        return self.passive is None or self.passive.group() == "因"

    @property
    def is_of_firms(self) -> bool:
        """A regulator does here what is done to firms only: 被银保监会通报."""
        word = self.scene.reading.folded[self.hit.start : self.hit.end]
        return word in vocabulary("han", "firm_acts") and bool(self.scene.bodies(self.sentence.start, self.stop))

    def has_sum(self, start: int, end: int) -> bool:
        """Whether a sum of money stands between the offsets."""
        return bool(money.sums(self.scene.reading.folded, start, end))

    def hits(self, run: list[Name]) -> bool:
        """The run is what the act hits, as far as the words beside its names allow."""
        return take(self.scene, self.act, run)

    def places(self, start: int, end: int, least: Look) -> bool:
        """Take the short name between the offsets for what the act hits."""
        is_spoken_for = self.trigger.kind is Kind.TALKS
        placed = named_in(self.scene, start, end, least=least, is_corporate=self.is_of_firms, is_spoken_for=is_spoken_for)
        return self.hits(placed)
