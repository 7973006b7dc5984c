"""How hosts are asked: guarded, rate-limited, bounded."""
