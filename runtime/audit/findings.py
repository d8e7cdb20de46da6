"""What an audit finds: the row, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with the row that it is about."""

    table: str
    row: str
    sentence: str

    def __str__(self) -> str:
        """Write the finding on one line."""
        return f"{self.table} {self.row}: {self.sentence}"


@dataclass(slots=True)
class Report:
    """The result of an audit."""

    commits: int = 0
    users: int = 0
    entries: int = 0
    bets: int = 0
    balance_cents: int = 0
    head: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether everything adds up."""
        return not self.findings

    @property
    def faults(self) -> list[str]:
        """Return a sentence for each finding."""
        return [str(finding) for finding in self.findings]

    @property
    def summary(self) -> str:
        """Return the result on one line."""
        conclusion = "every cent is where it belongs" if self.ok else f"{len(self.findings)} findings"
        return (
            f"audit: {conclusion}; {self.users} users, {self.bets} bets, {self.entries} entries,"
            f" {self.commits} commits, {self.balance_cents} cents in all, head {self.head[:16]}"
        )
