"""`./dev campaign NAME`: breaks Steward on purpose, and exits with 1 where a promise was not kept."""

import argparse
import sys

from devkit.campaigns.catalog import CAMPAIGNS, perform
from devkit.campaigns.session import Session


def main(arguments: list[str] | None = None) -> int:
    """Perform a campaign.

    Returns:
        0 where every promise was kept, 1 where one was not, 2 for a mistake on the command line.
    """
    parser = argparse.ArgumentParser(
        prog="dev campaign", description="Break Steward on purpose, and judge it by what it promises."
    )
    parser.add_argument("name", nargs="?", choices=tuple(CAMPAIGNS), metavar="NAME", help="which one; see --list")
    parser.add_argument("--list", action="store_true", help="say which campaigns there are")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what is drawn follows from it (default 1)")
    parser.add_argument(
        "--minutes", type=float, default=10.0, metavar="M", help="begin nothing new after this (default 10)"
    )
    parser.add_argument("--only", default="", metavar="PLACE", help="the one place that a violation has named")
    given = parser.parse_args(arguments)
    if given.list:
        width = max(map(len, CAMPAIGNS))
        for name, what in CAMPAIGNS.items():
            print(f"{name:<{width}}  {what}")
        return 0
    if given.name is None:
        parser.error("name a campaign; --list says which there are")
    session = Session(given.name, given.seed, given.minutes, given.only)
    perform(session)
    return session.end()


if __name__ == "__main__":
    sys.exit(main())
