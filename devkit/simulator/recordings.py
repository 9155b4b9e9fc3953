"""An estate made of recorded answers: every recorded list in a subscription of its own, served as it was recorded.

What a client sees:

- The first page of a list is the answer at `/subscriptions/{own id}/resourcegroups`, `/resources` or the subscription's
  `/providers/Microsoft.Authorization/locks`, whatever is filtered or expanded. The other lists of that subscription
  are empty; nothing is made up.
- Items keep their recorded ids, so these name the recorded subscription and not the one the list is served in.
- A nextLink has the simulator's address and is otherwise the recorded one, token for token; its path may therefore
  name another subscription. Following pages are found by the exact path and query.
- Two lists with the same nextLink and the same continuation share it. Where the continuations differ, nothing in the
  request could tell them apart, so the later list has the id of its own subscription put into the path of its nextLink;
  the query stays as recorded.
- Where the page behind a nextLink was not recorded, that nextLink leads to an empty last page.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl
from uuid import NAMESPACE_URL, uuid5

from msgspec.structs import replace

from devkit.simulator.interactions import Interaction, read_interaction
from devkit.simulator.model import Estate, Json, RecordedList, RecordedPage, Subscription
from devkit.simulator.playback import ORIGIN, canonical

_SUBSCRIPTION = re.compile(r"^(/+subscriptions/)[^/?]+", re.IGNORECASE)


def load_recordings(folder: Path | str) -> Estate:
    """Read all interactions under a folder (`*.json`) into an estate; its notes say what was served and skipped.

    Raises:
        ValueError: when there is no such folder, or no list in it; one sentence.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"{root} is not a folder; name one that holds recorded interactions")
    interactions: dict[str, Interaction] = {}
    skipped: Counter[str] = Counter()
    for file in sorted(root.rglob("*.json")):
        interaction = read_interaction(file)
        if interaction is None:
            skipped["not a recorded interaction"] += 1
        elif interaction.lists is None:
            skipped[interaction.unserved] += 1
        else:
            interactions[file.relative_to(root).as_posix()] = interaction
    if not interactions:
        raise ValueError(f"{root} holds no recorded list of resource groups, resources or locks")
    lists, moved = _tell_apart(list(_chained(interactions)))
    return Estate(
        name=f"recordings in {root}",
        subscriptions=tuple(Subscription(id=own_id(each.file), name=each.file, recorded=each) for each in lists),
        notes=tuple(_notes(len(interactions), skipped, lists, moved)),
    )


def own_id(file: str) -> str:
    """The id of the subscription that serves the list beginning with that file, the same on every machine."""
    return str(uuid5(NAMESPACE_URL, f"recording:{file}"))


def _chained(interactions: dict[str, Interaction]) -> Iterator[RecordedList]:
    """Join the pages of one recorded listing; steps that list anew begin a list of their own."""
    chains: dict[str, list[Interaction]] = {}
    for file, interaction in sorted(interactions.items(), key=_order):
        before = next((chain for chain in chains.values() if _continues(chain[-1], interaction)), None)
        if before is None:
            chains[file] = [interaction]
        else:
            before.append(interaction)
    for file, chain in sorted(chains.items()):
        if lists := chain[0].lists:
            yield RecordedList(lists, file, tuple(_page(each.response.body) for each in chain))


def _order(entry: tuple[str, Interaction]) -> tuple[str, int, str]:
    file, interaction = entry
    sequence = interaction.sequence
    return (sequence.id or file, sequence.step or 0, file) if sequence else (file, 0, file)


def _continues(before: Interaction, after: Interaction) -> bool:
    """Whether `after` is the page behind the nextLink of `before`."""
    first, second = before.sequence, after.sequence
    if not first or not second or not first.id or first.id != second.id or before.lists != after.lists:
        return False
    offered = _token(_page(before.response.body).next_target.partition("?")[2])
    asked = _token(after.request.query or "")
    # Recorders rewrite ids inside tokens, so a following step with another token still is the next page.
    return bool(offered and asked) and (offered == asked or second.step == (first.step or 0) + 1)


def _token(query: str) -> str:
    return next((value for key, value in parse_qsl(query) if key.casefold() == "$skiptoken"), "")


def _page(body: Json) -> RecordedPage:
    link = body.get("nextLink")
    return RecordedPage(body, ORIGIN.sub("", link) if isinstance(link, str) else "")


def _tell_apart(lists: list[RecordedList]) -> tuple[list[RecordedList], int]:
    """Give each nextLink one meaning; returns the lists and how many nextLinks had to be changed."""
    behind: dict[str, list[Json]] = {}
    moved = 0
    result: list[RecordedList] = []
    for each in lists:
        pages = []
        for number, page in enumerate(each.pages, 1):
            rest = [following.body for following in each.pages[number:]]
            target = page.next_target
            if target and behind.setdefault(canonical(target), rest) != rest:
                target = _SUBSCRIPTION.sub(rf"\g<1>{own_id(each.file)}", target)
                behind[canonical(target)] = rest
                moved += 1
            pages.append(replace(page, next_target=target))
        result.append(replace(each, pages=tuple(pages)))
    return result, moved


def _notes(files: int, skipped: Counter[str], lists: list[RecordedList], moved: int) -> Iterator[str]:
    yield f"Served: {len(lists)} lists from {files} files, each in a subscription of its own."
    for reason, count in sorted(skipped.items()):
        yield f"Skipped: {count} files ({reason})."
    open_ended = [each.file for each in lists if each.pages[-1].next_target]
    if open_ended:
        yield f"Not recorded, so an empty last page is served: what follows {', '.join(open_ended)}."
    if moved:
        yield f"{moved} nextLinks occur in several recordings and carry the subscription they are served in."
