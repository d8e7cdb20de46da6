"""What runs off the request path: writer, settlement, feed and housekeeping."""
