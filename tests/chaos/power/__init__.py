"""Power cuts, played: what is written and synced is recorded, and a disk drops what was not synced at any moment."""
