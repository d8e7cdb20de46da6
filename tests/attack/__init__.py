"""What an attacker tries, over the whole app."""
