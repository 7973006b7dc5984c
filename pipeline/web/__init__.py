"""How the web is asked: only http(s), never a private address that a stranger named, each host at its pace."""
