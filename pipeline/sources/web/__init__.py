"""Hosts asked with manners: guarded, rate-limited, bounded."""
