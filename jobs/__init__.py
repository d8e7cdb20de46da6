"""What runs off the request path, a folder a room: writer, settlement, upkeep, feed, and RQ that starts them."""
