"""Small numbers in tables of people are hidden so that nobody computes them back.

For every small number of a table a twin of the table is found, in which a few people have exchanged an answer (or had
another one) and that number is nought. Whatever differs between the two is hidden, in every table in which it stands: so
both give the very same published numbers, and nobody can tell which of them is the truth.

A profile is one answer to each question, and at its end whether the person attended.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product
from math import prod
from operator import itemgetter
from typing import Any

SMALLEST = 5
# Questions in one table: rows, columns and what it is narrowed to.
MOST_QUESTIONS = 3
# Three questions at once only for many people: finer tables would show next to nothing.
PEOPLE_A_CELL = 10

Profile = tuple[str, ...]
Cell = tuple[str, ...]
# The places of the questions in a profile that a table asks for.
Places = tuple[int, ...]
Table = dict[Cell, int]

# What it costs to hide a number of a table of so many questions: totals are dear, fine cells cheap.
COSTS = (1e6, 40.0, 4.0, 0.3)
DEAREST = 200
# A nought beside a small number hides little.
NOUGHT = 8
# Moves looked at for one step of a twin; more while none of them would do.
TRIED = 60
MOST_TRIED = 3000


@dataclass
class Protected:
    """Tables of the same people; `split` are those by attendance too, whose cells end in "1" or "0"."""

    domains: Sequence[Sequence[str]]
    tables: dict[Places, Table]
    hidden: dict[Places, set[Cell]] = field(default_factory=dict)
    # Fewer people altogether than may be shown.
    is_closed: bool = False
    # Whole people who have another answer in a twin, so that totals differ in it: what shows these totals must differ too.
    others: list["Change"] = field(default_factory=list)

    @property
    def attended_place(self) -> int:
        return len(self.domains)

    def add(self, people: Mapping[Profile, int], frame: Places) -> None:
        for places in (frame, (*frame, self.attended_place)):
            self.tables[places], self.hidden[places] = tabulate(people, places), set()

    def take_away(self, frame: Places) -> None:
        for places in (frame, (*frame, self.attended_place)):
            del self.tables[places], self.hidden[places]

    def offers(self, places: Places) -> bool:
        return self.is_closed or places in self.tables

    def registered(self, places: Places, cell: Cell) -> int | None:
        """None: hidden."""
        if self.is_closed or cell in self.hidden[places]:
            return None
        return self.tables[places].get(cell, 0)

    def attended(self, places: Places, cell: Cell) -> int | None:
        """Hidden as well when the number of those who did not come is, for it is the difference."""
        split = (*places, self.attended_place)
        if self.is_closed or (*cell, "1") in self.hidden[split] or (*cell, "0") in self.hidden[split]:
            return None
        return self.tables[split].get((*cell, "1"), 0)


def protect(
    people: Mapping[Profile, int],
    domains: Sequence[Sequence[str]],
    *,
    telling: Sequence[tuple[int, str]] = (),
    narrowed: Places | None = None,
) -> Protected:
    """All tables of one and two questions, and those of the three in `narrowed`, if they can be shown at all.

    `telling`: answers that must not be known of a whole group either, each as a place and a value.

    Tables share their totals alone, so each frame (some questions, split by attendance) finds twins for its own numbers,
    small ones first. A twin that leaves totals as they are concerns no other frame; one that changes them is made by people
    with all their answers, so that every frame has it. What one hides is hidden in all; that takes away no twin. Three
    questions hide nothing in the tables of two: those don't depend on which others are asked for.
    """
    protected = Protected(domains, {}, is_closed=0 < sum(people.values()) < SMALLEST)
    if protected.is_closed:
        return protected
    frames = [frame for many in range(MOST_QUESTIONS) for frame in combinations(range(len(domains)), many)]
    for frame in frames:
        protected.add(people, frame)
    for frame in frames:
        Protection(people, protected, frame, telling).run()
    if narrowed and size(domains, narrowed) * PEOPLE_A_CELL <= sum(people.values()):
        protected.add(people, narrowed)
        if not Protection(people, protected, narrowed, telling).run():
            protected.take_away(narrowed)
    return protected


def size(domains: Sequence[Sequence[str]], places: Places) -> int:
    return prod(len(domains[place]) for place in places)


def picker(places: Places) -> Any:
    """Profile to cell, in C: it is called millions of times."""
    match places:
        case ():
            return lambda profile: ()
        case (place,):
            return lambda profile: (profile[place],)
        case _:
            return itemgetter(*places)


def tabulate(people: Mapping[Profile, int], places: Places) -> Table:
    pick, table = picker(places), Counter[Cell]()
    for profile, number in people.items():
        table[pick(profile)] += number
    return dict(table)


# ---- Twins

Number = tuple[Places, Cell]
# A person, and who she would be in the twin.
Change = tuple[Profile, Profile]
# With the tables of which it can change a number.
Move = tuple[list[Change], list[Places]]
Check = Callable[[Profile], bool]


def changed(profile: Profile, place: int, answer: str) -> Profile:
    return (*profile[:place], answer, *profile[place + 1 :])


def changes_totals(changes: Sequence[Change]) -> bool:
    """Of a question, by attendance: other frames show them too."""
    return len(changes) == 1 or len({before[-1] for before, _after in changes}) > 1


def differences(pickers: Mapping[Places, Any], changes: Iterable[Change]) -> dict[Number, int]:
    """Of all these tables the numbers that the changes touch, and by how much; nought where one leaves and another comes."""
    touched: dict[Number, int] = {}
    for places, pick in pickers.items():
        for before, after in changes:
            left, come = (places, pick(before)), (places, pick(after))
            if left != come:
                touched[left] = touched.get(left, 0) - 1
                touched[come] = touched.get(come, 0) + 1
    return touched


def exchange(one: Profile, other: Profile, place: int) -> list[Change]:
    """The two exchange this answer, so that the numbers of each answer by itself stay as they are."""
    return [(one, changed(one, place, other[place])), (other, changed(other, place, one[place]))]


class Protection:
    """One frame: its people by its own questions, and all tables of these. Finds a twin for every small number."""

    def __init__(
        self,
        people: Mapping[Profile, int],
        protected: Protected,
        frame: Places,
        telling: Sequence[tuple[int, str]],
    ) -> None:
        whole = (*frame, protected.attended_place)
        own = [places for many in range(len(whole) + 1) for places in combinations(range(len(whole)), many)]
        of_all = {places: tuple(whole[place] for place in places) for places in own}
        self.everybody, self.protected, self.whole = people, protected, whole
        self.people = dict(sorted(protected.tables[whole].items()))
        self.attended = len(frame)
        self.is_narrowed = len(frame) == MOST_QUESTIONS
        self.domains = [*(protected.domains[place] for place in frame), ("0", "1")]
        self.tables = {places: protected.tables[of_all[places]] for places in own}
        self.hidden = {places: protected.hidden[of_all[places]] for places in own}
        self.pickers = {places: picker(places) for places in own}
        # Which tables ask all of these.
        self.with_places = {places: [others for others in own if set(places) <= set(others)] for places in own}
        self.elsewhere = {places: picker(places) for places in protected.tables.keys() - set(of_all.values())}
        self.open: dict[Number, int | None] = dict.fromkeys(filter(self.is_own, self.small()))
        groups = self.telling((frame.index(at), answer) for at, answer in telling if at in frame)
        self.open |= dict.fromkeys(filter(self.is_own, groups), 1)

    def run(self) -> bool:
        """False when a number stays without a twin."""
        for places, cell in self.open:
            self.hidden[places].add(cell)
        if self.is_narrowed:
            self.repeat_others()
        for places in sorted({places for places, _cell in self.open}, key=lambda places: (len(places), places)):
            wanted = sorted(cell for of, cell in self.open if of == places)
            members = self.members(places, wanted)
            for cell in wanted:
                if (places, cell) in self.open and not self.find_twin(places, cell, members[cell]):
                    return False
        return True

    # What must not be known

    def is_own(self, number: Number) -> bool:
        """Not a total, which has its twin already; that of a table of two needs not be one of three."""
        return self.is_narrowed or set(range(self.attended)) <= set(number[0])

    def small(self) -> Iterator[Number]:
        for places, table in self.tables.items():
            yield from ((places, cell) for cell, number in table.items() if 0 < number < SMALLEST)

    def telling(self, answers: Iterable[tuple[int, str]]) -> Iterator[Number]:
        """All of a group have this answer: whoever knows that somebody is in it knows her answer."""
        for place, answer in answers:
            for places in self.tables:
                if place not in places:
                    continue
                at = places.index(place)
                groups = self.tables[(*places[:at], *places[at + 1 :])]
                for cell, number in self.tables[places].items():
                    group = groups[(*cell[:at], *cell[at + 1 :])]
                    if cell[at] == answer and number == group >= SMALLEST:
                        yield places, cell

    def members(self, places: Places, cells: Iterable[Cell]) -> dict[Cell, list[Profile]]:
        found: dict[Cell, list[Profile]] = {cell: [] for cell in cells}
        pick = self.pickers[places]
        for profile in self.people:
            if (cell := pick(profile)) in found:
                found[cell].append(profile)
        return found

    # The twin of one of them

    def find_twin(self, places: Places, cell: Cell, members: Sequence[Profile]) -> bool:
        """Until nobody is left in the cell, or for the steps that it needs."""
        twin, changes, others = Counter[Profile](), Counter[Number](), list[Change]()
        leaving = [profile for profile in members for _person in range(self.people[profile])]
        for person in leaving[: self.open[places, cell]]:
            move = self.cheapest((places, cell), self.moves(places, person, twin, others), changes)
            if move is None:
                return False
            for before, after in move[0]:
                twin[before] -= 1
                twin[after] += 1
            changes.update(self.touched(move))
            others += self.wholes_for(move[0], others) or []
        self.hide_elsewhere(others)
        for (of, other), change in changes.items():
            if change:
                self.hidden[of].add(other)
                self.settle((of, other), change)
        return True

    def settle(self, number: Number, change: int) -> None:
        if number in self.open and (self.open[number] or self.tables[number[0]][number[1]] + change == 0):
            del self.open[number]

    def moves(
        self, places: Places, person: Profile, twin: Mapping[Profile, int], others: Sequence[Change]
    ) -> Iterator[Move]:
        """From those that change least to those that are always there."""

        def is_there(profile: Profile) -> bool:
            return self.people.get(profile, 0) + twin.get(profile, 0) > 0

        questions = [place for place in places if place != self.attended]
        if len(questions) == MOST_QUESTIONS:
            yield from self.cubes(person, is_there)
        yield from self.pairs(places, person, is_there, others)
        if self.is_narrowed and len(questions) == 2:
            yield from self.across(questions, person, is_there)
        for place in places:
            for answer in self.domains[place]:
                changes = [(person, changed(person, place, answer))]
                if answer != person[place] and self.can_be_whole(changes, others):
                    yield changes, self.with_places[place,]

    # Totals that change, in all frames

    @cached_property
    def wholes(self) -> dict[Profile, list[Profile]]:
        """Everybody with all answers, by those to the questions of this frame."""
        found: dict[Profile, list[Profile]] = {}
        pick = picker(self.whole)
        for profile in sorted(self.everybody):
            found.setdefault(pick(profile), []).append(profile)
        return found

    def wholes_for(self, changes: Sequence[Change], others: Sequence[Change]) -> list[Change] | None:
        """Whole people for a step that changes totals, none for another; None when there are none such people."""
        found: list[Change] = []
        if changes_totals(changes):
            for change in changes:
                if (somebody := self.find_whole(change, [*others, *found])) is None:
                    return None
                found.append(somebody)
        return found

    def can_be_whole(self, changes: Sequence[Change], others: Sequence[Change]) -> bool:
        """Who it is best is asked of the step that is taken; of three questions each must hide nothing anew."""
        if self.is_narrowed:
            return self.wholes_for(changes, others) is not None
        if not changes_totals(changes):
            return True
        gone = Counter(before for before, _after in others)
        befores = [before for before, _after in changes]
        return all(any(self.everybody[one] > gone[one] for one in self.wholes.get(before, ())) for before in befores)

    def find_whole(self, change: Change, others: Sequence[Change]) -> Change | None:
        """Who hides least in other frames by her other answer; nothing anew by three questions."""
        place = next(place for place, answer in enumerate(change[1]) if answer != change[0][place])
        number = Counter(after for _before, after in others)
        number.subtract(before for before, _after in others)
        hidden = {touched for touched, difference in self.touched_elsewhere(others).items() if difference}
        best, least = None, float("inf")
        for tried, before in enumerate(self.wholes.get(change[0], ())):
            if not least or tried > (MOST_TRIED if self.is_narrowed else TRIED):
                break
            if self.everybody[before] + number[before] > 0:
                somebody = before, changed(before, self.whole[place], change[1][place])
                if (cost := self.cost_elsewhere(somebody, hidden)) < least:
                    best, least = somebody, cost
        return best

    def cost_elsewhere(self, change: Change, hidden: Collection[Number]) -> float:
        anew = [
            (places, cell)
            for places, cell in self.touched_elsewhere([change])
            if cell not in self.protected.hidden[places] and (places, cell) not in hidden
        ]
        if anew and self.is_narrowed:
            return float("inf")
        return sum(
            COSTS[len(places) - (self.protected.attended_place in places)]
            * min(self.protected.tables[places].get(cell, 0) or NOUGHT, DEAREST)
            for places, cell in anew
        )

    def touched_elsewhere(self, others: Iterable[Change]) -> dict[Number, int]:
        return differences(self.elsewhere, others)

    def hide_elsewhere(self, others: Sequence[Change]) -> None:
        self.protected.others += others
        for (places, cell), change in self.touched_elsewhere(others).items():
            if change:
                self.protected.hidden[places].add(cell)

    def repeat_others(self) -> None:
        """In this frame, which was not there yet."""
        own = {self.whole[: self.attended]: picker(self.whole[: self.attended]), self.whole: picker(self.whole)}
        for places, cell in differences(own, self.protected.others):
            self.protected.hidden[places].add(cell)

    # How a person leaves a cell

    def cubes(self, person: Profile, is_there: Check) -> Iterator[Move]:
        """Two pairs exchange, so that the numbers of each two answers stay too."""
        first, second, third, *rest = person
        for one, two, three in product(*self.domains[:MOST_QUESTIONS]):
            if one == first or two == second or three == third:
                continue
            others = [(one, two, third, *rest), (one, second, three, *rest), (first, two, three, *rest)]
            if all(map(is_there, others)):
                yield exchange(person, others[0], 0) + exchange(others[1], others[2], 0), self.with_places[0, 1, 2]

    def pairs(self, places: Places, person: Profile, is_there: Check, others: Sequence[Change]) -> Iterator[Move]:
        """With somebody who differs in two of these answers and in nothing else."""
        for one, other in combinations(places, 2):
            for answer, second in product(self.domains[one], self.domains[other]):
                partner = changed(changed(person, one, answer), other, second)
                if answer != person[one] and second != person[other] and is_there(partner):
                    changes = exchange(person, partner, one)
                    if self.can_be_whole(changes, others):
                        yield changes, self.with_places[one, other]

    def across(self, questions: list[int], person: Profile, is_there: Check) -> Iterator[Move]:
        """With a partner whose third answer is another one; a second pair exchanges back what that would change."""
        one, other = questions
        [third] = {0, 1, 2} - {one, other}
        for partner in self.people:
            if partner[-1] != person[-1] or any(partner[place] == person[place] for place in range(MOST_QUESTIONS)):
                continue
            if not is_there(partner) or not self.is_hidden_already(one, other, person, partner):
                continue
            for answer in self.domains[other]:
                back = changed(changed(person, one, partner[one]), other, answer)
                forth = changed(changed(person, third, partner[third]), other, answer)
                if answer not in (person[other], partner[other]) and is_there(back) and is_there(forth):
                    yield exchange(person, partner, one) + exchange(back, forth, one), self.with_places[one,]

    def is_hidden_already(self, one: int, other: int, person: Profile, partner: Profile) -> bool:
        corners = (person, partner, changed(person, one, partner[one]), changed(partner, one, person[one]))
        pick, hidden = self.pickers[one, other], self.hidden[one, other]
        return all(pick(corner) in hidden for corner in corners)

    def cheapest(self, goal: Number, moves: Iterable[Move], changes: Mapping[Number, int]) -> Move | None:
        best, least = None, float("inf")
        for tried, move in enumerate(moves):
            if not least or (best and tried > TRIED) or tried > MOST_TRIED:
                break
            if (cost := self.cost(self.touched(move), changes, least)) < least:
                best, least = move, cost
        return best

    def cost(self, touched: Mapping[Number, int], changes: Mapping[Number, int], least: float) -> float:
        """Of what it would hide anew; reckoned no further than the cheapest known."""
        cost = 0.0
        for number, change in touched.items():
            if change and number[1] not in self.hidden[number[0]] and not changes.get(number):
                cost += self.price(*number)
                if cost >= least:
                    break
        return cost

    def price(self, places: Places, cell: Cell) -> float:
        number = self.tables[places].get(cell, 0)
        questions = len(places) - (self.attended in places)
        if self.is_narrowed and questions < MOST_QUESTIONS:
            return float("inf")
        price = COSTS[questions] * min(number or NOUGHT, DEAREST)
        return price / 2 if self.attended in places else price

    def touched(self, move: Move) -> dict[Number, int]:
        changes, tables = move
        return differences({places: self.pickers[places] for places in tables}, changes)
