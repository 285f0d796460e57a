"""Whatever an API answers in one place: the rest is stored, and a run ends in its usual time."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from collectors.argocd.sync import referenced_commit
from collectors.contract.people import People
from collectors.github.as_records import Account, assisted_by, noreply_login, reverted_numbers
from collectors.transport.json_values import read_json
from collectors.transport.repository_addresses import repository_name
from tests.support.hostile.trial import LONGEST_SECONDS, try_hostile_answers
from tests.support.places import LONG


def test_what_is_hostile_in_one_place_harms_nothing_else() -> None:
    assert try_hostile_answers(220, "short").examples == 220


@pytest.mark.soak
@pytest.mark.skipif(not LONG, reason="takes four minutes; make soak LONG=1")
def test_thousands_of_hostile_answers_take_little_time_and_memory() -> None:
    count = 5_000
    # a process of its own, whose memory is nobody else's
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        trial = pool.submit(try_hostile_answers, count, "long").result()
    print(trial)
    assert trial.examples == count
    assert trial.longest_seconds < LONGEST_SECONDS
    assert trial.peak_megabytes < 500


@pytest.mark.parametrize(
    "told",
    [
        *(
            "Co-authored-by: " + " " * 60_000 + "<",
            "\n" * 60_000 + "x",
            "Reverts " * 9_000,
            "1" * 60_000 + "+",
        ),
        *(
            "Co-authored-by: <" * 4_000,
            "argocd-reference-commit-sha:" + " " * 60_000 + "\n",
            "Reverts" + " " * 60_000,
        ),
        *(
            "https://a/b/" + "tree/" * 12_000,
            "https://" + "a" * 60_000,
            "a@" * 30_000,
            "Reverts " + "a/" * 30_000,
        ),
    ],
    ids=lambda told: told[:20].strip() or "blank",
)
def test_a_text_is_read_in_the_time_of_its_length(told: str) -> None:
    begun = time.process_time()
    assisted_by(Account(None, False), told, People(b"key"))
    reverted_numbers("acme/app", told)
    noreply_login(told)
    repository_name(told)
    referenced_commit({"message": told})
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("depth", [99, 101, 900, 5_000, 200_000])
def test_json_of_any_depth_is_read(depth: int) -> None:
    deep = "[" * depth + '"]["' + "]" * depth
    found = read_json(f'{{"a": {deep}, "b": 1, "c": "[\\"]"}}')
    assert (found["b"], found["c"]) == (1, '["]')
    part, levels = found["a"], 0
    while isinstance(part, list):
        part, levels = part[0], levels + 1
    assert levels < 100
    assert part == ("][" if depth < 99 else "nested more than 100 deep") or levels == depth


def test_a_number_of_any_length_is_read() -> None:
    assert read_json(f'{{"a": {"9" * 5_000}, "b": {2**70}}}') == {"a": float("inf"), "b": 2**70}
