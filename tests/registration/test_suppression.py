import random
from collections import Counter
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registration import suppression
from tests.registration.audit_tables import Bounds, Equations

GENDER, AGE, PROVINCE = ("female", "male", "other"), ("young", "old", ""), ("53", "73", "81", "91")


def true_number(people, frame, chosen, came):
    places = {frame[place]: answer for place, answer in chosen.items()}
    return sum(
        number
        for profile, number in people.items()
        if all(profile[place] == answer for place, answer in places.items()) and came in (None, profile[-1])
    )


def small_numbers(people, bounds):
    """Registered, attended, and those who did not come: what the pages show, and what is a difference of it."""
    for chosen, came, _shown in bounds.numbers:
        for of in {came, "0" if came else None}:
            if 0 < (number := true_number(people, bounds.frame, chosen, of)) < suppression.SMALLEST:
                yield chosen, of, number


def assert_true_where_shown(people, bounds):
    for chosen, came, shown in bounds.numbers:
        assert shown in (None, true_number(people, bounds.frame, chosen, came))


def assert_nobody_is_found_out(people, bounds):
    for chosen, of, number in small_numbers(people, bounds):
        least, most = bounds.of(chosen, of)
        assert least <= number <= most
        assert least < most, f"{chosen} {of} is {number}, and anybody can compute it"
        assert least == 0 or most >= suppression.SMALLEST, f"{chosen} {of} is seen to be between {least} and {most}"


def crowd(dice, number, *domains, weights=(12, 5, 1, 1)):
    people = Counter()
    for _person in range(number):
        answers = [dice.choices(domain, weights[: len(domain)])[0] for domain in domains]
        people[(*answers, dice.choice("110"))] += 1
    return people


profiles = st.tuples(st.sampled_from(GENDER), st.sampled_from(AGE), st.sampled_from("01"))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(profiles, st.integers(1, 9), min_size=1, max_size=18))
def test_no_small_number_of_a_table_can_be_computed(people):
    protected = suppression.protect(people, [GENDER, AGE])
    for frame in [(0,), (1,), (0, 1)]:
        bounds = Bounds(protected, frame)
        assert_true_where_shown(people, bounds)
        if sum(people.values()) >= suppression.SMALLEST:
            assert_nobody_is_found_out(people, bounds)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("number", [12, 60, 250])
def test_nor_of_any_two_questions_of_four(seed, number):
    """Each table shares its totals with all others; what one hides, another must not tell."""
    domains = [GENDER, AGE, PROVINCE, ("id", "en")]
    people = crowd(random.Random(seed), number, *domains)
    protected = suppression.protect(people, domains)
    for frame in combinations(range(4), 2):
        bounds = Bounds(protected, frame)
        assert_true_where_shown(people, bounds)
        assert_nobody_is_found_out(people, bounds)


def assert_no_equation_gives_a_small_number(people, protected):
    equations = Equations(protected)
    everybody = range(len(protected.domains))
    for places, cell, came in equations.hidden:
        chosen = dict(zip(places, cell, strict=True))
        if 0 < true_number(people, everybody, chosen, came) < suppression.SMALLEST:
            assert not equations.gives(places, cell, came), f"anybody can compute {chosen} {came}"


def participations(dice, number):
    """A few hundred in two webinars, where most of those who are in one are in the other."""
    people = Counter()
    for _person in range(number):
        answers = [dice.choices(domain, (12, 5, 1))[0] for domain in (GENDER, AGE)]
        answers.append(dice.choices(PROVINCE[:2], (12, 5))[0])
        states = [state for state in product("-ra", repeat=2) if set(state) != {"-"}]
        pool = [state for state in states if "-" in state] if dice.random() < 0.3 else states
        for webinar, state in zip("12", dice.choice(pool), strict=True):
            if state != "-":
                people[(*answers, webinar, "1" if state == "a" else "0")] += 1
    return people


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("number", [30, 150])
def test_nor_by_all_tables_of_two_questions_together(seed, number):
    """One that shows no total of the men, and another whose cells add up to it: that was the way to three people."""
    people = participations(random.Random(seed), number)
    protected = suppression.protect(people, [GENDER, AGE, PROVINCE[:2], ("1", "2")])
    assert_no_equation_gives_a_small_number(people, protected)


@pytest.mark.parametrize("seed", range(5))
def test_nor_of_a_crowd_with_few_answers_in_many_questions(seed):
    domains = [GENDER, AGE, PROVINCE, ("id", "en")]
    people = crowd(random.Random(seed), 40 + 60 * seed, *domains)
    assert_no_equation_gives_a_small_number(people, suppression.protect(people, domains))


def test_nor_by_a_narrowed_table_and_those_of_other_questions():
    """Whom a twin of other tables has changed is changed in the narrowed one too."""
    domains = [GENDER, ("young", "old"), PROVINCE[:3], ("id", "en")]
    offered = 0
    for seed in range(6):
        people = crowd(random.Random(seed), 900, *domains, weights=(30, 12, 3))
        protected = suppression.protect(people, domains, narrowed=(0, 1, 2))
        if protected.offers((0, 1, 2)):
            offered += 1
            assert_no_equation_gives_a_small_number(people, protected)
    assert offered


@pytest.mark.parametrize("seed", range(7))
def test_nor_by_subtracting_a_narrowed_table_from_the_whole(seed):
    """With every narrowed table of the three questions, whichever of them narrows, and all tables of two."""
    domains = [GENDER, ("young", "old"), PROVINCE[:3]]
    people = crowd(random.Random(seed), 900, *domains, weights=(30, 12, 3))
    protected = suppression.protect(people, domains, narrowed=(0, 1, 2))
    assert protected.offers((0, 1, 2))
    bounds = Bounds(protected, (0, 1, 2))
    assert_true_where_shown(people, bounds)
    assert_nobody_is_found_out(people, bounds)


def test_with_many_people_narrowed_tables_can_be_shown():
    ages = ("18", "25", "35", "45", "55", "undisclosed", "")
    for seed in range(3):
        people = crowd(random.Random(seed), 8000, GENDER, ages, PROVINCE, weights=(30, 20, 8, 3, 2, 1, 1))
        protected = suppression.protect(people, [GENDER, ages, PROVINCE], narrowed=(0, 1, 2))
        assert protected.offers((0, 1, 2))
        table = protected.tables[0, 1, 2]
        assert sum(cell not in protected.hidden[0, 1, 2] for cell in table) >= len(table) / 3


def test_the_tables_of_two_questions_are_the_same_whatever_is_narrowed():
    domains = [GENDER, ("young", "old"), PROVINCE[:3]]
    people = crowd(random.Random(1), 900, *domains, weights=(30, 12, 3))
    plain, narrowed = (suppression.protect(people, domains, narrowed=places) for places in (None, (0, 1, 2)))
    assert plain.tables.keys() < narrowed.tables.keys()
    assert {places: narrowed.hidden[places] for places in plain.hidden} == plain.hidden


def test_an_exhaustive_search_finds_a_second_truth_for_each_small_number():
    """In whole people, not in fractions: every table of seven people in six cells that looks the same."""
    people = Counter(
        {("female", "young", "1"): 1, ("female", "old", "1"): 2, ("male", "young", "1"): 3, ("male", "old", "0"): 1}
    )
    domains = [("female", "male"), ("young", "old")]
    protected = suppression.protect(people, domains)
    bounds = Bounds(protected, (0, 1))
    total = sum(people.values())
    alike = []
    for parts in product(range(total + 1), repeat=len(bounds.unknowns)):
        if sum(parts) == total:
            other = dict(zip(bounds.unknowns, parts, strict=True))
            if all(shown in (None, true_number(other, (0, 1), chosen, came)) for chosen, came, shown in bounds.numbers):
                alike.append(other)
    for chosen, of, _number in small_numbers(people, bounds):
        assert 0 in {true_number(other, (0, 1), chosen, of) for other in alike}


def test_large_numbers_stay_and_noughts_are_shown():
    people = {
        ("female", "young", "1"): 50,
        ("female", "old", "0"): 40,
        ("male", "young", "1"): 30,
        ("male", "old", "0"): 20,
    }
    protected = suppression.protect(people, [("female", "male", "other"), ("young", "old")])
    assert not any(protected.hidden.values())
    assert (protected.registered((0,), ("female",)), protected.attended((0,), ("female",))) == (90, 50)
    assert protected.registered((0,), ("other",)) == 0


def test_fewer_than_five_altogether_are_no_table_and_nobody_is_nought():
    few = suppression.protect({("female", "1"): 4}, [("female", "male")])
    assert [few.registered((), ()), few.registered((0,), ("male",)), few.attended((0,), ("female",))] == [None] * 3
    nobody = suppression.protect({}, [("female", "male")])
    assert (nobody.registered((), ()), nobody.attended((0,), ("male",))) == (0, 0)


def test_the_difference_of_registered_and_attended_is_a_number_of_the_table():
    """98 of 100 came: the two who did not are as few as any two."""
    people = {("female", "1"): 98, ("female", "0"): 2, ("male", "1"): 40, ("male", "0"): 40}
    protected = suppression.protect(people, [("female", "male")])
    assert (protected.registered((0,), ("female",)), protected.attended((0,), ("female",))) == (100, None)
    assert protected.attended((0,), ("male",)) is None  # it would follow from the total


def test_a_whole_group_with_the_telling_answer_is_hidden():
    people = {("73", "yes", "1"): 9, ("81", "no", "1"): 30, ("81", "yes", "1"): 9, ("81", "", "1"): 12}
    domains = [("73", "81"), ("yes", "no", "")]
    assert suppression.protect(people, domains).registered((0, 1), ("73", "yes")) == 9
    protected = suppression.protect(people, domains, telling=[(1, "yes")])
    assert protected.registered((0, 1), ("73", "yes")) is None
    least, most = Bounds(protected, (0, 1)).of({0: "73", 1: "yes"}, None)
    assert least < 9 <= most


def test_the_same_people_in_another_order_are_the_same_tables():
    people = crowd(random.Random(3), 80, GENDER, AGE, PROVINCE)
    backwards = dict(reversed(people.items()))
    domains = [GENDER, AGE, PROVINCE]
    assert suppression.protect(people, domains).hidden == suppression.protect(backwards, domains).hidden
