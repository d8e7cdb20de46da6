"""The price feed: sources in, ticks and grids out."""
