"""A prober of tests: what it answers is written down, and so is what it was asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared_code.doctor.ports import Answered, Token
from shared_code.errors import AzureError
from tests.fakes import NOW

PRINCIPAL = "1d000000-0000-4000-8000-0000000000aa"


@dataclass
class FakeProber:
    """Answers 200 at this moment, or what a test puts in its place, by a part of the address."""

    answers: dict[str, Answered | AzureError] = field(default_factory=dict)
    refusal: AzureError | None = None
    expires: datetime = NOW + timedelta(hours=24)
    principal: str | None = PRINCIPAL
    date: datetime | None = NOW
    asked: list[tuple[str, str | None, bytes | None, Mapping[str, str]]] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None

    def token(self, audience: str) -> Token:
        if self.refusal:
            raise self.refusal
        return Token(self.expires, f"managed identity for {audience.rpartition('/')[2]}", self.principal)

    def ask(
        self,
        address: str,
        what: str,
        *,
        audience: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
    ) -> Answered:
        if audience is not None:
            self.token(audience)
        self.asked.append((address, audience, body, headers))
        self.before_answer()
        for part, answer in self.answers.items():
            if part in address:
                if isinstance(answer, AzureError):
                    raise answer
                return answer
        assert what
        return answered(200, date=self.date)


def answered(status: int, text: str = "", date: datetime | None = NOW, **headers: str) -> Answered:
    """What came back."""
    return Answered(status, text, {name.replace("_", "-"): value for name, value in headers.items()}, date)
