"""The exchanges, a file each: where to connect, what to ask for, and what their frames say.

Each is asked for its best bid and ask, whose middle is the price, and for its trades, which count only while no bid and
ask come. The middle moves only when the market does, while trades jump between bid and ask; and it is there in a calm
minute, in which a thin venue trades nothing. Trades stand in where the book's channel was refused or has gone silent,
and where it tells of changes only and nothing changes (Kraken).

| exchange | best bid and ask | trades |
|---|---|---|
| Binance, BTC/USDT | `btcusdt@bookTicker`, every change | `btcusdt@trade` |
| Coinbase, BTC/USD | `ticker`, at every trade | `matches` |
| Kraken v2, BTC/USD | `ticker` with the trigger `bbo`, every change of price | `trade` |
| Bitstamp, BTC/USD | `order_book_btcusd`, its first rows | `live_trades_btcusd` |
"""
