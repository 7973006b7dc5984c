"""All parsers that are given what somebody else wrote, by what they read."""
