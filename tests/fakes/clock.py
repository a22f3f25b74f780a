"""A clock that stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Call it for the time; move it with `forward`."""

    def __init__(self, start: datetime | None = None) -> None:
        self.at = start or datetime(2021, 3, 19, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **kwargs: float) -> datetime:
        """Move on by the arguments of timedelta."""
        self.at += timedelta(**kwargs)
        return self.at

    async def wait(self, seconds: float) -> None:
        """What waits, moves it."""
        self.forward(seconds=seconds)
