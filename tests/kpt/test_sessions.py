"""Sessions with few statements keep what Django's own promise."""

import pytest
from django.contrib.sessions.backends.base import UpdateError

from kpt.sessions import SessionStore
from registration.models import Session

pytestmark = pytest.mark.django_db


def saved(**data):
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def test_a_new_session_is_one_insert(django_assert_num_queries):
    session = SessionStore()
    session["who"] = "Yuliana"
    with django_assert_num_queries(1):
        session.save()
    assert SessionStore(session.session_key)["who"] == "Yuliana"
    assert Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_taken_is_tried_no_second_time(monkeypatch):
    taken = saved(who="Yuliana").session_key
    keys = iter([taken, "a" * 32])
    monkeypatch.setattr(SessionStore, "_get_new_session_key", lambda _self: next(keys))
    assert saved(who="Maria").session_key == "a" * 32
    assert SessionStore(taken)["who"] == "Yuliana"


def test_a_sign_in_moves_the_row_to_its_new_key_in_one_statement(django_assert_num_queries):
    old = saved(who="Yuliana").session_key
    session = SessionStore(old)
    session.cycle_key()
    session["code"] = "typed"
    with django_assert_num_queries(1):
        session.save()
    assert session.session_key != old
    assert dict(SessionStore(session.session_key).items()) == {"who": "Yuliana", "code": "typed"}
    assert dict(SessionStore(old).items()) == {}
    assert Session.objects.count() == 1


def test_until_the_new_key_is_saved_the_old_one_holds_what_it_held():
    """A request that fails saves nothing: then nobody is signed in, and the code is good for another try."""
    old = saved(who="Yuliana").session_key
    session = SessionStore(old)
    session.cycle_key()
    session["code"] = "typed"
    assert dict(SessionStore(old).items()) == {"who": "Yuliana"}


def test_a_key_may_change_twice_in_one_request():
    old = saved(who="Yuliana").session_key
    session = SessionStore(old)
    session.cycle_key()
    between = session.session_key
    session.cycle_key()
    session.save()
    assert [dict(SessionStore(key).items()) for key in (old, between)] == [{}, {}]
    assert SessionStore(session.session_key)["who"] == "Yuliana"


def test_signing_out_in_the_same_request_leaves_neither_key():
    old = saved(who="Yuliana").session_key
    session = SessionStore(old)
    session.cycle_key()
    session.flush()
    assert session.session_key is None
    assert not Session.objects.exists()
    assert dict(SessionStore(old).items()) == {}


def test_a_session_that_another_request_has_ended_does_not_come_back():
    key = saved(who="Yuliana").session_key
    session = SessionStore(key)
    session["who"] = "Maria"
    SessionStore(key).flush()
    with pytest.raises(UpdateError):
        session.save()
    session.cycle_key()
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()


def test_a_session_without_a_row_gets_one_when_its_key_changes():
    session = SessionStore()
    session.cycle_key()
    session["who"] = "Yuliana"
    session.save()
    assert SessionStore(session.session_key)["who"] == "Yuliana"
