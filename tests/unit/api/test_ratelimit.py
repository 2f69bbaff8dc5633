import pytest

from kiosque.api.ratelimit import LoginThrottle, RateLimiter, client_of
from kiosque.core.errors import InvalidSettings, RateLimited


def test_requests_are_counted_down_to_nothing() -> None:
    limiter = RateLimiter("3/hour")
    taken = [limiter.take("key:1") for _ in range(4)]
    assert [each.remaining for each in taken if each] == [2, 1, 0, 0]
    assert [each.allowed for each in taken if each] == [True, True, True, False]


def test_each_caller_has_a_limit_of_their_own() -> None:
    limiter = RateLimiter("1/hour")
    one, other = limiter.take("key:1"), limiter.take("key:2")
    assert one is not None
    assert one.allowed
    assert other is not None
    assert other.allowed


def test_the_headers_say_how_much_is_left_and_when_there_is_more() -> None:
    taken = RateLimiter("10/minute").take("key:1")
    assert taken is not None
    headers = dict(taken.headers())
    reset = int(headers.pop("RateLimit-Reset"))
    assert 1 <= reset <= 60
    assert headers == {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "9",
        "RateLimit-Policy": "10;w=60",
    }


def test_no_rule_is_no_limit() -> None:
    assert RateLimiter("").take("key:1") is None


@pytest.mark.parametrize("rule", ["lots", "600", "-1/minute", "600/fortnight"])
def test_a_rule_that_cannot_be_read_is_named(rule: str) -> None:
    with pytest.raises(InvalidSettings, match="KIOSQUE_RATE_LIMIT"):
        RateLimiter(rule)


def test_guessing_one_password_from_one_place_ends_soon() -> None:
    throttle = LoginThrottle(pair="3/hour")
    for _ in range(3):
        throttle.check("ana", "198.51.100.7")
    with pytest.raises(RateLimited) as caught:
        throttle.check("ana", "198.51.100.7")
    assert caught.value.retry_after
    assert caught.value.retry_after >= 1


def test_the_same_user_elsewhere_is_not_locked_out() -> None:
    throttle = LoginThrottle(pair="1/hour")
    throttle.check("ana", "198.51.100.7")
    throttle.check("ana", "198.51.100.8")


def test_upper_and_lower_case_are_one_user() -> None:
    throttle = LoginThrottle(pair="1/hour")
    throttle.check("ana", "198.51.100.7")
    with pytest.raises(RateLimited):
        throttle.check("ANA", "198.51.100.7")


def test_many_names_from_one_place_end_too() -> None:
    throttle = LoginThrottle(address="3/hour")
    for name in ("ana", "ben", "cleo"):
        throttle.check(name, "198.51.100.7")
    with pytest.raises(RateLimited):
        throttle.check("dora", "198.51.100.7")


def test_many_places_against_one_name_end_too() -> None:
    throttle = LoginThrottle(user="3/hour")
    for n in range(3):
        throttle.check("ana", f"198.51.100.{n}")
    with pytest.raises(RateLimited):
        throttle.check("ana", "198.51.100.9")


def test_the_right_password_forgives_the_wrong_ones_before() -> None:
    throttle = LoginThrottle(pair="2/hour")
    throttle.check("ana", "198.51.100.7")
    throttle.check("ana", "198.51.100.7")
    throttle.succeeded("ana", "198.51.100.7")
    throttle.check("ana", "198.51.100.7")


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_customer(host: str | None, client: str) -> None:
    assert client_of(host) == client
