"""Places and workers, in this process: who waits for whom, and what is tried again."""

import threading
from collections import deque

import pytest

from assets.pools.base import Order, Outcome, VideoBuild, WorkerLost
from assets.pools.pool import WorkerPool

ORDER = Order({}, {})


class Books:
    """Knows which videos are built, and how often each was tried; three times is enough."""

    def __init__(self) -> None:
        self.built: set[str] = set()
        self.closed: list[str] = []

    def choose(self, waiting: deque[str]) -> str:
        return waiting.popleft()

    def order(self, video_id: str) -> Order | None:
        is_wanted = video_id not in self.built and self.closed.count(video_id) < 3
        return Order({}, {"video": video_id}) if is_wanted else None

    def cancel(self, video_id: str) -> bool:
        return video_id in self.built

    def close(self, video_id: str, started: float, detail: str, *, is_blamed: bool) -> None:
        del started, detail, is_blamed
        self.closed.append(video_id)

    def ended(self, video_id: str) -> VideoBuild:
        return VideoBuild(video_id, video_id in self.built, "")


class Hand:
    """Builds what it is told. waits_for: who must look for room first; lost: what it is told is lost with it."""

    def __init__(
        self, books: Books, has_room: bool = True, waits_for: "Hand | None" = None, lost: bool = False
    ) -> None:
        self._books, self._has_room, self._waits_for, self._lost = books, has_room, waits_for, lost
        self._order = ORDER
        self.is_asked, self.is_gone = threading.Event(), threading.Event()

    def ready(self, timeout_s: float) -> bool:
        self.is_asked.set()
        if self._waits_for is not None:
            return self._waits_for.is_asked.wait(timeout_s)
        return self._has_room or self.is_gone.wait(0.01)

    def begin(self, order: Order) -> None:
        self._order = order

    def answer(self, timeout_s: float) -> Outcome | None:
        del timeout_s
        if self._lost:
            raise WorkerLost("its machine is gone")
        self._books.built.add(self._order.tags["video"])
        return Outcome()

    def leave(self) -> None:
        self.is_gone.set()

    def kill(self) -> None:
        self.is_gone.set()


def test_a_worker_that_finds_no_room_keeps_no_video_from_those_that_have_some():
    books = Books()
    without = Hand(books, has_room=False)
    hands = [without, Hand(books, waits_for=without)]
    ended = list(WorkerPool(books, list(hands).pop, lambda: 2, 100).build(["a", "b", "c"]))
    assert sorted(build.video_id for build in ended) == ["a", "b", "c"]
    assert books.built == {"a", "b", "c"}
    assert all(hand.is_gone.is_set() for hand in hands), "also who never began"


def test_where_more_room_is_found_during_a_build_more_is_built_at_once():
    books, rooms = Books(), iter([1])
    second = Hand(books)
    hands = [second, Hand(books, waits_for=second)]
    ended = list(WorkerPool(books, hands.pop, lambda: next(rooms, 2), 100).build(["a", "b"]))
    assert sorted(build.video_id for build in ended if build.built) == ["a", "b"]


@pytest.mark.parametrize(("lost", "is_built"), [(0, True), (2, True), (3, False)])
def test_a_video_whose_worker_is_lost_is_tried_again_until_it_is_given_up(lost: int, is_built: bool):
    books = Books()
    hands = [Hand(books), *[Hand(books, lost=True) for _ in range(lost)]]
    (ended,) = WorkerPool(books, hands.pop, lambda: 1, 100).build(["a"])
    assert ended.built is is_built
    assert len(books.closed) == min(lost + 1, 3)


def test_what_goes_wrong_for_all_videos_ends_the_build():
    def refused() -> Hand:
        raise PermissionError("nobody is hired here")

    with pytest.raises(PermissionError, match="nobody"):
        list(WorkerPool(Books(), refused, lambda: 2, 100).build(["a", "b"]))
