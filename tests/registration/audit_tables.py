"""What somebody can work out from a published table: the exact bounds of each number, by linear programming in fractions.

It knows nothing of how numbers are hidden: it sees what the pages show, and that people are whole and not negative.
"""

from fractions import Fraction
from itertools import combinations, product
from math import ceil, floor


class Bounds:
    """All tables of one frame of `protected`, from the whole down to its single cells, with and without attendance."""

    def __init__(self, protected, frame):
        self.protected, self.frame = protected, frame
        answers = [protected.domains[place] for place in frame]
        self.unknowns = [(*cell, came) for cell in product(*answers) for came in "10"]
        self.numbers = list(self.all_numbers(answers))
        rows, values = [], []
        for chosen, came, shown in self.numbers:
            if shown is not None:
                rows.append(self.members(chosen, came))
                values.append(Fraction(shown))
        self.simplex = Simplex(rows, values, len(self.unknowns))

    def all_numbers(self, answers):
        for many in range(len(self.frame) + 1):
            for places in combinations(range(len(self.frame)), many):
                of_all = tuple(self.frame[place] for place in places)
                for cell in product(*(answers[place] for place in places)):
                    chosen = dict(zip(places, cell, strict=True))
                    yield chosen, None, self.protected.registered(of_all, cell)
                    yield chosen, "1", self.protected.attended(of_all, cell)

    def members(self, chosen, came):
        return [
            Fraction(
                int(all(unknown[place] == answer for place, answer in chosen.items()) and came in (None, unknown[-1]))
            )
            for unknown in self.unknowns
        ]

    def of(self, chosen, came):
        """The whole numbers between the least and the most that it can be."""
        members = self.members(chosen, came)
        return ceil(self.simplex.least(members)), floor(-self.simplex.least([-part for part in members]))


class Simplex:
    """x >= 0 with rows @ x = values; by Bland's rule, so it ends."""

    def __init__(self, rows, values, number):
        self.number = number
        count = len(rows)
        self.table = [
            [*row, *(Fraction(int(other == place)) for other in range(count)), value]
            for place, (row, value) in enumerate(zip(rows, values, strict=True))
        ]
        self.basis = [number + place for place in range(count)]
        assert self.solve([Fraction(0)] * number + [Fraction(1)] * count, number + count) == 0, "contradicts itself"
        self.drop_artificial()

    def least(self, costs):
        return self.solve(list(costs), self.number)

    def solve(self, costs, width):
        while True:
            reduced = [
                costs[column] - sum(costs[base] * row[column] for base, row in zip(self.basis, self.table, strict=True))
                for column in range(width)
            ]
            enters = next((column for column in range(width) if reduced[column] < 0), None)
            if enters is None:
                return sum(costs[base] * row[-1] for base, row in zip(self.basis, self.table, strict=True))
            ratios = [
                (row[-1] / row[enters], self.basis[place], place)
                for place, row in enumerate(self.table)
                if row[enters] > 0
            ]
            assert ratios, "the number of people is published, so nothing is without bounds"
            self.pivot(min(ratios)[2], enters)

    def pivot(self, place, column):
        pivot = self.table[place][column]
        self.table[place] = [part / pivot for part in self.table[place]]
        for other, row in enumerate(self.table):
            if other != place and (factor := row[column]):
                self.table[other] = [
                    part - factor * own if own else part for part, own in zip(row, self.table[place], strict=True)
                ]
        self.basis[place] = column

    def drop_artificial(self):
        """Rows that say nothing new go; the others stand on unknowns alone."""
        for place in range(len(self.basis) - 1, -1, -1):
            if self.basis[place] < self.number:
                continue
            column = next((column for column in range(self.number) if self.table[place][column]), None)
            if column is None:
                del self.table[place], self.basis[place]
            else:
                self.pivot(place, column)
        self.table = [[*row[: self.number], row[-1]] for row in self.table]


class Equations:
    """What all tables say together, and whether a sum and a difference of them gives a number."""

    PRIME = 2**61 - 1  # as good as fractions, and quicker

    def __init__(self, protected):
        self.people = list(product(*protected.domains, "10"))
        self.basis, self.hidden = {}, []
        for places in sorted(protected.tables):
            if len(protected.domains) in places:  # the same by attendance
                continue
            for cell in product(*(protected.domains[place] for place in places)):
                self.read(places, cell, None, protected.registered(places, cell))
                self.read(places, cell, "1", protected.attended(places, cell))

    def read(self, places, cell, came, shown):
        if shown is None:
            self.hidden.append((places, cell, came))
        elif rest := self.without_known(self.members(places, cell, came)):
            first = min(rest)
            inverse = pow(rest[first], -1, self.PRIME)
            self.basis[first] = {place: part * inverse % self.PRIME for place, part in rest.items()}

    def members(self, places, cell, came):
        chosen = list(zip(places, cell, strict=True))
        return {
            number: 1
            for number, person in enumerate(self.people)
            if came in (None, person[-1]) and all(person[place] == answer for place, answer in chosen)
        }

    def without_known(self, row):
        """What is left of it when all that is known is taken away."""
        for first in range(len(self.people)):
            if (factor := row.get(first)) and first in self.basis:
                for place, part in self.basis[first].items():
                    row[place] = (row.get(place, 0) - factor * part) % self.PRIME
                row = {place: part for place, part in row.items() if part}
        return row

    def gives(self, places, cell, came):
        return not self.without_known(self.members(places, cell, came))
