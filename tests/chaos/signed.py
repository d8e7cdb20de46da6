"""Who signed each stored bet, proven by several processes side by side: a long run leaves hundreds of thousands."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import lru_cache
from itertools import repeat
from multiprocessing import get_context

from runtime.explanation import find_bet, gather
from runtime.explanation.signed import check_signed
from runtime.postgresql import choice
from runtime.settings import Settings

PARTS_MAX = 4
BETS_OF_PART = 20_000
KNOWN_MAX = 20_000


def signed_wrong(settings: Settings) -> list[str]:
    """Return a sentence for each bet that its player did not sign, by keys of either kind, whoever has it by now."""
    with closing(choice.open_reader(settings)) as database:
        [(bets,)] = database.execute("SELECT count(*) FROM bets")
    parts = min(PARTS_MAX, 1 + bets // BETS_OF_PART)
    if parts == 1:
        return _wrong_of(settings, 0, 1)
    with ProcessPoolExecutor(parts, get_context("spawn")) as pool:
        found = pool.map(_wrong_of, repeat(settings), range(parts), repeat(parts))
        return [sentence for sentences in found for sentence in sentences]


def _wrong_of(settings: Settings, part: int, parts: int) -> list[str]:
    """Prove every so manieth bet. Much stands around many bets, as keys and logins do: it is read once."""
    with closing(choice.open_reader(settings)) as database, database.snapshot():
        read = lru_cache(KNOWN_MAX)(database.execute)
        wrong = []
        for (bet_id,) in database.execute("SELECT id FROM bets ORDER BY seq")[part::parts]:
            bet = find_bet(database.execute, bet_id)
            assert bet is not None
            one = check_signed(gather(read, bet), settings.chain_ids)
            if not one.ok:
                wrong.append(f"bet {bet_id}: {one.finding}")
        return wrong
