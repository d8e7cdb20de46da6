"""The bench: the real system at fixed rates of signed bets, from outside, and the yardsticks it is held against."""
