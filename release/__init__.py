"""What a release is made of: `make release` leaves it in build/release, made from the last commit alone."""
