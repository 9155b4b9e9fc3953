"""Prints number, irregularity, and where it is shown: `python -m tests.oddities`."""

from tests.oddities.table import LATER, TABLE

for number, entry in TABLE.items():
    later = f"comes with {entry.comes_with}: {LATER[entry.comes_with]}" if entry.comes_with else ""
    print(f"{number:2}  {entry.about:44}  {'; '.join(filter(None, (*entry.tests, later)))}")
shown, both = [sum(bool(entry.tests) for entry in TABLE.values()), sum(all(entry[1:]) for entry in TABLE.values())]
print(f"\n{shown} of {len(TABLE)} have tests, {both} of these in part; {len(TABLE) - shown} come with other work.")
