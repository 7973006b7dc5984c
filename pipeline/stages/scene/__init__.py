"""Stage ``scene``: a reconstruction up to scale becomes metric: z up, floor at z = 0, walls along x and y."""
