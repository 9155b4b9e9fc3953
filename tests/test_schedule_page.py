"""docs/schedules.md is what its generator prints."""

from pathlib import Path

from devkit.schedules_page import REFUSED_ALTHOUGH_ACCEPTED, REJECTED, page
from shared_code.schedules import judge

PAGE = Path(__file__).parent.parent / "docs" / "schedules.md"


def test_the_page_is_up_to_date() -> None:
    """`python -m devkit.schedules_page > docs/schedules.md` mends this."""
    assert PAGE.read_text("utf-8") == page()


def test_every_example_is_in_its_table() -> None:
    """What stands under a heading is judged as the heading says."""
    for text in REFUSED_ALTHOUGH_ACCEPTED.values():
        judged = judge(text, {})
        assert (judged.azure.accepted, judged.steward.accepted) == (True, False)
    for text in REJECTED.values():
        assert not judge(text, {}).azure.accepted
