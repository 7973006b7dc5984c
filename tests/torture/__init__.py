"""A campaign against the store: real processes, cut off at random, and a checker that trusts none of them."""
