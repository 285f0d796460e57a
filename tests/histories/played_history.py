"""A repository played out at random, and what is true of it: who authored what once, and when it reached what service.

What is true is kept by the content that each commit has, and not by looking at the graph, the messages or the records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from tests.histories.what_happened import Change, Landing, Pull, Shipped
from tests.histories.written_history import COMMITTER, Written, reachable, written_anew

MINUTE = 60
BEGIN = 1_750_000_000
PERSONS = [f"{name.capitalize()} <{name}@acme.example>" for name in ("anna", "ben", "cleo", "dan")]
BOT = "renovate[bot] <renovate[bot]@acme.example>"
WORDS = ("Cache prices", "Fix tests", "Update", "Show totals", "Guard the door")
TRUNKS = {"main": ("merge", "squash", "rebase", "queue", "semi-linear"), "develop": ("squash",)}
RELEASES = ("release-1", "release-2")
# each service with the branches that it is deployed from, one after the other
SERVICES = {
    "shop": ("main",),
    "beta": ("develop",),
    "kiosk": ("release-1", "release-2", "main"),
    "till": ("release-1",),
    "portal": ("release-2",),
}


@dataclass
class Play:
    """The repository `name`; each method is an event, which does nothing where it cannot happen."""

    name: str
    changes: list[Change] = field(default_factory=list)
    branches: dict[str, list[Written]] = field(default_factory=dict)
    landings: list[Landing] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)
    shipped: list[Shipped] = field(default_factory=list)
    was: dict[str, Written] | None = None  # the branches before they were written anew
    everything: list[Written] = field(default_factory=list)
    imported: bool = False
    now: int = BEGIN

    def __post_init__(self) -> None:
        root = self._commit((), self._change(PERSONS[0], "Begin"))
        self.branches = {"main": [root]}
        self.push(Random(0))
        self.branches |= {name: list(self.branches["main"]) for name in ("develop", RELEASES[0])}

    def play(self, events: Sequence[tuple[str, int]]) -> "Play":
        for kind, seed in events:
            self.now += Random(seed).randrange(1, 240) * MINUTE + 1
            getattr(self, kind)(Random(seed))
        self._judge()
        return self

    def count(self) -> int:
        return len(reachable([*self.everything, *(log[-1] for log in self.branches.values())]))

    # what people do

    def push(self, chance: Random) -> None:
        """Commits straight to main."""
        for _ in range(chance.randrange(1, 3)):
            change = self._change(chance.choice(PERSONS), self._title(chance))
            commit = self._commit((self.tip("main"),), change)
            self._land(Landing("main", "push", change.title, [commit], 1 << change.bit))

    def pull(self, chance: Random) -> None:
        """A pull request of some commits into main or develop."""
        branch = "develop" if chance.random() < 0.3 else "main"
        author = BOT if chance.random() < 0.08 else chance.choice(PERSONS)
        tip = start = chance.choice(self.branches[branch][-4:])
        is_hotfix = chance.random() < 0.15
        own = []
        for place in range(chance.choice((1, 1, 2, 3, 5))):
            change = self._change(author, self._title(chance), is_hotfix=is_hotfix)
            tip = self._commit((tip,), change)
            own.append(tip)
            if place == 1 and chance.random() < 0.2:
                tip = self._joined(tip, self.tip(branch), f"Merge branch '{branch}' into topic")
                own.append(tip)
        title = own[0].title if len(own) == 1 else f"Topic {len(self.pulls) + 1}"
        self._merge(chance, branch, chance.choice(TRUNKS[branch]), title, author, start, own, is_hotfix)

    def release(self, chance: Random) -> None:
        """develop is squashed into main, and main merged back."""
        own = reachable([self.tip("develop")], [self.tip("main")])
        if self.tip("develop").holds & ~self.tip("main").holds:
            title = f"Release {len(self.pulls) + 1}"
            self._merge(chance, "main", "squash", title, PERSONS[0], self.tip("main"), own, False)
            back = self._joined(self.tip("develop"), self.tip("main"), "Merge branch 'main' into develop")
            self.branches["develop"].append(back)

    def pick(self, chance: Random) -> None:
        """Something is cherry-picked to a release branch, straight or by a pull request that a bot may make."""
        branch = chance.choice([name for name in RELEASES if name in self.branches])
        tip = self.tip(branch)
        fresh = [
            one
            for one in self.landings[-20:]
            if one.changes and one.method != "again" and not one.changes & tip.holds and one.branch != branch
        ]
        if not fresh:
            return
        landing = chance.choice(fresh)
        names_origin, is_renewed = chance.random() < 0.6, chance.random() < 0.1
        is_renewed &= all(commit.author != BOT for commit in landing.commits)
        commits = landing.commits[:1] if chance.random() < 0.15 else landing.commits
        own, start = [], tip
        for commit in commits:
            message = commit.message
            if names_origin or is_renewed:
                message += f"\n\n(cherry picked from commit {commit.sha})"
            author, authored = (PERSONS[1], self.now) if is_renewed else (commit.author, commit.authored)
            brought = landing.changes if len(landing.commits) == 1 else commit.holds & landing.changes
            before = 0 if commit is commits[0] else own[-1].holds
            tip = self._written((tip,), author, authored, message, tip.holds | brought | before)
            own.append(tip)
        how = chance.choice(("straight", "merge", "squash"))
        if how == "straight":
            self._land(Landing(branch, "pick", landing.title, own, own[-1].holds & ~start.holds))
        else:
            by = chance.choice((BOT, PERSONS[2]))
            self._merge(chance, branch, how, f"Backport {landing.title}", by, start, own, False)

    def revert(self, chance: Random) -> None:
        """What was put on a branch is undone there, by a pull request or straight; some go on in the same one."""
        branch = chance.choice(list(self.branches))
        here = [one for one in self.landings[-25:] if one.branch == branch and one.changes]
        if not here:
            return
        landing = chance.choice(here)
        author, tip = chance.choice(PERSONS), self.tip(branch)
        start, own = tip, []
        for commit in reversed(landing.commits):
            whole = len(landing.commits) == 1
            undone = landing.changes if whole else commit.holds & ~commit.parents[0].holds & landing.changes
            message = f'Revert "{commit.title}"\n\nThis reverts commit {commit.sha}'
            if commit.title.startswith('Revert "') and chance.random() < 0.5:
                message = f'Reapply "{commit.title[8:]}\n\nThis reverts commit {commit.sha}'
            message += (
                f", reversing\nchanges made to {commit.parents[0].sha}." if len(commit.parents) > 1 else "."
            )
            change = self._change(author, message.partition("\n")[0], reverts=undone)
            tip = self._commit((tip,), change, message)
            own.append(tip)
        made = tip.holds & ~start.holds
        if chance.random() < 0.3:
            self._land(Landing(branch, "push", own[0].title, own, made))
            return
        if chance.random() < 0.3:
            tip = self._commit((tip,), self._change(author, self._title(chance)))
            own.append(tip)
        title = own[0].title if len(own) == 1 else f"Undo {landing.title}"
        by_button = landing.number if len(own) == len(landing.commits) and chance.random() < 0.5 else None
        method = chance.choice(TRUNKS.get(branch, ("merge", "squash")))
        self._merge(chance, branch, method, title, author, start, own, False, by_button)

    def again(self, chance: Random) -> None:
        """What main has already is picked onto it once more: somebody did the same work a second time."""
        here = [
            one
            for one in self.landings[-15:]
            if one.branch == "main" and one.method in ("push", "rebase", "squash") and len(one.commits) == 1
        ]
        here = [one for one in here if one.changes and "This reverts" not in one.commits[0].message]
        here = [one for one in here if not one.title.startswith("Re")]
        if here:
            commit = chance.choice(here).commits[0]
            change = self._change(commit.author, commit.title)
            change.authored = commit.authored
            message = commit.message
            if chance.random() < 0.5:
                message += f"\n\n(cherry picked from commit {commit.sha})"
            holds = self.tip("main").holds | 1 << change.bit
            copy = self._written((self.tip("main"),), commit.author, commit.authored, message, holds)
            self._land(Landing("main", "again", change.title, [copy], 1 << change.bit))

    def cut(self, chance: Random) -> None:
        """The second release branch leaves main."""
        self.branches.setdefault(RELEASES[1], [self.tip("main")])

    def library(self, chance: Random) -> None:
        """A library's own history is merged into main, once: nobody authored it for this repository."""
        if self.imported:
            return
        self.imported = True
        tip: tuple[Written, ...] = ()
        for number in range(chance.randrange(2, 8)):
            at = BEGIN - 10_000_000 + number
            tip = (Written(tip, "Lib <lib@lib.example>", at, at, f"Library {number}"),)
        commit = self._joined(self.tip("main"), tip[0], "Merge the library")
        self.branches["main"].append(commit)

    def rewrite(self, chance: Random) -> None:
        """All branches are written anew from their roots, once."""
        if self.was is not None:
            return
        self.was = {name: log[-1] for name, log in self.branches.items()}
        self.everything += self.was.values()
        anew = written_anew(self.was.values())
        self.branches = {name: [anew[log[-1]]] for name, log in self.branches.items()}
        for landing in self.landings:
            landing.commits = [anew[commit] for commit in landing.commits]

    def deploy(self, chance: Random) -> None:
        """A service gets what its branch has now, or had a little before; some go on to their next branch."""
        service = chance.choice([name for name, own in SERVICES.items() if own[0] in self.branches])
        mine = [one for one in self.shipped if one.service == service and one.kind in ("baseline", "new")]
        place = SERVICES[service].index(mine[-1].branch) if mine else 0
        following = SERVICES[service][place + 1 : place + 2]
        if following and following[0] in self.branches and chance.random() < 0.1:
            place += 1
        branch = SERVICES[service][place]
        log = self.branches[branch]
        had = {one.sha for one in mine}
        since = max((n + 1 for n, commit in enumerate(log) if commit.sha in had), default=0)
        commit = chance.choice(log[max(since, len(log) - 3) :] or [None])
        if commit is None:
            return
        if chance.random() < 0.07:
            self._ship(service, branch, commit, "unsuccessful")
            return
        self._ship(service, branch, commit, "new" if mine else "baseline")

    def rollback(self, chance: Random) -> None:
        """A service goes back to what it had before, where that is an ancestor."""
        service = chance.choice(list(SERVICES))
        mine = [one for one in self.shipped if one.service == service and one.kind != "unsuccessful"]
        if len(mine) < 2 or any(one.kind == "rollback" for one in mine[-2:]):
            return
        to, now = (next(c for c in self.everything if c.sha == one.sha) for one in mine[-2:])
        if to in reachable([now]):
            self._ship(service, mine[-2].branch, to, "rollback")

    # how it comes about

    def tip(self, branch: str) -> Written:
        return self.branches[branch][-1]

    def _title(self, chance: Random) -> str:
        word = chance.choice(WORDS)
        return word if chance.random() < 0.3 else f"{word}, part {len(self.changes)}"

    def _is_untold_by_title(self, commit: Written) -> bool:
        """Whether the title alone leaves open of which commit this is the revert, or that it is a copy at all."""
        inner = commit.title.partition('"')[2].rpartition('"')[0].partition(" (#")[0]
        is_copy = all(change.authored != commit.authored for change in self.changes)
        return is_copy or sum(inner in change.title for change in self.changes) > 2

    def _change(self, author: str, title: str, reverts: int = 0, is_hotfix: bool = False) -> Change:
        self.now += MINUTE + 1
        is_revert = title.startswith(('Revert "', 'Reapply "'))
        change = Change(len(self.changes), author, self.now, title, reverts, is_revert, is_hotfix)
        self.changes.append(change)
        return change

    def _commit(self, parents: tuple[Written, ...], change: Change, message: str = "") -> Written:
        holds = 1 << change.bit
        for parent in parents:
            holds |= parent.holds
        return Written(
            parents, change.author, change.authored, change.authored, message or change.title, holds
        )

    def _written(
        self, parents: tuple[Written, ...], author: str, authored: int, message: str, holds: int
    ) -> Written:
        return Written(parents, author, authored, self.now, message, holds)

    def _joined(self, one: Written, other: Written, message: str) -> Written:
        self.now += MINUTE
        return self._written((one, other), PERSONS[0], self.now, message, one.holds | other.holds)

    def _land(self, landing: Landing) -> None:
        self.branches[landing.branch] += landing.commits
        self.landings.append(landing)

    def _merge(
        self,
        chance: Random,
        branch: str,
        method: str,
        title: str,
        author: str,
        start: Written,
        own: list[Written],
        is_hotfix: bool,
        reverts: int | None = None,
    ) -> None:
        number = len(self.pulls) + 1
        created = self.now + MINUTE
        self.now += chance.randrange(10, 300) * MINUTE
        tip, brought = self.tip(branch), own[-1].holds & ~start.holds
        changes = brought & ~tip.holds
        lines = [one for one in own if len(one.parents) == 1]
        landed: list[Written] = []
        if method in ("rebase", "queue", "semi-linear"):
            for commit in lines:
                tip = replace(
                    commit,
                    parents=(tip,),
                    committed=self.now,
                    committer=COMMITTER,
                    holds=tip.holds | commit.holds & brought,
                )
                landed.append(tip)
        if method == "queue":
            self.now += 30 * MINUTE
        merge = f"Merge pull request #{number} from acme/topic\n\n{title}"
        if method == "merge":
            tip = self._written((tip, own[-1]), author, self.now, merge, tip.holds | brought)
        elif method == "semi-linear":
            joined = (self.tip(branch), tip)
            tip = self._written(joined, author, self.now, merge, tip.holds)
        elif method == "squash":
            with_bodies = chance.random() < 0.6 or any(self._is_untold_by_title(one) for one in lines)
            body = "".join(f"\n\n* {one.message}" for one in lines)
            if len(lines) == 1:
                body = lines[0].message.removeprefix(lines[0].title)
            message = f"{title} (#{number})" + (body if with_bodies else "")
            tip = self._written((tip,), author, self.now, message, tip.holds | brought)
        if method in ("rebase", "queue"):
            self._land(Landing(branch, method, title, landed, changes, number))
        else:
            self._land(Landing(branch, method, title, [tip], changes, number))
        is_linear = method in ("rebase", "queue") and len(landed) == len(own)
        listed = 2 if is_linear and len(own) > 2 and chance.random() < 0.3 else None
        pull = Pull(number, title, created, self.now, tip.sha, branch, own, is_hotfix, reverts, listed)
        self.pulls.append(pull)
        self.everything.append(own[-1])

    def _ship(self, service: str, branch: str, commit: Written, kind: str) -> None:
        id = f"{self.name}-{len(self.shipped)}"
        status = "failure" if kind == "unsuccessful" else "success"
        self.everything.append(commit)
        brought = 0
        if kind in ("baseline", "new"):
            had = 0
            for one in self.shipped:
                had |= one.brought if one.service == service else 0
            brought = commit.holds & ~had
        self.shipped.append(Shipped(id, service, self.now, commit.sha, branch, status, kind, brought))

    def _judge(self) -> None:
        """Which deployments failed: a later one undid what they brought, or they were left again."""
        self.everything += [log[-1] for log in self.branches.values()]
        for service in SERVICES:
            mine = [one for one in self.shipped if one.service == service and one.kind != "unsuccessful"]
            for place, one in enumerate(mine):
                if one.kind == "rollback":
                    mine[place - 1].is_failed = mine[place - 1].kind == "new" or mine[place - 1].is_failed
                undone = 0
                for change in self.changes:
                    if one.brought >> change.bit & 1 and one.kind == "new":
                        undone |= change.reverts
                for before in mine[:place]:
                    if before.kind == "new" and before.brought & undone:
                        before.is_failed = True
