"""The function framework and the parts that functions and jobs share: a folder a room, and a few modules of no room.

Each room says in its first lines what it holds and which other rooms it may import; tests/test_import_law.py holds them
to it. The modules of no room are

Ground: addresses, background, clock, error_codes, errors, field_words, function_files, function_settings,
function_types, function_versions, hosts, log, machine, more_shards, process_lock, rate_limits, sentinel_url,
setting_forms, settings, settings_table, stopping, systemd, version.
Top: function, parts, signing_in, wiring.

Every room but `game` may import the ground, which imports nothing else. The top may import every room, and no room
imports it: `function` and `signing_in` are for functions/, `wiring` for the server.
"""
