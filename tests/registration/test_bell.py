"""A rush of mails wakes the workers a few times a second, and nobody's mail is left without a ring after it."""

import threading
import time

import pytest

from registration.bell import PAUSE, Bell
from tests.servers import wait_until


@pytest.fixture
def rings():
    return []


@pytest.fixture
def bell(rings):
    bell = Bell(lambda: rings.append(time.monotonic()))
    yield bell
    if bell.later:
        bell.later.join(5)


def test_the_first_rings_at_once(bell, rings):
    bell.ring()
    assert len(rings) == 1


def test_a_rush_rings_once_more_after_its_last(bell, rings):
    started = time.monotonic()
    for _mail in range(200):
        bell.ring()
    last = time.monotonic()
    wait_until(lambda: rings[-1] >= last, 5)
    assert len(rings) <= 2 + (last - started) / PAUSE
    assert rings[-1] - last < PAUSE + 1
    time.sleep(2 * PAUSE)
    assert rings[-1] - last < PAUSE + 1


def test_after_a_pause_it_rings_at_once_again(bell, rings):
    bell.ring()
    time.sleep(PAUSE * 1.5)
    bell.ring()
    assert len(rings) == 2
    assert bell.later is None


def test_from_many_threads_every_ring_is_followed_by_a_sound(bell, rings):
    rung = []

    def ring():
        for _mail in range(50):
            bell.ring()
            rung.append(time.monotonic())
            time.sleep(0.002)

    threads = [threading.Thread(target=ring) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: rings[-1] >= max(rung) - PAUSE and bell.later is None, 5)
    assert 1 < len(rings) < 400 / 4


def test_a_clock_that_was_far_ahead_keeps_nobody_waiting(bell, rings):
    bell.quiet_until = time.monotonic() + 1_000_000
    bell.ring()
    wait_until(lambda: len(rings) == 1, 5)
