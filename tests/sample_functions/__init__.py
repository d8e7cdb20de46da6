"""Small function folders for the tests of the framework."""
