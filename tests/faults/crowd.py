"""A process of its own full of people who sign up, hesitate, come back and cancel: `python -m tests.faults.crowd`."""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import django

THREADS = 6


class Crowd:
    def __init__(self, seed: int, webinars: list[int], most_seats: int) -> None:
        self.seed, self.webinars, self.most_seats = seed, webinars, most_seats
        self.done: list[tuple[str, int]] = []  # an append is whole, whichever threads do it at once
        self.errors: list[str] = []

    def run(self, people: range) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.live, people))

    def live(self, number: int) -> None:
        """One person's afternoon; every tenth is an organiser or the beat instead."""
        dice = random.Random(self.seed * 100_000 + number)
        act: Callable[[int, random.Random], None] = self.attend
        if number % 20 == 7:
            act = self.change_capacity
        elif number % 20 == 13:
            act = self.expire
        try:
            act(number, dice)
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            self.errors.append(f"{act.__name__}: {type(error).__name__}: {error}")
        finally:
            connection.close()

    def attend(self, number: int, dice: random.Random) -> None:
        for _visit in range(dice.choice([1, 1, 2, 3])):
            # Some come back as themselves with a plus-tag, and some as somebody whom another process knows too.
            who = number if dice.random() < 0.8 else number % 50
            given = self.answers(who, dice)
            user = signup.begin(given, now=timezone.now())
            if dice.random() < 0.85:
                self.type_code(user, given)
            if dice.random() < 0.4:
                self.cancel_one(user, dice)

    def type_code(self, user: "User", given: "signup.Answers") -> None:
        try:
            changed = signup.confirm(user, given, now=timezone.now())
        except User.DoesNotExist:  # forgotten with its hold; a real code ends long before
            self.done.append(("too late", 1))
        else:
            self.done.append(("confirmed", bool(changed)))

    def answers(self, number: int, dice: random.Random) -> "signup.Answers":
        tag = dice.choice(["", "", "+kpt"])
        person = dict.fromkeys(signup.Person.__annotations__, "")
        person |= {"name": f"Peserta Contoh {number}", "email": f"peserta{number}{tag}@example.org", "province": "73"}
        person |= {"gender": "undisclosed", "age_group": "undisclosed"}
        chosen = dice.sample(self.webinars, dice.randint(1, len(self.webinars)))
        given = {"person": person, "webinars": chosen, "partners": [], "language": "id"}
        return given | {"given_at": timezone.now().isoformat()}  # type: ignore[return-value]

    def cancel_one(self, user: "User", dice: random.Random) -> None:
        own = list(Registration.objects.managed_by(user).live().select_related("participant__account", "webinar"))
        if own:
            self.done.append(("cancelled", signup.cancel(dice.choice(own), now=timezone.now())))

    def change_capacity(self, number: int, dice: random.Random) -> None:
        webinar = dice.choice(self.webinars[:-1])  # the last has no limit
        Webinar.objects.filter(pk=webinar).update(capacity=dice.randint(20, self.most_seats))
        self.done.append(("promoted", waitinglist.promote(webinar, now=timezone.now())))

    def expire(self, number: int, dice: random.Random) -> None:
        self.done.append(("expired", signup.expire_holds(now=timezone.now())))


def main() -> None:
    seed, first, last, most_seats, *webinars = map(int, sys.argv[1:])
    signup.HOLD = timedelta(milliseconds=300)  # half an hour in fast motion
    crowd = Crowd(seed, webinars, most_seats)
    crowd.run(range(first, last))
    done: Counter[str] = Counter()
    for what, times in crowd.done:
        done[what] += times
    sys.stdout.write(json.dumps({"done": done, "errors": crowd.errors}))


if __name__ == "__main__":
    django.setup()

    from django.db import connection
    from django.utils import timezone

    from conference.models import Webinar
    from registration import signup, waitinglist
    from registration.models import Registration, User

    main()
