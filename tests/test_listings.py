"""Listings: what was read of a list, and that only the last page makes it complete."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import AzureError, StoreError
from shared_code.listings import Listing, verdict
from shared_code.model import ListRead, Reading
from shared_code.work import OutOfTime
from tests.fakes import subscription

SHOP = subscription(1, "Shop")


def pages(*sizes: int, error: Exception | None = None) -> Iterator[list[int]]:
    """Pages of these sizes, then an error."""
    for size in sizes:
        yield list(range(size))
    if error:
        raise error


def read(*sizes: int, error: Exception | None = None) -> Listing:
    """A listing of those pages, followed as far as it goes."""
    listing = Listing()
    with listing.attempt():
        for _ in listing.follow(pages(*sizes, error=error)):
            pass
    return listing


class TestListing:
    @pytest.mark.parametrize(
        ("sizes", "expected"), [((), ListRead(0, 0)), ((0,), ListRead(1, 0)), ((0, 3, 0, 2), ListRead(4, 5))]
    )
    def test_is_complete_after_the_last_page(self, sizes: tuple[int, ...], expected: ListRead) -> None:
        """An empty page is a page like any other."""
        listing = read(*sizes)

        assert (listing.complete, listing.read) == (True, expected)

    def test_an_error_is_the_reason_and_what_came_before_counts(self) -> None:
        listing = read(2, 1, error=AzureError("cannot read it"))

        assert (listing.complete, listing.read) == (False, ListRead(2, 3, "cannot read it"))

    def test_is_not_complete_before_the_last_page_was_asked_for(self) -> None:
        """Whoever stops in between has not seen everything."""
        listing = Listing()
        for _ in listing.follow(pages(1, 1)):
            break

        assert not listing.complete

    def test_an_error_after_the_last_page_makes_it_incomplete_again(self) -> None:
        """What was read could not be used."""

        def follow() -> None:
            list(listing.follow(pages(1)))
            raise AzureError("cannot be told")

        listing = Listing()
        with listing.attempt():
            follow()

        assert (listing.complete, listing.reason) == (False, "cannot be told")

    @pytest.mark.parametrize("error", [StoreError("away"), OutOfTime(), KeyError("x")])
    def test_other_errors_pass(self, error: Exception) -> None:
        """They are no property of the list."""
        with pytest.raises(type(error)):
            read(1, error=error)

    def test_the_checkpoint_stops_it_at_a_page(self) -> None:
        def stop() -> None:
            raise OutOfTime

        listing = Listing(stop)

        with pytest.raises(OutOfTime), listing.attempt():
            next(listing.follow(pages(1)))
        assert (listing.complete, listing.read) == (False, ListRead(0, 0))


class TestVerdict:
    def test_complete_only_if_every_list_is(self) -> None:
        found = verdict(SHOP, {"a": read(1), "b": read()}, resource_groups=1, resources=0, locks=2)

        assert (found.reading, found.reason) == (Reading.COMPLETE, None)
        assert (found.subscription_id, found.subscription_name) == (SHOP.id, "Shop")
        assert (found.resource_groups, found.resources, found.locks) == (1, 0, 2)
        assert found.lists == {"a": ListRead(1, 1), "b": ListRead(0, 0)}

    def test_each_reason_is_said_once(self) -> None:
        role, cut = AzureError("no role"), AzureError("cut off")

        found = verdict(SHOP, {"a": read(error=role), "b": read(1), "c": read(error=cut), "d": read(error=role)})

        assert (found.reading, found.reason) == (Reading.INCOMPLETE, "no role; cut off")
        assert [each.reason for each in found.lists.values()] == ["no role", None, "cut off", "no role"]

    def test_a_list_that_was_not_begun_is_not_complete(self) -> None:
        assert verdict(SHOP, {"a": Listing()}).reading is Reading.INCOMPLETE

    @given(failed=some.lists(some.booleans(), min_size=1, max_size=4))
    def test_any_failure_is_enough(self, failed: list[bool]) -> None:
        lists = {str(place): read(1, error=AzureError("x") if bad else None) for place, bad in enumerate(failed)}

        assert verdict(SHOP, lists).reading is (Reading.INCOMPLETE if any(failed) else Reading.COMPLETE)
